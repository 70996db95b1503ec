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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from heliumql.binder.bind import Bound, printed
from heliumql.binder.cuts import Carried, Unsupported
from heliumql.binder.mistakes import without_excerpt
from heliumql.binder.volatile import Once
from heliumql.calls.account import Account
from heliumql.calls.budget import Budget
from heliumql.calls.identity import Copies, without_broken
from heliumql.calls.minted import SpilledBatches
from heliumql.calls.references import Reference
from heliumql.catalog.techniques import SHARE
from heliumql.errors import ExecutionError, InternalError
from heliumql.physical import functions
from heliumql.physical.context import Context
from heliumql.physical.counting import Counting
from heliumql.physical.dispatch import Interrupted
from heliumql.physical.failure import failure
from heliumql.physical.loops import Loops
from heliumql.physical.output import Column, Void, mentions, resolved
from heliumql.physical.snapshot import batches_of
from heliumql.physical.together import Together
from heliumql.trace import span

_ROWS_AHEAD = 32_768  # that are read before the first call is sent
_FIRST_ROWS = 16  # of the first batch; each later one has twice as many, up to the setting
_BLOCK = 1 << 16  # calls that a cut waits for in one pass; a join may have any number of pairs
_LONGEST = 4_000_000  # characters; an inspection repeats what it inspects, so nests may explode


class Passes:
    """One query, evaluated in passes, maybe together with others. Iterate `batches()` once."""

    def __init__(
        self,
        context: Context,
        bound: Bound,
        names: tuple[str, ...],
        together: Together | None = None,
    ) -> None:
        self.context = context
        self.bound = bound
        self.names = names
        self.passes = 0
        self.account = Account(
            frozenset(context.sites),
            Budget(context.limits),
            timed=context.timed,
            track=context.track,
        )
        self.together = together or Together(context)
        self.references = self.together.references
        self.graph = self.together.graph
        self.dispatcher = self.together.dispatcher
        self.together.join(self, context.sites)
        self._copies = Copies(self.references) if SHARE in context.off else None
        self.number = functions.enter(self)
        self._cuts: dict[int, dict[bytes, int]] = {}  # what each cut waits for: how many rows
        self._maybe: dict[bytes, None] = {}  # calls that rows held back may need
        self._fault: BaseException | None = None
        self._lock = threading.Lock()
        self._once: list[str] = []  # temporary tables
        self._again = False  # rows have asked for their calls before
        self._waits: Callable[[], bool] | None = None  # the next pass may begin
        self._waited: frozenset[bytes] = frozenset()  # for what the last one held back
        self._certain: SpilledBatches | None = None  # the rows of a pass that held nothing back
        self._error: Exception | None = None  # what ended the evaluation

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
        self.counting = Counting(carried)
        self._loops = Loops(carried.node, self.context.limits.calls)
        self._limits = {limit.cut for limit in carried.limits}
        self.columns = tuple(
            Column(n, t, s)
            for n, t, s in zip(self.names, self.bound.types, carried.shapes, strict=True)
        )
        try:
            self.sql = printed(self.context.connection, carried.node)
            if len(self.sql) > _LONGEST:
                raise Unsupported("inspections nested too deeply")
            # As JSON: DuckDB takes seconds to draw the tree of a large plan.
            self.context.connection.execute("EXPLAIN (FORMAT json) " + self.sql).fetchall()
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
        endless = self._loops.turn(site)
        if endless is not None:
            self.dispatcher.fail(self.account, endless, running=False)
            raise endless
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
        if self._copies is not None:
            identities = self._copies.named(identities)
        known, text = graph.known, graph.text
        fresh = [None if i in known else i for i in identities] if known else identities
        graph.minted.add(site, fresh, prompts, some_systems, some_histories)
        if self.context.sites[site].cache == "refresh":
            graph.asked_anew.update(i for i in identities if i is not None)
        if self.together.several and self.context.sites[site].on_error == "fail":
            self._expect(site, identities)
        if known:
            values = [None if i is None else text(i, path) for i in identities]
        else:
            before, after = self.references.prefix, path + "\ue001"
            values = [None if i is None else f"{before}{i.hex()}{after}" for i in identities]
        return pa.array(values, pa.string())

    def _expect(self, site: int, identities: list[bytes | None]) -> None:
        """Calls that must not fail, whichever statement runs them, or has run them."""
        for identity in filter(None, identities):
            self.account.strict[identity] = site
            answer = self.graph.known.get(identity)
            if answer is not None and answer.error is not None:
                self.dispatcher.landing.failed(
                    self.account, identity, self.context.sites[site], answer.error
                )

    def ready(self, cut: int, texts: pa.Array) -> pa.Array:
        """True where the text holds no reference; what the others wait for is noted.

        No more than a block of calls, though: the others come in a later pass, and their messages
        need not be kept until then.
        """
        waiting = pc.match_substring(texts, self.references.nonce)
        if not pc.any(waiting).as_py():
            return pa.array([True] * len(texts), pa.bool_())
        flags = pc.fill_null(waiting, False)
        with self._lock:
            noted = self._cuts.setdefault(cut, {})
            full = len(noted) >= _BLOCK
            for text in texts.filter(flags).to_pylist():
                for identity in self.references.identities(text):
                    if not full or identity in noted:
                        noted[identity] = noted.get(identity, 0) + 1
                    elif not any(identity in calls for calls in self._cuts.values()):
                        self.graph.forget(identity)
        return pc.invert(flags)

    def enough(self, limit: int, rows: pa.Array, places: pa.Array, outcomes: pa.Array) -> pa.Array:
        """Which rows are accepted, and notes them for an early limit."""
        with self._lock:
            return self.counting.enough(limit, rows, places, outcomes)

    def tested(self, predicate: int, conditions: pa.Array) -> pa.Array:
        """The conditions; how many rows a predicate lets through is noted."""
        with self._lock:
            return self.counting.tested(predicate, conditions)

    def maybe(self, texts: pa.Array) -> None:
        """Notes calls that rows held back may need."""
        with self._lock:
            for text in texts.to_pylist():
                if text is not None and self.references.nonce in text:
                    self._maybe |= dict.fromkeys(self.references.identities(text))

    # evaluation ---------------------------------------------------------------------------

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, in order, as the answers come in."""
        try:
            with span(self.context.track, "run", how="passes"):
                yield from self._read_batches()
        finally:
            self.close()

    def _read_batches(self) -> Iterator[pa.RecordBatch]:
        self.together.read()
        shown: list[pa.RecordBatch] = []
        for batch in self._rows():
            if self.context.verify:
                shown.append(batch)
            yield batch
        if self.context.verify:
            self._verify(shown)

    def _rows(self) -> Iterator[pa.RecordBatch]:
        done = snapshot = 0  # rows that went out, and the data that they were read from
        while True:
            drained = self._when_certain()
            if done and self.together.snapshots != snapshot:
                raise ExecutionError(
                    "the rows cannot be read on: an error in a query beside this one has ended the "
                    "transaction that they were read in",
                    hint="run the query again; its answers are kept",
                )
            snapshot = self.together.snapshots
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
        needed = mentions(batch, self.columns, self.references)
        self.together.run_until(self._settled(needed), self)
        return self._with_answers(batch)

    def _settled(self, identities: Iterable[bytes]) -> Callable[[], bool]:
        """Whether all of these calls are settled, as a question to be asked again and again."""
        left = iter(identities)
        current = next(left, None)

        def settled() -> bool:
            nonlocal current
            while current is not None and self.graph.settled(current):
                current = next(left, None)
            return current is None

        return settled

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

    def _when_certain(self) -> SpilledBatches:
        """Passes until no cut holds anything back; the rows of the last one, unanswered."""
        if self._again:  # the rows are asked for once more
            self._waits = None
        self.together.run_until(lambda: self._certain is not None or self._error is not None, self)
        if self._error is not None:
            raise self._error
        assert self._certain is not None
        drained, self._certain = self._certain, None
        self._again, self._waits = True, lambda: False  # not before rows are asked for again
        return drained

    def go_on(self) -> bool:
        """Evaluates the next pass, if one is wanted and its calls have answers."""
        if self._certain is not None or self._error is not None or self.account.failure is not None:
            return False
        if self._waits is not None and not self._waits():
            return False
        try:
            self._certain = self._drain(again=self._again)
            if self._certain is None and self.account.failure is None:
                self._wait_for_cuts()
        except Interrupted:
            self.together.failed()
            raise
        except Exception as error:  # whoever reads these rows is told, the others go on
            self._error = error
            self.together.failed()
        return True

    def _wait_for_cuts(self) -> None:
        """Runs the calls that the cuts of the lowest level wait for, or lets limits see more."""
        short = self.counting.short()
        lowest = min(
            [*(self.carried.cuts[c].level for c in self._cuts), *(limit.level for limit in short)]
        )
        noted = [
            identity
            for number, calls in sorted(self._cuts.items())
            if self.carried.cuts[number].level == lowest
            for identity, rows in self._in_order(number, calls)
            for _ in range(rows)
        ]
        if not noted:
            self.counting.grow([limit for limit in short if limit.level == lowest])
            self._waits, self._waited = None, frozenset()
            return
        awaited = frozenset(noted)
        if awaited == self._waited:
            raise InternalError("a pass that does not get any further")
        self._waited = awaited
        if self._limits.intersection(self._cuts):
            # What is stored first: it may be that LIMIT needs no more than was asked before.
            noted = self.graph.stored_of(noted) or noted
        self.graph.demand(noted, self.account, again=self._again)
        if not self.context.limits.any:
            self.graph.offer(self._maybe, self.account)
        self._waits = self._settled(dict.fromkeys(noted))

    def _in_order(self, cut: int, calls: Mapping[bytes, int]) -> Iterable[tuple[bytes, int]]:
        """The calls of a cut as its rows come; pairs of a join by what they say.

        A join gives its pairs in any order; beside each other those that begin alike are found in
        the engine's prefix cache.
        """
        if not self.carried.cuts[cut].pairs:
            return calls.items()
        prompt = {i: self.graph.minted.messages(i).prompt for i in calls if i in self.graph.minted}
        return sorted(calls.items(), key=lambda item: prompt.get(item[0], ""))

    def _drain(self, *, again: bool) -> SpilledBatches | None:
        """One pass. Its rows, their calls on the way; None where a cut held rows back."""
        self.passes += 1
        self._cuts.clear()
        self._maybe.clear()
        self.graph.offer((), self.account)
        self.counting.begin()
        self._loops.begin()
        if self._copies is not None:
            self._copies.begin()
        self._fault = None
        drained = SpilledBatches(self.context.window_bytes)
        try:
            with (
                span(self.context.track, f"pass {self.passes}"),
                self.context.one_thread.during(self.context.connection),
            ):
                self._read(drained, again=again)
        except duckdb.Error as error:
            drained.clear()
            if self.account.failure is not None:  # whoever waits for the rows is told
                self.together.failed()
                return None
            if self._fault is not None:
                raise self._fault from None
            if self.context.interrupted.is_set():
                raise Interrupted from None
            if not self._cuts and not self.counting.short():
                raise failure(error) from error
            # Above a cut DuckDB saw only some of the rows: not the user's error.
            self.together.begin_again()
            return None
        if self.account.failure is not None:
            drained.clear()
            return None
        for cut in self.counting.needless_cuts():
            self._cuts.pop(cut, None)
        if self._cuts or self.counting.short():
            drained.clear()
            return None
        self.account.names_no_more = True
        if not again:
            self.counting.note(self.context.learnt.note_predicate)
        if self.carried.cuts:
            for number in range(len(drained)):
                needed = mentions(drained[number], self.columns, self.references)
                self.graph.demand(needed, self.account, again=again)
        return drained

    def _read(self, drained: SpilledBatches, *, again: bool) -> None:
        """Evaluates; where nothing can be held back, calls are on their way before all is read.

        Not with the first rows, though: what is planned together is ordered together, and how many
        rows that are must not depend on anybody's speed.
        """
        sql, rows = self.sql, 0
        if self.counting.limits:
            sql = printed(self.context.connection, self.counting.query())
        with closing(batches_of(self.context.connection.sql(sql), 2048)) as batches:
            for batch in batches:
                if self._cuts.keys() - self._limits:
                    drained.clear()  # only what the cuts wait for matters now
                    continue
                drained.append(batch)
                if not self.carried.cuts:
                    needed = mentions(batch, self.columns, self.references)
                    self.graph.demand(needed, self.account, again=again)
                rows += batch.num_rows
                if rows >= _ROWS_AHEAD:
                    self.dispatcher.pump()
                    if self.account.failure is not None:
                        return  # whoever waits for the rows is told

    def _verify(self, shown: list[pa.RecordBatch]) -> None:
        """Evaluates once more with every answer known, and compares."""
        drained = self._when_certain()
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
        functions.leave(self.number)
        self.together.leave(self, self._once)
        self._once = []
        if self._certain is not None:
            self._certain.clear()
