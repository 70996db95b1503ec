"""Connections: statements in, relations out; the public face of HeliumQL in Python.

`Statements` runs what it is given, `Evaluations` holds what is being evaluated.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import duckdb

from heliumql import frames, syntax
from heliumql.binder.mistakes import closed
from heliumql.binder.parameters import Parameters, check
from heliumql.catalog import Catalog, Entry, Model, Settings
from heliumql.errors import BindError, ExecutionError, HeliumQLError
from heliumql.physical import functions
from heliumql.relations.composed import written
from heliumql.relations.registered import registered, unregistered
from heliumql.relations.relation import Relation, explain_format
from heliumql.session import Session
from heliumql.shared import Shared, shared_by
from heliumql.source import joined
from heliumql.statements.evaluations import Evaluations
from heliumql.statements.groups import Group
from heliumql.statements.sequences import run_in_order, run_together
from heliumql.statements.statements import Parsed, Statements
from heliumql.statements.unfetched import Unfetched
from heliumql.stats import Progress, Stats
from heliumql.syntax import Statement
from heliumql.trace import Trace

if TYPE_CHECKING:
    from heliumql.engines.engine import Engine
    from heliumql.explain import Estimate
    from heliumql.relations.asynchronous import AsyncRelation, Worker

__all__ = ["Connection", "Parsed"]


class Connection:
    """A connection to a database, as duckdb's, that understands HQL.

    >>> import heliumql
    >>> con = heliumql.connect()
    >>> con.execute("SELECT 40 + ?", [2]).fetchall()
    [(42,)]
    >>> con.close()
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        *,
        owns: bool,
        shared: Shared | None = None,
    ) -> None:
        self.duckdb = connection
        file = _file(connection)
        self._place = ":memory:" if file is None else str(file)
        number = functions.register(connection)
        is_cursor = shared is not None
        shared = shared or shared_by(number, _sidecar(file))
        self._session = Session(connection, shared, Catalog())
        if shared.cache_path:
            path = shared.cache_path
            self._session.settings = self._session.settings.with_value("llm_cache_path", path)
        self._evaluations = Evaluations(self._session, number, owns=owns, is_cursor=is_cursor)
        self._worker: Worker | None = None  # of statements that an event loop waits for
        self._statements = Statements(self._session, self._evaluations)
        self._statements.restore()

    @property
    def last_stats(self) -> Stats | None:
        """What the last statement did."""
        return self._evaluations.last_stats

    @last_stats.setter
    def last_stats(self, stats: Stats | None) -> None:
        self._evaluations.last_stats = stats

    @property
    def total_stats(self) -> Stats:
        """What all statements so far did."""
        return self._evaluations.total_stats

    @property
    def progress(self) -> Callable[[Progress], None] | None:
        """Called now and then with how far the running statement is."""
        return self._session.progress

    @progress.setter
    def progress(self, show: Callable[[Progress], None] | None) -> None:
        self._session.progress = show

    @contextmanager
    def trace(self, path: str | Path) -> Iterator[None]:
        """Writes what runs in the body do to a file, as Chrome trace events (heliumql.trace).

        ui.perfetto.dev and chrome://tracing open it. It is complete however the body ends.
        Raises ExecutionError where the file cannot be written.

        >>> import heliumql
        >>> with heliumql.connect() as con, con.trace("/dev/null"):
        ...     _ = con.execute("CREATE MODEL m WITH (engine = 'simulated')")
        ...     con.sql("SELECT LLM_GENERATE('Say hello to Ada') AS greeting").columns
        ['greeting']
        """
        if self._session.trace is not None:
            raise ExecutionError("a trace of this connection is being written already")
        try:
            file = open(path, "w", encoding="utf-8")  # noqa: SIM115
        except OSError as error:
            raise ExecutionError(f"cannot write {path}: {error.strerror}") from None
        with file:
            trace = self._session.trace = Trace(file)
            try:
                yield
            finally:
                self._session.trace = None
                trace.close()

    @property
    def catalog(self) -> Catalog:
        """The models, prompts, views and macros with calls that there are; to be read only."""
        return self._session.catalog

    @property
    def settings(self) -> Settings:
        """The values of `SET llm_..`; `set` changes them."""
        return self._session.settings

    @property
    def shared(self) -> Shared:
        """What the connections of this database have in common: engines, answers."""
        return self._session.shared

    # parsed statements --------------------------------------------------------------------

    def statements(self, text: str, name: str | None = None) -> tuple[Parsed, ...]:
        """The statements of a text; errors in one of them will show this text."""
        return self._statements.parsed(text, name)

    def run(
        self, parsed: Parsed, parameters: Parameters = None, group: Group | None = None
    ) -> Relation | None:
        """Runs one statement; the rows of a query are evaluated when they are read.

        Those of a query with calls together with those of the others in the group.
        """
        return self._statements.run(parsed, parameters, group)

    def evaluated(self, relation: Relation) -> Relation:
        """The relation with its rows, read now; from then on it needs no connection."""
        return self._evaluations.evaluated(relation)

    def run_all(
        self, statements: Sequence[tuple[Parsed, Parameters]]
    ) -> Iterator[tuple[Parsed, Relation | None]]:
        """Runs statements in order, each when it is asked for; a mistake stops at its statement.

        Queries with calls between which nothing changes are evaluated together.
        """
        return run_in_order(self._statements, statements)

    # texts --------------------------------------------------------------------------------

    def sql(
        self, text: str, params: Parameters = None, *, dialect: str | None = None
    ) -> Relation | None:
        """The relation of the last statement of the text; those before it are run.

        Of another SQL than HQL if `dialect` says so (heliumql.dialects.DIALECTS): BindError at
        what does not mean the same here.
        """
        check(params)
        result: Relation | None = None
        if dialect is not None:
            from heliumql.dialects import translated  # it takes a while

            text = translated(text, dialect)
        for parsed in self.statements(text):
            if result is not None:
                result.fetchall()
            result = self.run(parsed, params)
        return result

    async def sql_async(
        self, text: str, params: Parameters = None, *, dialect: str | None = None
    ) -> AsyncRelation:
        """As `sql`, for programs with an event loop, which stays free while statements run.

        The relation is read with `async for` (Arrow batches) or `await relation.arrow()` and the
        like; it has no rows where `sql` gives none. Statements of one connection run one after
        the other; those of its cursors at once, and equal calls of them run once. A task that is
        cancelled stops its statement; answers that came are kept.

        >>> import asyncio, heliumql
        >>> async def main():
        ...     async with heliumql.connect() as con:
        ...         greeting = await con.sql_async("SELECT 'Hello' AS greeting")
        ...         print(await greeting.fetchall())
        >>> asyncio.run(main())
        [('Hello',)]
        """
        self._evaluations.check_open()
        worker = self._worker
        if worker is None:
            from heliumql.relations.asynchronous import Worker  # asyncio takes a while

            listen = self._session.interrupted.clear
            worker = self._worker = Worker(self._evaluations.interrupt, listen)

        names = frames.seen(text)

        def relation() -> AsyncRelation:
            from heliumql.relations.asynchronous import AsyncRelation

            with frames.using(names):
                result = self.sql(text, params, dialect=dialect)
            return AsyncRelation(result or self._evaluations.held(("Success",), []), worker)

        return await worker.run(relation)

    def estimate(self, text: str | Parsed, params: Parameters = None) -> Estimate:
        """What one statement is expected to cost: calls, tokens, money, budgets it would exceed.

        It is planned and looked at, never run: no model is asked and nothing is written. Of a
        statement that changes something it is the part that asks models.
        """
        if isinstance(text, Parsed):
            return self._statements.estimate(text, params)
        parsed = self.statements(text)
        if len(parsed) != 1:
            raise BindError(f"estimate takes one statement; this text has {len(parsed)}")
        return self._statements.estimate(parsed[0], params)

    def explain(
        self, text: str, params: Parameters = None, *, format: str = "text", analyze: bool = False
    ) -> str:
        """EXPLAIN of one statement, as text, json, html or mermaid; no model is asked.

        `analyze`: EXPLAIN ANALYZE, which runs the statement and says what happened.

        >>> import heliumql
        >>> con = heliumql.connect()
        >>> _ = con.execute("CREATE MODEL m WITH (engine = 'simulated')")
        >>> plan = con.explain("SELECT LLM_GENERATE('Say hello')")
        >>> "LLM_GENERATE" in plan
        True
        """
        options = ("ANALYZE, " if analyze else "") + f"FORMAT {explain_format(format)}"
        parsed = self._statements.parsed(joined(f"EXPLAIN ({options}) ", written(text)))
        if len(parsed) != 1:
            raise BindError(f"explain takes one statement; this text has {len(parsed)}")
        relation = self._statements.run(parsed[0], params)
        assert relation is not None
        return str(relation.fetchall()[0][1])

    def holds_calls(self, parsed: Parsed) -> bool:
        """A plain statement names a view, macro or prompt with calls, made since it was parsed."""
        return self._statements.names_calls(parsed.statement.text)

    @property
    def is_read_only(self) -> bool:
        """Nothing can be written to the database."""
        query = "SELECT readonly FROM duckdb_databases() WHERE database_name = current_database()"
        return bool(self.duckdb.execute(query).fetchall()[0][0])

    def sql_many(self, texts: Sequence[str], params: Parameters = None) -> list[Relation]:
        """The relations of several queries that are evaluated together, one a text.

        Evaluation begins when the first rows of any of them are read. Equal calls of all of them
        are one, and calls of each run while the rows of others are read. Statements that change
        something are run at once, and have no rows.
        """
        parsed: list[Parsed] = []
        for text in texts:
            found = self.statements(text)
            if len(found) != 1:
                raise BindError(
                    f"sql_many takes one statement in each text; one has {len(found)}",
                    hint="sql takes a text of several statements",
                )
            parsed += found
        given = [
            (p, self._taken(p.statement, params) if isinstance(params, Mapping) else params)
            for p in parsed
        ]
        relations = run_together(self._statements, given)
        return [r or self._evaluations.held(("Success",), []) for r in relations]

    def execute(self, text: str | Parsed, params: Parameters = None) -> Connection:
        """Runs the text; rows of its last statement are fetched from the connection.

        >>> import heliumql
        >>> con = heliumql.connect()
        >>> con.execute("CREATE TABLE t AS SELECT 42 AS answer; FROM t").fetchone()
        (42,)
        """
        check(params)
        self._evaluations.result = None
        statements = (text,) if isinstance(text, Parsed) else self.statements(text)
        for number, parsed in enumerate(statements):
            if isinstance(self.result, Relation):
                self.result.fetchall()
            last = number == len(statements) - 1
            plain = self._plain(parsed)
            if plain is not None:
                self._evaluations.begin()
                given, names = params if last else None, frames.seen(plain)
                try:
                    self._evaluations.result = frames.execute(self.duckdb, plain, given, names)
                except duckdb.ConnectionException as error:
                    raise closed(error) from None
            else:
                self._evaluations.result = self.run(parsed, params if last else None)
        return self

    def executemany(self, text: str | Parsed, rows: Sequence[Parameters]) -> Connection:
        """Runs one statement once for each of the parameters.

        With calls in it that is one call after the other: `register` the values instead, and ask
        about all of them in one statement.
        """
        for parsed in (text,) if isinstance(text, Parsed) else self.statements(text):
            plain = self._plain(parsed)
            if plain is not None and rows:
                self._evaluations.begin()
                self._evaluations.result = self.duckdb.executemany(plain, list(rows))
                continue
            for params in rows:
                self.execute(parsed, params)
        return self

    def _plain(self, parsed: Parsed) -> str | None:
        """The text that DuckDB runs; None of a statement that is not for it alone."""
        try:
            statement = self._statements.with_settings(parsed.statement)
        except HeliumQLError as error:
            raise error.with_source(parsed.source) from None
        if isinstance(statement, syntax.Sql) and not self._statements.names_calls(statement.text):
            return statement.text
        return None

    @property
    def result(self) -> Relation | Unfetched | duckdb.DuckDBPyConnection | None:
        """What `execute` left to be fetched."""
        return self._evaluations.result

    @property
    def rowcount(self) -> int:
        """How many rows the last statement of `execute` changed; -1 where it was a query."""
        if isinstance(self.result, duckdb.DuckDBPyConnection | Unfetched):
            return self.result.rowcount
        return self._evaluations.changed

    def before_writing(self, call: Callable[[], None]) -> None:
        """Has this called when rows with answers are there and are going to be written."""
        self._evaluations.before_writing = call

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows of `execute` that have not been fetched yet."""
        return [] if self.result is None else list(self.result.fetchall())

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        """The next rows of `execute`, at most `size`."""
        return [] if self.result is None else list(self.result.fetchmany(size))

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row of `execute`, or None."""
        return None if self.result is None else self.result.fetchone()

    @property
    def description(self) -> list[tuple[Any, ...]] | None:
        """Name and type of each column, as in DB-API."""
        if isinstance(self.result, Relation):
            return [(f.name, str(f.type), *[None] * 5) for f in self.result.schema]
        return None if self.result is None else self.result.description

    def register(self, name: str, data: object) -> Connection:
        """Makes Python data a table of this session: a copy, instead of an earlier one of the name.

        Takes a relation, an Arrow table, a pandas or polars frame, whatever has the Arrow
        PyCapsule interface, a mapping of columns, a list of mappings. A stream is read once.
        Raises BindError where the data are no table.

        >>> import heliumql
        >>> con = heliumql.connect()
        >>> con.register("people", [{"name": "Ada"}, {"name": "Grace", "born": 1906}])
        <heliumql connection to :memory:>
        >>> con.execute("SELECT * FROM people ORDER BY name").fetchall()
        [('Ada', None), ('Grace', 1906)]
        """
        self._evaluations.begin()
        registered(self.duckdb, name, data)
        return self

    def unregister(self, name: str) -> Connection:
        """Drops a table that `register` made. Raises BindError where there is none."""
        self._evaluations.begin()
        unregistered(self.duckdb, name)
        return self

    def register_model(self, name: str, engine: Engine, **options: object) -> Connection:
        """Makes an engine of your own (heliumql.engines.engine.Engine) a model of this session.

        `options` may hold sampling defaults (max_tokens, temperature ..), as in CREATE MODEL, and
        `model`, a name under which answers of earlier sessions are used again; without it each
        registered engine is asked anew. Raises CatalogError where one cannot be what it is.
        """
        from heliumql.engines.options import check_keys, check_values

        check_keys("python", options)
        check_values(options)
        # Answers outlive the process, so what names them must not come again in another one.
        named = {"engine": "python", "model": f"{name}-{uuid.uuid4().hex}"}
        model = Model(name, {**named, **options})
        catalog = self._session.catalog
        catalog.models[name.lower()] = model
        catalog.entries[("model", name.lower())] = Entry("model", name, "", temp=True)
        self._session.shared.keep(model, engine)
        return self

    def calibrate(self, model: str | None = None) -> None:
        """Measures how fast the engine of a model is, with calls of random text, in a few seconds.

        Schedules and EXPLAIN's seconds rest on it from then on; it is kept beside the answers.
        Runs measure too, so this is for having it right from the first one. `model`: the one of
        calls that name none, if None. Raises CatalogError where the model does not exist or its
        engine does not measure, EngineError where it cannot be started.
        """
        self._evaluations.check_open()
        self.shared.calibrate(self._session.model(model))

    def warm(self, model: str | None = None) -> None:
        """Starts the engine of a model, so that its first call need not wait for it.

        `model`: the one of calls that name none, if None. Raises CatalogError where it does not
        exist, EngineError where it cannot be started.
        """
        self._evaluations.check_open()
        self.shared.warm(self._session.model(model))

    def run_file(self, path: str | Path, params: Mapping[str, Any] | None = None) -> list[Relation]:
        """Runs the statements of a file in order; the results of its queries, evaluated."""
        results = []
        statements = self.statements(Path(path).read_text("utf-8"), str(path))
        for parsed, relation in self.run_all(
            [(p, self._taken(p.statement, params)) for p in statements]
        ):
            if relation is None:
                continue
            rows = self._evaluations.evaluated(relation)
            says = relation.columns in (["Count"], ["Success"])
            if not says or syntax.shell(parsed.statement.text).kind == "select":
                results.append(rows)  # else what DuckDB says of a change
        return results

    def _taken(self, statement: Statement, params: Mapping[str, Any] | None) -> Parameters:
        """Those of the parameters that the statement names; DuckDB refuses others."""
        if not params:
            return None
        names = set(re.findall(r"\$(\w+)", statement.text))
        return {k: v for k, v in params.items() if k in names} or None

    def set(self, name: str, value: object) -> None:
        """`SET llm_..` from Python."""
        self._statements.set(name, value)

    def cursor(self) -> Connection:
        """Another connection to the same database; engines and answers are shared."""
        self._evaluations.check_open()
        twin = Connection(self.duckdb.cursor(), owns=True, shared=self._session.shared)
        twin._statements.take_over(self._session)
        return twin

    def interrupt(self) -> None:
        """Stops the running statement; its calls are aborted, answers that came are kept."""
        self._evaluations.interrupt()

    def close(self) -> None:
        """Leaves no process and no thread behind. Idempotent."""
        if self._worker is not None:
            self._worker.close()
        self._evaluations.close()

    def __repr__(self) -> str:
        return f"<heliumql connection to {self._place}>"

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Connection:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        import asyncio

        await asyncio.to_thread(self.close)  # engines may take a moment to end


def _file(connection: duckdb.DuckDBPyConnection) -> Path | None:
    """The file of a database, if it has one here."""
    query = "SELECT path FROM duckdb_databases() WHERE database_name = current_database()"
    row = connection.execute(query).fetchone()
    if row is None or row[0] is None or not Path(row[0]).is_file():
        return None  # in memory, or on a server
    return Path(row[0]).resolve()


def _sidecar(file: Path | None) -> Path | None:
    """Where the answers of a database are kept: beside its file."""
    return None if file is None else file.with_name(file.name + ".answers")
