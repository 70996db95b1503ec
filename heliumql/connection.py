"""Connections: statements in, relations out; the public face of HeliumQL in Python."""

from __future__ import annotations

import atexit
import re
import time
import uuid
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import pyarrow as pa

from heliumql import cache, syntax
from heliumql.binder import VERBS, Parameters, is_users_mistake, misspelt_verb, without_excerpt
from heliumql.catalog import Catalog, Entry, Model, Settings
from heliumql.definitions import Definitions, quoted
from heliumql.engines.engine import Engine
from heliumql.errors import BindError, CatalogError, ExecutionError, HeliumQLError
from heliumql.explain import FIRST_ROWS, Happened, as_text
from heliumql.explaining import look_at, looked, rendered
from heliumql.groups import Group, Member, leaves_all_as_it_is
from heliumql.physical import functions
from heliumql.physical.each import EachCall
from heliumql.physical.output import schema_of
from heliumql.physical.passes import Passes
from heliumql.physical.together import Together
from heliumql.relation import PlainRelation, Relation
from heliumql.runs import CallRun, HeldRows
from heliumql.session import Planned, Session, disabled_rules
from heliumql.shared import Shared
from heliumql.source import Source, Span
from heliumql.stats import Progress, Stats
from heliumql.syntax import Statement

_RESULT = "__hql_result"

_open_connections: weakref.WeakSet[Connection] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """Leaving the program without close() leaves no process and no noise behind either."""
    for connection in list(_open_connections):
        connection.close()


@dataclass(frozen=True)
class Parsed:
    """A statement and the text it stands in, which its errors show."""

    statement: Statement
    source: Source


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
        self.last_stats: Stats | None = None
        self.total_stats = Stats()  # of all statements so far
        self._owns = owns
        self._closed = False
        shared = shared or Shared(_sidecar(connection))
        shared.users += 1
        self._session = Session(connection, shared, Catalog())
        self._definitions = Definitions(self._session)
        self._prepared: dict[str, Statement] = {}
        self._broken: dict[tuple[str, str], HeliumQLError] = {}  # of the catalog, by kind and name
        self._last_run: CallRun | None = None
        self._open: CallRun | Group | None = None
        self._result: Relation | duckdb.DuckDBPyConnection | None = None
        self._source: Source | None = None
        self._group: Group | None = None  # of the statement that is being run
        _open_connections.add(self)
        functions.register(connection)
        self._restore(self._session.catalog.stored(connection))

    @property
    def progress(self) -> Callable[[Progress], None] | None:
        """Called now and then with how far the running statement is."""
        return self._session.progress

    @progress.setter
    def progress(self, show: Callable[[Progress], None] | None) -> None:
        self._session.progress = show

    # statements ---------------------------------------------------------------------------

    def statements(self, text: str, name: str | None = None) -> tuple[Parsed, ...]:
        """The statements of a text; errors in one of them will show this text."""
        source = Source(text, name)
        try:
            found = syntax.parse(text, llm_names=self._llm_names)
        except HeliumQLError as error:
            raise error.with_source(source) from None
        return tuple(Parsed(s, source) for s in found)

    def run(
        self, parsed: Parsed, parameters: Parameters = None, group: Group | None = None
    ) -> Relation | None:
        """Runs one statement; the rows of a query are evaluated when they are read.

        Those of a query with calls together with those of the others in the group.
        """
        self._begin()
        self._source, self._group = parsed.source, group
        try:
            return self._dispatched(parsed.statement, parameters, restoring=False)
        except HeliumQLError as error:
            raise error.with_source(parsed.source) from None
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            raise self._placed(error, parsed, parameters) from error
        finally:
            self._group = None

    def run_all(
        self, statements: Sequence[tuple[Parsed, Parameters]]
    ) -> Iterator[tuple[Parsed, Relation | None]]:
        """Runs statements in order, each when it is asked for; a mistake stops at its statement.

        Queries with calls between which nothing changes are evaluated together.
        """
        ahead: dict[int, Relation | None] = {}
        for number, (parsed, parameters) in enumerate(statements):
            if number not in ahead and self._may_group(parsed.statement):
                ahead = self._planned_ahead(statements, number)
            if number in ahead:
                yield parsed, ahead.pop(number)
            else:
                yield parsed, self.run(parsed, parameters)

    def _planned_ahead(
        self, statements: Sequence[tuple[Parsed, Parameters]], start: int
    ) -> dict[int, Relation | None]:
        """The relations of the queries that form a group with the one at `start`."""
        group, ahead = Group(self._begin_group), dict[int, Relation | None]()
        for number in range(start, len(statements)):
            parsed, parameters = statements[number]
            if not leaves_all_as_it_is(parsed.statement):
                break
            if self._may_group(parsed.statement):
                try:
                    ahead[number] = self.run(parsed, parameters, group)
                except HeliumQLError:  # raised when it is its turn
                    break
        return ahead

    def _placed(
        self, error: duckdb.Error, parsed: Parsed, parameters: Parameters
    ) -> ExecutionError:
        """DuckDB's error about a plain statement, with its place in the text."""
        text, before, message = parsed.statement.text, "EXPLAIN ", str(error)
        if is_users_mistake(error):
            try:  # a relation's error does not say where; binding once more does
                self.duckdb.execute(before + text, parameters).fetchall()
            except duckdb.Error as again:
                message = str(again)
        span = None
        offset = syntax.error_offset(message, before + text)
        if offset is not None:
            carets = max(re.findall(r"\^+", message), key=len, default="^")
            start = parsed.statement.span.start + max(0, offset - len(before))
            span = Span(start, start + len(carets))
        told, hint = without_excerpt(error), None
        if misspelt_verb(told):
            told, hint = told.partition("\n")[0], VERBS
        return ExecutionError(told, span=span, hint=hint, source=parsed.source)

    def _restore(self, entries: Sequence[Entry]) -> None:
        """Makes again for this session what statements made earlier.

        What does not bind, as its table is gone, waits: it must not keep anybody out.
        """
        left = list(entries)
        while left:
            failed = []
            for entry in left:
                key = (entry.kind, entry.name.lower())
                self._session.catalog.entries[key] = entry
                try:
                    statement = syntax.parse(entry.text, llm_names=self._llm_names)[0]
                    self._dispatched(statement, None, restoring=True)
                    self._broken.pop(key, None)
                except HeliumQLError as error:
                    self._broken[key] = error
                    failed.append(entry)
            if len(failed) == len(left):
                return
            left = failed  # it may read one that was made after it

    def _check_broken(self, text: str) -> None:
        """Of what could not be made again the statement names nothing, or it can be made now."""
        named = {w.lower() for w in re.findall(r"\w+", text)} if self._broken else set()
        entries = self._session.catalog.entries
        stale = [k for k in self._broken if k not in entries]
        for key in stale:  # dropped
            del self._broken[key]
        if not any(name in named for _, name in self._broken):
            return
        self._restore([entries[key] for key in self._broken])
        for (kind, name), error in self._broken.items():
            if name in named:
                raise BindError(
                    f"the {kind} {name} cannot be used: {error.message}",
                    hint=f"make what it reads, or CREATE OR REPLACE or DROP the {kind}",
                )

    def _dispatched(
        self, statement: Statement, parameters: Parameters, restoring: bool
    ) -> Relation | None:
        match statement:
            case syntax.Sql():
                again = syntax.parse(statement.text, llm_names=self._llm_names)
                if again and not isinstance(again[0], syntax.Sql):
                    # A name in it has come to hold calls since the file was parsed.
                    moved = replace(again[0], span=statement.span)
                    return self._dispatched(moved, parameters, restoring)
                return self._plain(statement.text, parameters)
            case syntax.LlmSql():
                return self._llm_statement(statement, parameters)
            case syntax.CreateModel():
                self._definitions.create_model(statement, restoring)
            case syntax.CreatePrompt() | syntax.CreateView() | syntax.CreateMacro():
                self._definitions.create_named(statement, restoring)
            case syntax.DropModel() | syntax.DropPrompt() | syntax.DropNamed():
                self._definitions.drop(statement)
            case syntax.SetOption():
                try:
                    self.set(statement.name, statement.value)
                except CatalogError as error:
                    error.span = statement.name_span
                    raise
                except ExecutionError as error:  # there is no such place for answers
                    error.span = statement.value_span
                    raise
            case syntax.ResetOption():
                self._use(self._session.settings.without(statement.name), statement.name)
            case syntax.Show():
                shown = self._definitions.show(statement)
                if shown is None:  # a table of that name goes first
                    return self._plain(statement.text, None)
                return self._rows_relation(*shown)
            case syntax.Describe():
                return self._rows_relation(*self._definitions.describe(statement))
            case syntax.ClearCache():
                count = cache.cleared(statement, self.duckdb, self._session.shared)
                return self._rows_relation(("Count",), [(count,)])
            case syntax.Explain():
                return self._explain(statement, parameters)
            case syntax.Prepare():
                self._prepared[statement.name.lower()] = statement.statement
            case syntax.Execute():
                prepared = self._prepared[statement.name.lower()]
                return self._dispatched(prepared, self._values(statement.arguments), restoring)
            case syntax.Deallocate():
                self._prepared.pop(statement.name.lower(), None)
            case syntax.Profile():
                raise BindError("PROFILE is not available yet", span=statement.span)
            case _:
                raise BindError(f"{statement.text[:20]} is not available yet", span=statement.span)
        return None

    def _plain(self, text: str, parameters: Parameters) -> Relation | None:
        """A statement without LLM parts: DuckDB's, as it was written."""
        self._result = None
        started = time.monotonic()
        relation = self.duckdb.sql(text, params=parameters)
        self._add_stats(Stats(seconds=time.monotonic() - started))
        return None if relation is None else PlainRelation(relation)

    def _llm_statement(self, statement: Statement, parameters: Parameters) -> Relation | None:
        """A statement with calls: a query, or one that changes something."""
        text, offset = statement.text, statement.span.start
        self._check_broken(text)
        outer = syntax.shell(text)
        match outer.kind:
            case "select":
                return self._query(text, parameters, offset)
            case "create_table_as" | "insert" | "copy_to" if outer.query and outer.span:
                around = outer.before + outer.after
                named = parameters is not None and re.search(r"[?$]", around)
                if self._session.settings.optimizer and not named and not self._holds_calls(around):
                    planned = self._session.planned(
                        outer.query, parameters, offset + outer.span.start
                    )
                    if planned.bound is not None:
                        return self._filled(outer, planned, parameters)
        core = syntax.desugar(text, syntax.DesugarContext(functions.next_site, offset))
        planned = self._session.call_by_call(core, parameters, f"{outer.kind} with calls")
        evaluation = self._session.evaluation(planned, parameters)
        assert isinstance(evaluation, EachCall)
        run = self._call_run(evaluation, time.monotonic(), self._source)
        names, rows = run.executed()
        return None if names == ("Count",) else self._rows_relation(names, rows)

    def _query(self, text: str, parameters: Parameters, offset: int) -> Relation:
        started = time.monotonic()
        planned = self._session.planned(text, parameters, offset)
        planning = time.monotonic() - started
        first, source, group = [planned], self._source, self._group
        member: Member | None = None

        def schema() -> pa.Schema:
            self._check_open()
            return schema_of(self.duckdb, planned.names, planned.types)

        def evaluation(together: Together | None) -> Passes | EachCall:
            current = first.pop() if first else None
            if current is None or not self._session.is_current(current, parameters):
                current = self._session.planned(text, parameters, offset)
            return self._session.evaluation(current, parameters, together)

        def run() -> CallRun:
            joint = group.run_of(member) if group and member else None
            if joint is not None:
                self._session.interrupted.clear()
                return joint
            self._begin()
            begun = time.monotonic()
            return self._call_run(evaluation(None), begun - planning, source)

        def joint_run(group: Group, together: Together) -> CallRun | None:
            begun = time.monotonic()
            passes = evaluation(together)
            if not isinstance(passes, Passes):
                return None
            return self._joint_run(passes, begun - planning, source, group)

        def explanation() -> str:
            self._begin()
            return as_text(looked(self._session, text, planned, parameters, offset).explanation)

        relation = Relation(
            planned.names,
            schema,
            run,
            self._python_rows(planned.types),
            explanation,
        )

        if group is not None and planned.bound is not None and group.takes(planned.sites):
            member = Member(weakref.ref(relation), joint_run)
            group.add(member, planned.sites)
        return relation

    def _call_run(
        self, evaluation: Passes | EachCall, started: float, source: Source | None
    ) -> CallRun:
        if self._open is not None:
            self._open.read_ahead()

        def finished(run: CallRun, again: bool) -> None:
            if self._open is run:
                self._open = None
            self._add_stats(run.stats(), again=again)
            self._session.shared.flush()

        run = CallRun(evaluation, started, finished, source)
        self._open = self._last_run = run
        return run

    def _joint_run(
        self, evaluation: Passes, started: float, source: Source | None, group: Group
    ) -> CallRun:
        def finished(run: CallRun, again: bool) -> None:
            self._add_stats(run.stats(), again=again)
            group.finished()
            if group.is_over:
                if self._open is group:
                    self._open = None
                self._session.shared.flush()

        return CallRun(evaluation, started, finished, source, group.lock)

    def _begin_group(self, group: Group) -> Together:
        self._begin()
        self._open = group
        return self._session.together()

    def _may_group(self, statement: Statement) -> bool:
        """A query with calls."""
        if not leaves_all_as_it_is(statement) or not self._session.settings.optimizer:
            return False
        return isinstance(statement, syntax.LlmSql) or self._names_calls(statement.text)

    def _add_stats(self, stats: Stats, *, again: bool = False) -> None:
        self.last_stats = stats
        if not again:
            self.total_stats += stats

    def _filled(
        self, outer: syntax.Shell, planned: Planned, parameters: Parameters
    ) -> Relation | None:
        """INSERT, CREATE TABLE AS, COPY: all rows first, then one statement that writes them."""
        evaluation = self._session.evaluation(planned, parameters)
        run = self._call_run(evaluation, time.monotonic(), self._source)
        table = pa.Table.from_batches(list(run.batches()))
        table = table.rename_columns([f"c{i}" for i in range(table.num_columns)])
        columns = ", ".join(
            f"CAST(c{i} AS {t}) AS {quoted(n)}"
            for i, (n, t) in enumerate(zip(planned.names, planned.types, strict=True))
        )
        self.duckdb.register(_RESULT, table)
        try:
            query = f"(SELECT {columns} FROM {_RESULT})"
            written = self.duckdb.execute(f"{outer.before} {query} {outer.after}")
            columns_back = tuple(c[0] for c in written.description or ())
            rows = written.fetchall()
        except duckdb.Error as error:
            raise ExecutionError(without_excerpt(error)) from None
        finally:
            self.duckdb.unregister(_RESULT)
        # INSERT .. RETURNING has rows of its own; the others tell how many they wrote.
        return None if columns_back == ("Count",) else self._rows_relation(columns_back, rows)

    def _begin(self) -> None:
        """Before a statement: what an earlier one still reads is read to its end."""
        self._check_open()
        self._session.interrupted.clear()
        if self._open is not None:
            self._open.read_ahead()

    def _check_open(self) -> None:
        if self._closed:
            raise ExecutionError("the connection is closed")

    def _holds_calls(self, text: str) -> bool:
        found = syntax.parse(text, llm_names=self._llm_names)
        return any(isinstance(s, syntax.LlmSql) for s in found)

    @property
    def _llm_names(self) -> frozenset[str]:
        return self._session.catalog.callable_names | frozenset(self._prepared)

    def _explain(self, statement: syntax.Explain, parameters: Parameters) -> Relation:
        inner, values = statement.statement, parameters
        if isinstance(inner, syntax.Execute):
            values = self._values(inner.arguments)
            inner = self._prepared[inner.name.lower()]
        text, offset = inner.text, inner.span.start
        if isinstance(inner, syntax.CreateView):
            text, offset = inner.body, inner.body_span.start
        elif isinstance(inner, syntax.CreateMacro):
            raise BindError("EXPLAIN takes a query", span=inner.span)
        self._check_broken(text)
        found = look_at(self._session, text, values, offset)
        happened = self._happened(inner, values) if statement.analyze else None
        key = "analyzed_plan" if statement.analyze else "logical_plan"
        shown = rendered(self._session, inner, found, happened, statement.format)
        stats = happened.stats if happened is not None else None
        return self._rows_relation(("explain_key", "explain_value"), [(key, shown)], stats)

    def _happened(self, statement: Statement, parameters: Parameters) -> Happened:
        """Runs the statement: what it did, how many rows it gave, and the first few of them."""
        result = self._dispatched(statement, parameters, restoring=False)
        rows, first = 0, list[tuple[Any, ...]]()
        for batch in result.batches() if result is not None else ():
            rows += batch.num_rows
            if len(first) < FIRST_ROWS:
                table = pa.Table.from_batches([batch.slice(0, FIRST_ROWS - len(first))])
                first += self._python_rows()(table)
        operators = self._last_run.by_operator() if self._last_run is not None else []
        return Happened(self.last_stats or Stats(), rows, tuple(first), tuple(operators))

    def _values(self, arguments: str) -> Parameters:
        """The arguments of EXECUTE, evaluated."""
        if not arguments.strip():
            return None
        named = ":=" in arguments or "=>" in arguments
        maker = "struct_pack" if named else "row"
        value = self.duckdb.execute(f"SELECT {maker}({arguments})").fetchall()[0][0]
        return (
            value
            if isinstance(value, dict) and named
            else list(value.values() if isinstance(value, dict) else value)
        )

    def _rows_relation(
        self, names: Sequence[str], rows: Sequence[tuple[Any, ...]], stats: Stats | None = None
    ) -> Relation:
        """A small result that is there already."""
        columns = list(zip(*rows, strict=True)) or [()] * len(names)
        table = pa.table([pa.array(list(c)) for c in columns], names=list(names))
        return Relation(
            tuple(names),
            lambda: table.schema,
            lambda: HeldRows(table, stats or Stats()),
            self._python_rows(),
            lambda: "",
        )

    def _python_rows(
        self, types: Sequence[str] = ()
    ) -> Callable[[pa.Table], list[tuple[Any, ...]]]:
        """From Arrow to Python, for columns of these types."""
        caster = self._session.shared.caster
        return lambda table: caster.python_rows(table, types)

    # public -------------------------------------------------------------------------------

    def sql(self, text: str, params: Parameters = None) -> Relation | None:
        """The relation of the last statement of the text; those before it are run."""
        result: Relation | None = None
        for parsed in self.statements(text):
            if result is not None:
                result.fetchall()
            result = self.run(parsed, params)
        return result

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
        relations = []
        group = Group(self._begin_group)
        for one in parsed:
            if not leaves_all_as_it_is(one.statement):
                group = Group(self._begin_group)
            values = self._taken(one.statement, params) if isinstance(params, Mapping) else params
            relation = self.run(one, values, group if self._may_group(one.statement) else None)
            relations.append(relation or self._rows_relation(("Success",), []))
        return relations

    def execute(self, text: str, params: Parameters = None) -> Connection:
        """Runs the text; rows of its last statement are fetched from the connection."""
        self._result = None
        statements = self.statements(text)
        for number, parsed in enumerate(statements):
            if isinstance(self._result, Relation):
                self._result.fetchall()
            plain, last = parsed.statement, number == len(statements) - 1
            if isinstance(plain, syntax.Sql) and not self._names_calls(plain.text):
                self._begin()
                self._result = self.duckdb.execute(plain.text, params if last else None)
            else:
                self._result = self.run(parsed, params if last else None)
        return self

    def _names_calls(self, text: str) -> bool:
        names = self._llm_names
        return bool(names) and not all(
            isinstance(s, syntax.Sql) for s in syntax.parse(text, llm_names=names)
        )

    def fetchall(self) -> list[tuple[Any, ...]]:
        return [] if self._result is None else list(self._result.fetchall())

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        return [] if self._result is None else list(self._result.fetchmany(size))

    def fetchone(self) -> tuple[Any, ...] | None:
        return None if self._result is None else self._result.fetchone()

    @property
    def description(self) -> list[tuple[Any, ...]] | None:
        """Name and type of each column, as in DB-API."""
        if isinstance(self._result, Relation):
            return [(f.name, str(f.type), *[None] * 5) for f in self._result.schema]
        return None if self._result is None else self._result.description

    def register(self, name: str, data: object) -> Connection:
        """Makes an Arrow table or data frame a table of this session (a copy, read once)."""
        self._begin()
        hidden = f"__hql_source_{name}"
        self.duckdb.register(hidden, data)
        try:
            self.duckdb.execute(
                f"CREATE OR REPLACE TEMP TABLE {quoted(name)} AS FROM {quoted(hidden)}"
            ).fetchall()
        finally:
            self.duckdb.unregister(hidden)
        return self

    def register_model(self, name: str, engine: Engine, **options: object) -> Connection:
        """Makes an engine of your own (heliumql.engines.engine.Engine) a model of this session.

        `options` may hold sampling defaults (max_tokens, temperature ..), as in CREATE MODEL, and
        `model`, a name under which answers of earlier sessions are used again; without it each
        registered engine is asked anew.
        """
        # Answers outlive the process, so what names them must not come again in another one.
        named = {"engine": "python", "model": f"{name}-{uuid.uuid4().hex}"}
        model = Model(name, {**named, **options})
        catalog = self._session.catalog
        catalog.models[name.lower()] = model
        catalog.entries[("model", name.lower())] = Entry("model", name, "", temp=True)
        self._session.shared.keep(model, engine)
        return self

    def run_file(self, path: str | Path, params: Mapping[str, Any] | None = None) -> list[Relation]:
        """Runs the statements of a file in order; the results of its queries, evaluated."""
        results = []
        statements = self.statements(Path(path).read_text("utf-8"), str(path))
        for parsed, relation in self.run_all(
            [(p, self._taken(p.statement, params)) for p in statements]
        ):
            if relation is None:
                continue
            rows = self._evaluated(relation)
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

    def _evaluated(self, relation: Relation) -> Relation:
        table, stats = relation.arrow(), relation.stats
        return Relation(
            tuple(relation.columns), lambda: table.schema, lambda: HeldRows(table, stats),
            self._python_rows(), relation.explain,
        )  # fmt: skip

    def set(self, name: str, value: object) -> None:
        """`SET llm_..` from Python."""
        self._use(self._session.settings.with_value(name, value), name)

    def _use(self, settings: Settings, changed: str) -> None:
        """Takes settings; where answers are kept is one for all connections of a database.

        Raises CatalogError where a rule to be disabled does not exist.
        """
        shared = self._session.shared
        match changed.lower():
            case "llm_cache_path":
                shared.remember_at(settings.cache_path)
                shared.store.max_bytes = settings.cache_bytes
            case "llm_cache_bytes":
                shared.store.max_bytes = settings.cache_bytes
            case "llm_disabled_rules":
                disabled_rules(settings)
        self._session.settings = settings

    def cursor(self) -> Connection:
        """Another connection to the same database; engines and answers are shared."""
        self._check_open()
        twin = Connection(self.duckdb.cursor(), owns=True, shared=self._session.shared)
        theirs, ours = twin._session.catalog, self._session.catalog
        theirs.models.update(ours.models)
        missing = [e for k, e in ours.entries.items() if k not in theirs.entries]
        theirs.entries.update({(e.kind, e.name.lower()): e for e in missing})
        twin._restore([e for e in missing if e.kind != "model"])
        twin._session.settings = self._session.settings
        return twin

    def interrupt(self) -> None:
        """Stops the running statement; its calls are aborted, answers that came are kept."""
        self._session.interrupted.set()
        with suppress(duckdb.ConnectionException):  # closed: nothing is running
            self.duckdb.interrupt()

    def close(self) -> None:
        """Leaves no process behind. Idempotent."""
        if self._closed:
            return
        self._closed = True
        if self._open is not None:
            self._open.stop(self.interrupt)
        self._session.shared.users -= 1
        if self._session.shared.users == 0:
            self._session.shared.close()
        if self._owns:
            self.duckdb.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _sidecar(connection: duckdb.DuckDBPyConnection) -> Path | None:
    """Where the answers of a database are kept: beside its file, if it has one."""
    query = "SELECT path FROM duckdb_databases() WHERE database_name = current_database()"
    row = connection.execute(query).fetchone()
    if row is None or row[0] is None or not Path(row[0]).is_file():
        return None  # in memory, or on a server
    file = Path(row[0]).resolve()
    return file.with_name(file.name + ".answers")
