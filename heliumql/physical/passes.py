"""Passes: evaluates a query in DuckDB before its calls have answers (deferred values).

    pass: evaluate the relational part; a call with an answer gives the answer, one without gives a
          reference to it; a cut holds back the rows that would inspect one
          run the calls that cuts of the lowest level wait for, as one graph, without barriers
          a cut held rows back? Next pass. Else these are the rows: put answers in their places.

Reads of one statement see one snapshot: they run in a transaction, a read-only one of our own where
the user has none. DuckDB runs them on one thread, so that evaluating again gives the same rows in
the same order (string_agg without ORDER BY, scans, joins).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from heliumql.binder import Bound, Carried, Once, Unsupported, printed, without_excerpt
from heliumql.calls import (
    CallGraph,
    MintedCalls,
    Namer,
    Reference,
    References,
    SpilledBatches,
    without_broken,
)
from heliumql.errors import ExecutionError, InternalError
from heliumql.physical import functions
from heliumql.physical.context import Context
from heliumql.physical.dispatch import Dispatcher, Interrupted
from heliumql.physical.output import Column, Void, mentions, resolved
from heliumql.physical.snapshot import batches_of, begin_again, reading

_FIRST_ROWS = 16  # of the first batch; each later one has twice as many, up to the setting
_LONGEST = 4_000_000  # characters; an inspection repeats what it inspects, so nests may explode


class Passes:
    """One query, evaluated in passes. Iterate `batches()` once."""

    def __init__(self, context: Context, bound: Bound, names: tuple[str, ...]) -> None:
        self.context = context
        self.bound = bound
        self.names = names
        self.references = References()
        self.passes = 0
        self.number = functions.enter(self)
        namers = {n: Namer(s.kind, self.references) for n, s in context.sites.items()}
        self.graph = CallGraph(
            self.references,
            namers,
            context.store.get,
            frozenset(n for n, s in context.sites.items() if s.cache != "use"),
            MintedCalls(context.window_bytes),
        )
        self.dispatcher = Dispatcher(
            self.graph,
            context.sites,
            context.store,
            context.learnt,
            context.flights,
            context.interrupted,
            context.progress,
        )
        self._cuts: dict[int, dict[bytes, int]] = {}  # what each cut waits for: how many rows
        self._fault: BaseException | None = None
        self._lock = threading.Lock()
        self._once: list[str] = []  # temporary tables

    def evaluate_once(self, relations: Sequence[Once]) -> None:
        """Keeps the rows of volatile relations in temporary tables, for all passes."""
        connection = self.context.connection
        for once in relations:
            query = printed(connection, once.query)
            try:
                connection.execute(f"CREATE TEMP TABLE {once.name} AS {query}").fetchall()
            except duckdb.Error as error:
                raise ExecutionError(without_excerpt(error)) from None
            self._once.append(once.name)

    def rewrite(self, carried: Carried) -> None:
        """Takes the rewritten query (made for this statement's number).

        Raises Unsupported where DuckDB does not take it.
        """
        self.carried = carried
        self.columns = tuple(
            Column(n, t, s)
            for n, t, s in zip(self.names, self.bound.types, carried.shapes, strict=True)
        )
        try:
            self.sql = printed(self.context.connection, carried.node)
            if len(self.sql) > _LONGEST:
                raise Unsupported("inspections nested too deeply")
            self.context.connection.execute("EXPLAIN " + self.sql).fetchall()
        except duckdb.Error as error:
            raise Unsupported(f"DuckDB does not take it rewritten: {error}") from None

    # what DuckDB calls --------------------------------------------------------------------

    def call(
        self, site: int, prompts: pa.Array, systems: pa.Array, histories: pa.Array, path: str
    ) -> pa.Array:
        """Names a batch of calls; their answers, or references to them."""
        try:
            with self._lock:
                return self._call(site, prompts, systems, histories, path)
        except BaseException as fault:  # DuckDB keeps only the message
            self._fault = fault
            raise

    def _call(
        self, site: int, prompts: pa.Array, systems: pa.Array, histories: pa.Array, path: str
    ) -> pa.Array:
        graph = self.graph
        some_systems = None if systems.null_count == len(systems) else systems
        some_histories = None if histories.null_count == len(histories) else histories
        texts = prompts.to_pylist()
        history_list = None if some_histories is None else some_histories.to_pylist()
        if history_list is not None:
            texts = without_broken(texts, history_list)
        identities = graph.namers[site].names(
            texts,
            None if some_systems is None else some_systems.to_pylist(),
            history_list,
        )
        known, text = graph.known, graph.text
        fresh = [None if i in known else i for i in identities] if known else identities
        graph.minted.add(site, fresh, prompts, some_systems, some_histories)
        if known:
            values = [None if i is None else text(i, path) for i in identities]
        else:
            before, after = self.references.prefix, path + "\ue001"
            values = [None if i is None else f"{before}{i.hex()}{after}" for i in identities]
        return pa.array(values, pa.string())

    def ready(self, cut: int, texts: pa.Array) -> pa.Array:
        """True where the text holds no reference; what the others wait for is noted."""
        waiting = pc.match_substring(texts, self.references.nonce)
        if not pc.any(waiting).as_py():
            return pa.array([True] * len(texts), pa.bool_())
        flags = pc.fill_null(waiting, False)
        with self._lock:
            noted = self._cuts.setdefault(cut, {})
            for text in texts.filter(flags).to_pylist():
                for identity in self.references.identities(text):
                    noted[identity] = noted.get(identity, 0) + 1
        return pc.invert(flags)

    # evaluation ---------------------------------------------------------------------------

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, in order, as the answers come in."""
        try:
            with reading(self.context.connection):
                shown: list[pa.RecordBatch] = []
                for batch in self._rows():
                    if self.context.verify:
                        shown.append(batch)
                    yield batch
                if self.context.verify:
                    self._verify(shown)
        finally:
            self.close()

    def _rows(self) -> Iterator[pa.RecordBatch]:
        done = 0  # rows that went out
        evaluated = False
        while True:
            drained = self._drain_when_certain(again=evaluated)
            evaluated = True
            try:
                for part in self._parts(drained, done):
                    batch = self._finished(part)
                    done += batch.num_rows
                    yield batch
                if done == 0:
                    yield self._empty()
                return
            except Void:  # answers that came to NULL: DuckDB says what the rows are then
                continue
            finally:
                drained.clear()

    def _parts(self, drained: SpilledBatches, skip: int) -> Iterator[pa.RecordBatch]:
        """The rows after the first `skip`, in small batches: the first ones soon, then larger."""
        size = min(_FIRST_ROWS, self.context.batch_rows)
        for number in range(len(drained)):
            whole = drained[number]
            if skip >= whole.num_rows:
                skip -= whole.num_rows
                continue
            while skip < whole.num_rows:
                part = whole.slice(skip, size)
                yield part
                skip += part.num_rows
                size = min(2 * size, self.context.batch_rows)
            skip = 0

    def _finished(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch once its answers are there."""
        self._run(mentions(batch, self.columns, self.references))
        return self._with_answers(batch)

    def _run(self, identities: Iterable[bytes]) -> None:
        """Runs calls until all of these are settled."""
        left = iter(identities)
        current = next(left, None)

        def settled() -> bool:
            nonlocal current
            while current is not None and self.graph.settled(current):
                current = next(left, None)
            return current is None

        self.dispatcher.run_until(settled)

    def _with_answers(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        def value(reference: Reference) -> str | None:
            if reference.identity in self.graph.void:
                raise Void
            return self.graph.value(reference)

        arrays = [
            resolved(batch.column(i), c.shape, self.references, value)
            for i, c in enumerate(self.columns)
        ]
        plain = pa.RecordBatch.from_arrays(arrays, names=[f"c{i}" for i in range(len(arrays))])
        return self.context.caster.cast(plain, self.columns, lossless=self.context.lossless)

    def _empty(self) -> pa.RecordBatch:
        reader = self.context.connection.sql(f"SELECT * FROM ({self.sql}) LIMIT 0")
        table = reader.to_arrow_table()
        arrays = [c.combine_chunks() for c in table.columns]
        plain = pa.RecordBatch.from_arrays(arrays, names=[f"c{i}" for i in range(len(arrays))])
        return self.context.caster.cast(plain, self.columns, lossless=self.context.lossless)

    def _drain_when_certain(self, *, again: bool) -> SpilledBatches:
        """Runs passes until no cut holds anything back; the rows of that pass, unanswered."""
        while True:
            drained = self._drain(again=again)
            if drained is not None:
                return drained
            lowest = min(self.carried.cuts[c].level for c in self._cuts)
            noted = [
                identity
                for number, calls in sorted(self._cuts.items())
                if self.carried.cuts[number].level == lowest
                for identity, rows in calls.items()
                for _ in range(rows)
            ]
            before = len(self.graph.known) + len(self.graph.void)
            self.graph.demand(noted, again=again)
            self._run(dict.fromkeys(noted))
            if len(self.graph.known) + len(self.graph.void) == before:
                raise InternalError("a pass that does not get any further")

    def _drain(self, *, again: bool) -> SpilledBatches | None:
        """One pass. Its rows, their calls on the way; None where a cut held rows back."""
        self.passes += 1
        self._cuts.clear()
        self._fault = None
        drained = SpilledBatches(self.context.window_bytes)
        self.graph.void.clear()
        try:
            with self.context.one_thread.during(self.context.connection):
                self._read(drained, again=again)
        except duckdb.Error as error:
            drained.clear()
            if self._fault is not None:
                raise self._fault from None
            if self.context.interrupted.is_set():
                raise Interrupted from None
            if not self._cuts:
                raise ExecutionError(without_excerpt(error)) from error
            # Above a cut DuckDB saw only some of the rows: not the user's error.
            begin_again(self.context.connection)
        if self._cuts:
            drained.clear()
            return None
        if self.carried.cuts:
            for number in range(len(drained)):
                self.graph.demand(
                    mentions(drained[number], self.columns, self.references), again=again
                )
        return drained

    def _read(self, drained: SpilledBatches, *, again: bool) -> None:
        """Evaluates; where nothing can be held back, calls are on their way at once."""
        with closing(batches_of(self.context.connection.sql(self.sql), 2048)) as batches:
            for batch in batches:
                if self._cuts:
                    drained.clear()  # only what the cuts wait for matters now
                    continue
                drained.append(batch)
                if not self.carried.cuts:
                    self.graph.demand(mentions(batch, self.columns, self.references), again=again)
                    self.dispatcher.pump()

    def _verify(self, shown: list[pa.RecordBatch]) -> None:
        """Evaluates once more with every answer known, and compares."""
        drained = self._drain_when_certain(again=True)
        rows = [
            row
            for number in range(len(drained))
            for row in self._finished(drained[number]).to_pylist()
        ]
        drained.clear()
        if rows != [row for batch in shown for row in batch.to_pylist()]:
            raise InternalError("evaluating the statement again gave other rows")

    def close(self) -> None:
        """Stops what is still running for these rows."""
        self.dispatcher.close()
        functions.leave(self.number)
        self.graph.minted.clear()
        while self._once:
            with suppress(duckdb.Error):  # a closed connection has none any more
                self.context.connection.execute(f"DROP TABLE temp.{self._once.pop()}").fetchall()
