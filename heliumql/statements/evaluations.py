"""Evaluations: what is being evaluated on one connection, and what it cost.

One evaluation is open at a time, or one group; before another begins it is read to its end.
`Statements` makes queries with calls relations here and runs what changes something; `Connection`
stops what is open and closes all.
"""

from __future__ import annotations

import atexit
import gc
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from heliumql import frames, syntax
from heliumql.binder.copied import drop
from heliumql.binder.mistakes import without_excerpt
from heliumql.binder.parameters import Parameters
from heliumql.errors import ExecutionError
from heliumql.physical import functions
from heliumql.physical.snapshot import in_transaction
from heliumql.relations.plain import PlainRun
from heliumql.relations.preview import Preview
from heliumql.relations.relation import Relation
from heliumql.source import Source
from heliumql.statements.groups import Group, Member
from heliumql.statements.runs import CallRun, HeldRows
from heliumql.statements.unfetched import Unfetched
from heliumql.stats import Stats
from heliumql.syntax.literals import quoted_name

if TYPE_CHECKING:
    from heliumql.physical.each import EachCall
    from heliumql.physical.passes import Passes
    from heliumql.physical.together import Together
    from heliumql.planning.planned import Planned
    from heliumql.session import Session

_RESULT = "__hql_result"

_open_connections: weakref.WeakSet[Evaluations] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """Leaving the program without close() leaves no process and no noise behind either."""
    for evaluations in list(_open_connections):
        evaluations.close()


class Evaluations:
    """What is evaluated on one connection until it is closed. Relations keep it alive."""

    def __init__(
        self, session: Session, database: int, *, owns: bool, is_cursor: bool = False
    ) -> None:
        """`database`: its number. `owns`: DuckDB's connection is closed with it."""
        self.last_stats: Stats | None = None
        self.total_stats = Stats()  # of all statements so far
        self.last_run: CallRun | None = None
        self.result: Relation | Unfetched | duckdb.DuckDBPyConnection | None = None  # of `execute`
        self.changed = -1  # rows, by the last statement with calls
        self.before_writing: Callable[[], None] = lambda: None
        self._session = session
        self._duckdb = session.duckdb
        self._owns = owns
        self._is_cursor = is_cursor
        self._database = database
        self._began_inside = in_transaction(session.duckdb)  # a rollback takes our functions away
        self._closed = False
        self._open: CallRun | Group | PlainRun | None = None
        session.shared.users.add(self)
        _open_connections.add(self)

    # queries and changes with calls -------------------------------------------------------

    def query(
        self,
        text: str,
        parameters: Parameters,
        offset: int,
        source: Source | None,
        group: Group | None,
    ) -> Relation:
        """A query with calls, planned; evaluated when rows are read, with others of its group."""
        from heliumql.physical.output import schema_of
        from heliumql.physical.passes import Passes

        started = time.monotonic()
        names = frames.current()
        planned = self._session.planned(text, parameters, offset)
        planning = time.monotonic() - started
        first = [planned]
        member: Member | None = None

        def schema() -> pa.Schema:
            self.check_open()
            return schema_of(self._duckdb, planned.names, planned.types)

        def evaluation(together: Together | None) -> Passes | EachCall:
            with frames.using(names):
                current = first.pop() if first else None
                if current is None or not self._session.is_current(current, parameters):
                    current = self._session.planned(text, parameters, offset, planned.track)
                return self._session.evaluation(current, parameters, together)

        def run() -> CallRun:
            joint = group.run_of(member) if group and member else None
            if joint is not None:
                self._session.interrupted.clear()
                return joint
            self.begin()
            begun = time.monotonic()
            return self._run(evaluation(None), begun - planning, source)

        def joint_run(group: Group, together: Together) -> CallRun | None:
            begun = time.monotonic()
            passes = evaluation(together)
            if not isinstance(passes, Passes):
                return None
            return self._joint_run(passes, begun - planning, source, group)

        def explanation() -> str:
            from heliumql.explain import as_text
            from heliumql.statements.explaining import looked

            self.begin()
            with frames.using(names):
                found = looked(self._session, text, planned, parameters, offset)
            return as_text(found.explanation)

        relation = Relation(
            planned.names,
            schema,
            run,
            self.python_rows(planned.types),
            explanation,
            lambda: planned.types,
        )

        if group is not None and planned.bound is not None and group.takes(planned.sites):
            member = Member(weakref.ref(relation), joint_run)
            group.add(member, planned.sites)
        return relation

    def executed(
        self, planned: Planned, parameters: Parameters, source: Source | None
    ) -> Relation | None:
        """A change that runs call by call."""
        from heliumql.physical.each import EachCall

        evaluation = self._session.evaluation(planned, parameters, writes=True)
        assert isinstance(evaluation, EachCall)
        run = self._run(evaluation, time.monotonic(), source)
        self.before_writing()
        names, rows = run.executed()
        return self._written(names, rows)

    def filled(
        self,
        outer: syntax.Shell,
        planned: Planned,
        parameters: Parameters,
        source: Source | None,
    ) -> Relation | None:
        """INSERT, CREATE TABLE AS, COPY: all rows first, then one statement that writes them."""
        evaluation = self._session.evaluation(planned, parameters, writes=True)
        run = self._run(evaluation, time.monotonic(), source)
        table = pa.Table.from_batches(list(run.batches()))
        table = table.rename_columns([f"c{i}" for i in range(table.num_columns)])
        columns = ", ".join(
            f"CAST(c{i} AS {t}) AS {quoted_name(n)}"
            for i, (n, t) in enumerate(zip(planned.names, planned.types, strict=True))
        )
        self._duckdb.register(_RESULT, table)
        try:
            self.before_writing()
            query = f"(SELECT {columns} FROM {_RESULT})"
            written = self._duckdb.execute(f"{outer.before} {query} {outer.after}")
            columns_back = tuple(c[0] for c in written.description or ())
            rows = written.fetchall()
        except duckdb.Error as error:
            raise ExecutionError(without_excerpt(error)) from None
        finally:
            with suppress(duckdb.Error):  # a failed write has ended the transaction, and says why
                self._duckdb.unregister(_RESULT)
        return self._written(columns_back, rows)

    def _written(self, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> Relation | None:
        """INSERT .. RETURNING has rows of its own; other changes tell how many they wrote."""
        if names != ("Count",):
            return self.held(names, rows)
        self.changed = int(rows[0][0])
        return None

    # rows that are there already ----------------------------------------------------------

    def held(
        self, names: Sequence[str], rows: Sequence[tuple[Any, ...]], stats: Stats | None = None
    ) -> Relation:
        """A small result that is there already."""
        columns = list(zip(*rows, strict=True)) or [()] * len(names)
        table = pa.table([pa.array(list(c)) for c in columns], names=list(names))
        return self._of_table(names, table, stats or Stats(), lambda: "")

    def evaluated(self, relation: Relation) -> Relation:
        """The relation with its rows, read now."""
        table, stats = relation.arrow(), relation.stats
        return self._of_table(relation.columns, table, stats, relation.explain, relation.types)

    def _of_table(
        self,
        names: Sequence[str],
        table: pa.Table,
        stats: Stats,
        explain: Callable[[], str],
        types: Sequence[str] = (),
    ) -> Relation:
        relation = Relation(
            tuple(names),
            lambda: table.schema,
            lambda: HeldRows(table, stats),
            self.python_rows(types),
            explain,
            (lambda: types) if types else None,
        )
        relation.preview = Preview.of(table.to_batches())
        return relation

    def python_rows(self, types: Sequence[str] = ()) -> Callable[[pa.Table], list[tuple[Any, ...]]]:
        """From Arrow to Python, for columns of these types."""
        caster = self._session.shared.caster
        return lambda table: caster.python_rows(table, types)

    # what is open -------------------------------------------------------------------------

    def begin(self) -> None:
        """Before a statement: what an earlier one still reads is read to its end."""
        self.check_open()
        self.changed = -1
        self._session.interrupted.clear()
        # A connection of the caller's may hold rows of his own statements instead.
        if isinstance(self.result, duckdb.DuckDBPyConnection) and self._owns:
            self.result = Unfetched(self.result)
        if self._open is not None:
            self._open.read_ahead()
        if self._began_inside:
            functions.register(self._duckdb, self._database)
            self._began_inside = in_transaction(self._duckdb)
        copies = self._session.copies
        if copies.unused and not in_transaction(self._duckdb):
            drop(self._duckdb, copies, copies.unused)

    def hold(self, run: PlainRun) -> None:
        """Rows of DuckDB's own are being read; they keep the connection."""
        self._open = run

    def let_go(self, run: PlainRun) -> None:
        """They are read."""
        if self._open is run:
            self._open = None

    def begin_group(self, group: Group) -> Together:
        """Before the queries of a group are evaluated."""
        self.begin()
        self._open = group
        return self._session.together()

    def check_open(self) -> None:
        if self._closed:
            raise ExecutionError("the connection is closed")

    def add_stats(self, stats: Stats, *, again: bool = False) -> None:
        """What a statement did; `again`: more of it is known than when it was over."""
        self.last_stats = stats
        if not again:
            self.total_stats += stats

    def sampled(self, stats: Stats) -> Stats:
        """What a statement did of which a sample was to be run: nothing was refused."""
        total = self.total_stats
        left = total.calls_refused - stats.calls_refused
        self.total_stats = replace(total, calls_refused=left)
        self.last_stats = replace(stats, calls_refused=0)
        return self.last_stats

    def _run(self, evaluation: Passes | EachCall, started: float, source: Source | None) -> CallRun:
        if self._open is not None:
            self._open.read_ahead()

        def finished(run: CallRun, again: bool) -> None:
            if self._open is run:
                self._open = None
            self.add_stats(run.stats(), again=again)
            self._session.shared.flush()

        run = CallRun(evaluation, started, finished, source)
        self._open = self.last_run = run
        return run

    def _joint_run(
        self, evaluation: Passes, started: float, source: Source | None, group: Group
    ) -> CallRun:
        def finished(run: CallRun, again: bool) -> None:
            self.add_stats(run.stats(), again=again)
            group.finished()
            if group.is_over:
                if self._open is group:
                    self._open = None
                self._session.shared.flush()

        return CallRun(evaluation, started, finished, source, group.lock)

    def interrupt(self) -> None:
        """Stops the running statement; its calls are aborted, answers that came are kept."""
        self._session.interrupted.set()
        with suppress(duckdb.ConnectionException):  # closed: nothing is running
            self._duckdb.interrupt()

    def close(self) -> None:
        """Ends what is open; the last connection of a database ends what they share. Idempotent."""
        if self._closed:
            return
        self._closed = True
        if self._open is not None:
            self._open.stop(self.interrupt)
        shared = self._session.shared
        shared.users.discard(self)
        if shared.users and not self._is_cursor:
            gc.collect()  # cursors that were dropped: their statements and they hold each other
        if not shared.users:
            shared.close()
        if self._owns:
            self._duckdb.close()
            return
        with suppress(duckdb.Error):  # closed, busy, or in a transaction that was aborted
            drop(self._duckdb, self._session.copies, self._session.copies.tables)
