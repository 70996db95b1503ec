"""Connections: statements in, relations out; the public face of HeliumQL in Python.

`Executing` is its part with `execute` and fetching, `Observing` the one with stats, progress and
traces. `Statements` runs what it is given, `Evaluations` holds what is being evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from heliumql import frames
from heliumql.binder.parameters import Parameters, check
from heliumql.catalog import Catalog, Settings
from heliumql.errors import ExecutionError
from heliumql.files import hint_for_missing
from heliumql.physical import functions
from heliumql.relations.composed import written
from heliumql.relations.registered import registered, unregistered
from heliumql.relations.relation import Relation
from heliumql.session import Session
from heliumql.shared import Shared, file_of, shared_by
from heliumql.source import Source
from heliumql.statements.evaluations import Evaluations
from heliumql.statements.executing import Executing
from heliumql.statements.groups import Group
from heliumql.statements.mistakes import told_how_to_give_values
from heliumql.statements.observing import Observing
from heliumql.statements.parsed import Parsed
from heliumql.statements.sequences import (
    parsed_each,
    run_for_rows,
    run_in_order,
    run_together,
    with_parameters,
)
from heliumql.statements.statements import Statements

if TYPE_CHECKING:
    from heliumql.engines.engine import Engine
    from heliumql.explain import Estimate
    from heliumql.relations.asynchronous import AsyncRelation, Worker
    from heliumql.statements.standins import StandIn

__all__ = ["Connection", "Parsed"]


class Connection(Executing, Observing):
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
        file = file_of(connection)
        self._place = ":memory:" if file is None else str(file)
        number = functions.register(connection)
        is_cursor = shared is not None
        shared = shared or shared_by(number, file)
        self._session = Session(connection, shared, Catalog())
        if shared.cache_path:
            path = shared.cache_path
            self._session.settings = self._session.settings.with_value("llm_cache_path", path)
        self._evaluations = Evaluations(self._session, number, owns=owns, is_cursor=is_cursor)
        self._worker: Worker | None = None  # of statements that an event loop waits for
        self._statements = Statements(self._session, self._evaluations)
        self._statements.restore()

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

    def statements(self, text: str | Source, name: str | None = None) -> tuple[Parsed, ...]:
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
        with told_how_to_give_values():
            for parsed, given in with_parameters(self.statements(text), params):
                if result is not None:
                    result.fetchall()
                result = self.run(parsed, given)
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
        parsed = text if isinstance(text, Parsed) else self._statements.one(text, "estimate")
        return self._statements.estimate(parsed, params)

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
        return self._statements.explained(written(text), params, format, analyze=analyze)

    def stand_in(self, parsed: Parsed, params: Parameters = None) -> StandIn | None:
        """A temporary table for the one that CREATE TABLE AS with calls would make; asks no model.

        It has the same columns, and the rows as far as they can be told without answers: values
        that are not remembered are NULL. None where it is not needed, or cannot be made.
        """
        return self._statements.stand_in(parsed, params)

    def read_again(self, parsed: Parsed) -> Parsed:
        """The statement as it is read now: names in it may have come to hold calls since."""
        return self._statements.read_again(parsed)

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
        relations = run_together(self._statements, parsed_each(self._statements, texts, params))
        return [r or self._evaluations.held(("Success",), []) for r in relations]

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
        self._statements.register_model(name, engine, options)
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
        """Runs the statements of a file in order; the results of its queries, evaluated.

        Raises ExecutionError where the file cannot be read.
        """
        try:
            text = Path(path).read_text("utf-8")
        except UnicodeDecodeError:
            raise ExecutionError(f"{path} is not UTF-8 text") from None
        except OSError as error:
            hint = None if Path(path).exists() else hint_for_missing(str(path))
            raise ExecutionError(f"cannot read {path}: {error.strerror}", hint=hint) from None
        statements = self.statements(text, str(path))
        with told_how_to_give_values():
            given = with_parameters(statements, params)
            return run_for_rows(self._statements, given, self.evaluated)

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

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Connection:
        return self

    async def __aexit__(self, *_: object) -> None:
        import asyncio

        await asyncio.to_thread(self.close)  # engines may take a moment to end
