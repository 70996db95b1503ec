"""The session: THE MAP. `Connection._evaluation` is the way of a query, stage by stage.

text -> statements -> core SQL -> bound tree -> rewritten tree -> passes -> call graph
     -> engines -> answers -> rows
"""

from __future__ import annotations

import atexit
import itertools
import re
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import pyarrow as pa

from heliumql import syntax
from heliumql.binder import (
    Bound,
    Carried,
    Parameters,
    Unsupported,
    bind,
    bind_error,
    carry,
    is_users_mistake,
    without_excerpt,
)
from heliumql.calls import AnswerStore, kind_key
from heliumql.catalog import Catalog, Entry, Model, Settings
from heliumql.engines import open_engine
from heliumql.engines.engine import CallSpec, Engine, Sampling
from heliumql.errors import BindError, CatalogError, ExecutionError, HeliumQLError
from heliumql.physical import functions
from heliumql.physical.context import Context
from heliumql.physical.each import EachCall
from heliumql.physical.flights import Flights
from heliumql.physical.output import Caster, schema_of
from heliumql.physical.passes import Passes
from heliumql.physical.site import Site
from heliumql.physical.snapshot import OneThread
from heliumql.relation import Relation
from heliumql.source import Source, Span
from heliumql.stats import Progress, Stats
from heliumql.syntax import CallSite, Core, Statement

_TEMPLATE_VERSION = 1  # of the way messages are made of a call; part of every identity
_RESULT = "__hql_result"


_open_connections: weakref.WeakSet[Connection] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """Leaving the program without close() leaves no process and no noise behind either."""
    for connection in list(_open_connections):
        connection.close()


class Shared:
    """What the connections of one database have in common: engines, answers, calls in flight."""

    def __init__(self) -> None:
        self.engines: dict[str, Engine] = {}
        self.store = AnswerStore()
        self.flights = Flights()
        self.caster = Caster()
        self.one_thread = OneThread()
        self.users = 0
        self._lock = threading.Lock()

    def engine(self, model: Model) -> Engine:
        """The engine of the model; made once, started with its first call."""
        key = _engine_key(model)
        with self._lock:
            if key not in self.engines:
                self.engines[key] = open_engine(model.options)
            return self.engines[key]

    def keep(self, model: Model, engine: Engine) -> None:
        """Uses this engine for the model."""
        with self._lock:
            self.engines[_engine_key(model)] = engine

    def close(self) -> None:
        with self._lock:
            engines, self.engines = list(self.engines.values()), {}
        for engine in engines:
            engine.close()
        self.caster.close()


@dataclass(frozen=True)
class Parsed:
    """A statement and the text it stands in, which its errors show."""

    statement: Statement
    source: Source


@dataclass(frozen=True)
class Planned:
    """A query ready to run: bound and rewritten, or to be run call by call."""

    core: Core
    sites: Mapping[int, Site]
    names: tuple[str, ...]
    types: tuple[str, ...]
    bound: Bound | None = None
    carried: Carried | None = None
    reason: str = ""  # why it runs call by call


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
        catalog: Catalog | None = None,
    ) -> None:
        self.duckdb = connection
        self.progress: Callable[[Progress], None] | None = None
        self.last_stats: Stats | None = None
        self.settings = Settings()
        self.catalog = catalog or Catalog()
        self._owns = owns
        self._shared = shared or Shared()
        self._shared.users += 1
        self._sites: dict[int, CallSite] = {}  # of views, macros and prompts
        self._named: dict[str, frozenset[int]] = {}  # their sites by name
        self._prepared: dict[str, Statement] = {}
        self._registered: dict[str, object] = {}
        self._interrupted = threading.Event()
        self._open: _Run | None = None
        self._result: Relation | duckdb.DuckDBPyConnection | None = None
        self._closed = False
        _open_connections.add(self)
        functions.register(connection)
        for entry in self.catalog.stored(connection):
            self._restore(entry)

    # the way of a query -------------------------------------------------------------------

    def _planned(self, text: str, parameters: Parameters, offset: int) -> Planned:
        """From the text of a query to what can be evaluated; asks no model."""
        core = syntax.desugar(text, syntax.DesugarContext(functions.next_site, offset))
        known = {s.number: s for s in core.sites} | self._sites
        if not self.settings.optimizer:
            return self._call_by_call(core, parameters, "the optimizer is off")
        try:
            bound = bind(self.duckdb, core, parameters)
            sites = {n: self._site(known[n]) for n in bound.sites}
            if bound.volatile or any(s.sampled for s in sites.values()):
                raise Unsupported("a volatile expression beside calls")
            declared = {n: s.declared for n, s in sites.items()}
            carried = carry(
                bound.tree, statement=0, declared=declared, aggregates=self._aggregates()
            )
            names = _shown_names(bound.names, known)
            return Planned(core, sites, names, bound.types, bound, carried)
        except Unsupported as reason:
            return self._call_by_call(core, parameters, str(reason))

    def _call_by_call(self, core: Core, parameters: Parameters, reason: str) -> Planned:
        sites = {s.number: self._site(s) for s in core.sites}
        for number, site in self._sites.items():
            try:
                sites[number] = self._site(site)
            except HeliumQLError:  # of a view that this statement need not name
                continue
        names: tuple[str, ...] = ()
        types: tuple[str, ...] = ()
        if syntax.shell(core.text).kind == "select":
            try:
                rows = self.duckdb.execute("DESCRIBE " + core.text, parameters).fetchall()
            except duckdb.Error as error:
                if is_users_mistake(error):
                    raise bind_error(error, core, "DESCRIBE ") from None
                raise ExecutionError(without_excerpt(error)) from None
            names = _shown_names(tuple(r[0] for r in rows), {s.number: s for s in core.sites})
            types = tuple(r[1] for r in rows)
        return Planned(core, sites, names, types, reason=reason)

    def _evaluation(self, planned: Planned, parameters: Parameters) -> Passes | EachCall:
        """An evaluation of a planned query, not begun."""
        context = self._context(planned.sites)
        if planned.bound is None:
            reference = not self.settings.optimizer
            if reference:
                off = {n: replace(s, cache="off") for n, s in planned.sites.items()}
                context = replace(context, sites=off)
            return EachCall(context, planned.core, parameters, planned.names, reference=reference)
        passes = Passes(context, planned.bound, planned.names)
        declared = {n: s.declared for n, s in planned.sites.items()}
        try:
            passes.rewrite(
                carry(
                    planned.bound.tree,
                    statement=passes.number,
                    declared=declared,
                    aggregates=self._aggregates(),
                )
            )
        except Unsupported as reason:
            passes.close()
            other = self._call_by_call(planned.core, parameters, str(reason))
            return self._evaluation(other, parameters)
        return passes

    def _context(self, sites: Mapping[int, Site]) -> Context:
        settings = self.settings
        return Context(
            self.duckdb,
            sites,
            self._shared.store,
            self._shared.flights,
            self._shared.caster,
            self._shared.one_thread,
            batch_rows=settings.batch_rows,
            window_bytes=settings.window_bytes,
            verify=settings.verify,
            progress=self.progress,
            interrupted=self._interrupted,
        )

    def _site(self, call: CallSite) -> Site:
        """The call site bound to its model, engine and parameters."""
        name = call.model or self.settings.default_model or self.catalog.default_model(call.span)
        model = self.catalog.model(name, call.model_span)
        options, default = model.options, Sampling()

        def sampling(key: str) -> Any:
            given = getattr(call, key)
            if given is None:
                given = options.get(key, getattr(default, key))
            return tuple(given) if isinstance(given, list) else given

        stop = sampling("stop")
        parameters = Sampling(
            max_tokens=int(sampling("max_tokens")),
            temperature=float(sampling("temperature")),
            top_p=float(sampling("top_p")),
            seed=sampling("seed"),
            stop=(stop,) if isinstance(stop, str) else stop,
        )
        retries = call.retries if call.retries is not None else int(str(options.get("retries", 2)))
        what = {
            "template": _TEMPLATE_VERSION,
            "model": model.identity(),
            "returns": call.returns.sql(),
            "sampling": [parameters.max_tokens, parameters.temperature, parameters.top_p,
                         parameters.seed, list(parameters.stop)],
        }  # fmt: skip
        try:
            engine = self._shared.engine(model)
        except CatalogError as error:
            error.span = error.span or call.span
            raise
        on_error: Any = call.on_error or self.settings.on_error
        cache: Any = call.cache or self.settings.cache
        return Site(
            call.number,
            call.name,
            model.name,
            engine,
            CallSpec(parameters, call.returns, retries),
            kind_key(what),
            on_error,
            cache,
            call.span,
        )

    def _aggregates(self) -> frozenset[str]:
        if not hasattr(self, "_aggregate_names"):
            rows = self.duckdb.execute(
                "SELECT DISTINCT function_name FROM duckdb_functions() "
                "WHERE function_type = 'aggregate'"
            ).fetchall()
            self._aggregate_names = frozenset(r[0] for r in rows)
        return self._aggregate_names

    # statements ---------------------------------------------------------------------------

    def statements(self, text: str, name: str | None = None) -> tuple[Parsed, ...]:
        """The statements of a text; errors in one of them will show this text."""
        source = Source(text, name)
        try:
            found = syntax.parse(text, llm_names=self._llm_names)
        except HeliumQLError as error:
            raise error.with_source(source) from None
        return tuple(Parsed(s, source) for s in found)

    def run(self, parsed: Parsed, parameters: Parameters = None) -> Relation | None:
        """Runs one statement; the rows of a query are evaluated when they are read."""
        self._begin()
        self._source = parsed.source
        try:
            return self._dispatched(parsed.statement, parameters, restoring=False)
        except HeliumQLError as error:
            raise error.with_source(parsed.source) from None

    def _restore(self, entry: Entry) -> None:
        """Makes again for this session what a statement made earlier."""
        statement = syntax.parse(entry.text, llm_names=self._llm_names)[0]
        self._dispatched(statement, None, restoring=True)

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
                self._create_model(statement, restoring)
            case syntax.CreatePrompt() | syntax.CreateView() | syntax.CreateMacro():
                self._create_named(statement, restoring)
            case syntax.DropModel():
                self.catalog.drop(
                    self.duckdb, "model", statement.name,
                    if_exists=statement.if_exists, span=statement.name_span,
                )  # fmt: skip
            case syntax.DropPrompt():
                self._drop_named("prompt", statement.name, statement.if_exists, statement.name_span)
            case syntax.DropNamed():
                self._drop_named(
                    statement.what, statement.name, statement.if_exists, statement.name_span
                )
            case syntax.SetOption():
                try:
                    self.settings = self.settings.with_value(statement.name, statement.value)
                except CatalogError as error:
                    error.span = statement.name_span
                    raise
                self._shared.store.max_bytes = self.settings.cache_bytes
            case syntax.ResetOption():
                self.settings = self.settings.without(statement.name)
            case syntax.Show():
                return self._show(statement)
            case syntax.Describe():
                return self._describe(statement)
            case syntax.ClearCache():
                if statement.where is not None:
                    raise BindError("CLEAR CACHE WHERE is not available yet", span=statement.span)
                self._shared.store.clear()
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
        self.last_stats = Stats(seconds=time.monotonic() - started)
        if relation is None:
            return None
        return Relation(
            tuple(relation.columns),
            lambda: relation.limit(0).to_arrow_table().schema,
            lambda: _PlainRun(relation),
            lambda table: self._python_rows(table),
            lambda: str(relation.explain()),
        )

    def _llm_statement(self, statement: Statement, parameters: Parameters) -> Relation | None:
        """A statement with calls: a query, or one that changes something."""
        text, offset = statement.text, statement.span.start
        outer = syntax.shell(text)
        match outer.kind:
            case "select":
                return self._query(text, parameters, offset)
            case "create_table_as" | "insert" | "copy_to" if outer.query and outer.span:
                around = outer.before + outer.after
                if self.settings.optimizer and not self._holds_calls(around):
                    planned = self._planned(outer.query, parameters, offset + outer.span.start)
                    if planned.bound is not None:
                        self._filled(outer, planned, parameters)
                        return None
        core = syntax.desugar(text, syntax.DesugarContext(functions.next_site, offset))
        planned = self._call_by_call(core, parameters, f"{outer.kind} with calls")
        evaluation = self._evaluation(planned, parameters)
        assert isinstance(evaluation, EachCall)
        run = _Run(self, evaluation, time.monotonic())
        names, rows = run.executed()
        return None if names == ("Count",) else self._rows_relation(names, rows)

    def _query(self, text: str, parameters: Parameters, offset: int) -> Relation:
        started = time.monotonic()
        planned = self._planned(text, parameters, offset)
        planning = time.monotonic() - started
        first = [planned]

        def run() -> _Run:
            self._begin()
            begun = time.monotonic()
            current = first.pop() if first else self._planned(text, parameters, offset)
            return _Run(self, self._evaluation(current, parameters), begun - planning)

        return Relation(
            planned.names,
            lambda: schema_of(self.duckdb, planned.names, planned.types),
            run,
            self._python_rows,
            lambda: _explanation(planned),
        )

    def _filled(self, outer: syntax.Shell, planned: Planned, parameters: Parameters) -> None:
        """INSERT, CREATE TABLE AS, COPY: all rows first, then one statement that writes them."""
        run = _Run(self, self._evaluation(planned, parameters), time.monotonic())
        table = pa.Table.from_batches(list(run.batches()))
        table = table.rename_columns([f"c{i}" for i in range(table.num_columns)])
        columns = ", ".join(
            f"CAST(c{i} AS {t}) AS {_quoted(n)}"
            for i, (n, t) in enumerate(zip(planned.names, planned.types, strict=True))
        )
        self.duckdb.register(_RESULT, table)
        try:
            query = f"(SELECT {columns} FROM {_RESULT})"
            self.duckdb.execute(f"{outer.before} {query} {outer.after}").fetchall()
        except duckdb.Error as error:
            raise ExecutionError(without_excerpt(error)) from None
        finally:
            self.duckdb.unregister(_RESULT)

    def _begin(self) -> None:
        """Before a statement: what an earlier one still reads is read to its end."""
        if self._closed:
            raise ExecutionError("the connection is closed")
        self._interrupted.clear()
        if self._open is not None:
            self._open.read_ahead()

    def _holds_calls(self, text: str) -> bool:
        found = syntax.parse(text, llm_names=self._llm_names)
        return any(isinstance(s, syntax.LlmSql) for s in found)

    # catalog ------------------------------------------------------------------------------

    @property
    def _llm_names(self) -> frozenset[str]:
        return self.catalog.callable_names | frozenset(self._prepared)

    def _create_model(self, statement: syntax.CreateModel, restoring: bool) -> None:
        options = dict(statement.options)
        try:
            open_engine(options).close()  # checks keys and values; starts nothing
        except CatalogError as error:
            spans = {**statement.option_spans}
            culprit = next((k for k in spans if repr(k) in error.message), None)
            error.span = spans[culprit] if culprit else statement.name_span
            raise
        entry = Entry("model", statement.name, statement.text, statement.temp)
        if restoring:
            self.catalog.entries[("model", statement.name.lower())] = entry
        elif not self.catalog.add(
            self.duckdb, entry, or_replace=statement.or_replace,
            if_not_exists=statement.if_not_exists, span=statement.name_span,
        ):  # fmt: skip
            return
        self.catalog.models[statement.name.lower()] = Model(statement.name, options)

    def _create_named(
        self,
        statement: syntax.CreatePrompt | syntax.CreateView | syntax.CreateMacro,
        restoring: bool,
    ) -> None:
        """Prompts, views and macros live in DuckDB for the session, as core SQL."""
        context = syntax.DesugarContext(functions.next_site, statement.span.start)
        match statement:
            case syntax.CreatePrompt():
                kind, prompt = "prompt", syntax.desugar_prompt(statement, context)
                texts, made = (
                    [prompt.scalar, prompt.table],
                    Core("", prompt.sites, prompt.source_map),
                )
            case syntax.CreateView():
                kind, made = "view", syntax.desugar_view(statement, context)
                texts = [made.text]
            case syntax.CreateMacro():
                kind, made = "macro", syntax.desugar_macro(statement, context)
                texts = [made.text]
        name = statement.name.lower()
        known = (kind, name) in self.catalog.entries
        if not known or statement.or_replace or restoring:
            for text in texts:
                try:
                    self.duckdb.execute(text).fetchall()
                except duckdb.Error as error:
                    shown = Core(text, made.sites, made.source_map)
                    raise bind_error(error, shown) from None
        entry = Entry(kind, statement.name, statement.text, statement.temp)
        if restoring:
            self.catalog.entries[(kind, name)] = entry
        elif not self.catalog.add(
            self.duckdb, entry, or_replace=statement.or_replace,
            if_not_exists=statement.if_not_exists, span=statement.name_span,
        ):  # fmt: skip
            return
        self._named[name] = frozenset(s.number for s in made.sites)
        self._sites |= {s.number: s for s in made.sites}

    def _drop_named(self, kind: str, name: str, if_exists: bool, span: Span) -> None:
        exists = (kind, name.lower()) in self.catalog.entries
        self.catalog.drop(self.duckdb, kind, name, if_exists=if_exists, span=span)
        if not exists:
            return
        quoted = f"temp.main.{_quoted(name)}"
        drops = [f"DROP VIEW {quoted}"]
        if kind != "view":
            drops = [f"DROP MACRO IF EXISTS {quoted}", f"DROP MACRO TABLE IF EXISTS {quoted}"]
        for drop in drops:
            self.duckdb.execute(drop).fetchall()
        for number in self._named.pop(name.lower(), frozenset()):
            self._sites.pop(number, None)

    def _show(self, statement: syntax.Show) -> Relation | None:
        tables = self.duckdb.execute(
            "SELECT count(*) FROM (SELECT table_name AS n FROM duckdb_tables() UNION ALL "
            "SELECT view_name FROM duckdb_views()) WHERE lower(n) = ?", [statement.what]
        ).fetchall()[0][0]  # fmt: skip
        if tables:
            return self._plain(statement.text, None)
        match statement.what:
            case "models":
                default = self.settings.default_model
                if not default and len(self.catalog.models) < 2:
                    default = self.catalog.default_model()
                models = {**self.catalog.builtin, **self.catalog.models}
                rows: list[tuple[Any, ...]] = [
                    (m.name, m.options.get("engine", "vllm"), m.options.get("model"),
                     m.name.lower() == default.lower())
                    for m in models.values()
                ]  # fmt: skip
                return self._rows_relation(("name", "engine", "model", "is_default"), rows)
            case "prompts":
                names = [(e.name,) for (k, _), e in self.catalog.entries.items() if k == "prompt"]
                return self._rows_relation(("name",), names)
            case _:
                store = self._shared.store
                return self._rows_relation(("answers", "bytes"), [(len(store), store.size)])

    def _describe(self, statement: syntax.Describe) -> Relation:
        if statement.what == "model":
            model = self.catalog.model(statement.name, statement.name_span)
            pairs = [("engine", model.options.get("engine", "vllm"))]
            pairs += [(k, v) for k, v in model.options.items() if k != "engine"]
            return self._rows_relation(("option", "value"), [(k, str(v)) for k, v in pairs])
        entry = self.catalog.entries.get(("prompt", statement.name.lower()))
        if entry is None:
            raise self.catalog.missing("prompt", statement.name, statement.name_span)
        return self._rows_relation(("name", "statement"), [(entry.name, entry.text)])

    def _explain(self, statement: syntax.Explain, parameters: Parameters) -> Relation:
        inner = statement.statement
        if statement.format != "text" or statement.analyze:
            raise BindError("only plain EXPLAIN is available yet", span=statement.span)
        outer = syntax.shell(inner.text)
        text, offset = inner.text, inner.span.start
        if outer.query is not None and outer.span is not None:
            text, offset = outer.query, offset + outer.span.start
        planned = self._planned(text, parameters, offset)
        rows = [("logical_plan", _explanation(planned))]
        return self._rows_relation(("explain_key", "explain_value"), rows)

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

    def _rows_relation(self, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Relation:
        """A small result that is there already."""
        columns = list(zip(*rows, strict=True)) or [()] * len(names)
        table = pa.table([pa.array(list(c)) for c in columns], names=list(names))
        return Relation(
            tuple(names),
            lambda: table.schema,
            lambda: _Held(table, Stats()),
            self._python_rows,
            lambda: "",
        )

    def _python_rows(self, table: pa.Table) -> list[tuple[Any, ...]]:
        return self._shared.caster.python_rows(table)

    # public -------------------------------------------------------------------------------

    def sql(self, text: str, params: Parameters = None) -> Relation | None:
        """The relation of the last statement of the text; those before it are run."""
        result: Relation | None = None
        for parsed in self.statements(text):
            if result is not None:
                result.fetchall()
            result = self.run(parsed, params)
        return result

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
                f"CREATE OR REPLACE TEMP TABLE {_quoted(name)} AS FROM {_quoted(hidden)}"
            ).fetchall()
        finally:
            self.duckdb.unregister(hidden)
        return self

    def register_model(self, name: str, engine: Engine, **options: object) -> Connection:
        """Makes an engine of your own (heliumql.engines.engine.Engine) a model of this session.

        `options` may hold sampling defaults (max_tokens, temperature ..), as in CREATE MODEL.
        """
        model = Model(name, {"engine": "python", "model": f"{name}-{id(engine)}", **options})
        self.catalog.models[name.lower()] = model
        self.catalog.entries[("model", name.lower())] = Entry("model", name, "", temp=True)
        self._shared.keep(model, engine)
        return self

    def run_file(self, path: str | Path, params: Mapping[str, Any] | None = None) -> list[Relation]:
        """Runs the statements of a file in order; the results of its queries, evaluated."""
        results = []
        for parsed in self.statements(Path(path).read_text("utf-8"), str(path)):
            relation = self.run(parsed, self._taken(parsed.statement, params))
            if relation is not None:
                results.append(self._evaluated(relation))
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
            tuple(relation.columns), lambda: table.schema, lambda: _Held(table, stats),
            self._python_rows, relation.explain,
        )  # fmt: skip

    def set(self, name: str, value: object) -> None:
        """`SET llm_..` from Python."""
        self.settings = self.settings.with_value(name, value)

    def cursor(self) -> Connection:
        """Another connection to the same database; engines and answers are shared."""
        twin = Connection(self.duckdb.cursor(), owns=True, shared=self._shared, catalog=Catalog())
        for key, entry in self.catalog.entries.items():
            if key not in twin.catalog.entries:
                twin._restore(entry)
        twin.settings = self.settings
        return twin

    def interrupt(self) -> None:
        """Stops the running statement; its calls are aborted, answers that came are kept."""
        self._interrupted.set()
        self.duckdb.interrupt()

    def close(self) -> None:
        """Leaves no process behind. Idempotent."""
        if self._closed:
            return
        self._closed = True
        if self._open is not None:
            self._open.close()
        self._shared.users -= 1
        if self._shared.users == 0:
            self._shared.close()
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


class _Run:
    """One evaluation of a query with calls: its rows, and what it cost."""

    def __init__(
        self, connection: Connection, evaluation: Passes | EachCall, started: float
    ) -> None:
        self._connection = connection
        self._evaluation = evaluation
        self._started = started
        self._planning = time.monotonic() - started
        self._first: float | None = None
        self._seconds: float | None = None
        self._ahead: list[pa.RecordBatch] = []
        self._source: Iterator[pa.RecordBatch] = iter(())

    def batches(self) -> Iterator[pa.RecordBatch]:
        self._source = self._evaluation.batches()
        self._connection._open = self
        try:
            while True:
                batch = self._ahead.pop(0) if self._ahead else next(self._source, None)
                if batch is None:
                    break
                if self._first is None:
                    self._first = time.monotonic() - self._started
                yield batch
        finally:
            self.close()

    def executed(self) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        assert isinstance(self._evaluation, EachCall)
        try:
            return self._evaluation.execute()
        finally:
            self.close()

    def read_ahead(self) -> None:
        """Reads to the end, so that the connection is free for another statement."""
        self._ahead += list(self._source)
        self._source = iter(())
        self._finish()

    def close(self) -> None:
        close = getattr(self._source, "close", None)
        if close is not None:
            close()
        self._evaluation.close()
        self._finish()

    def _finish(self) -> None:
        if self._seconds is None:
            self._seconds = time.monotonic() - self._started
        if self._connection._open is self:
            self._connection._open = None
        self._connection.last_stats = self.stats()

    def stats(self) -> Stats:
        counts, tally = self._evaluation.graph.counts, self._evaluation.dispatcher.tally
        return Stats(
            calls_asked=counts.asked,
            calls_shared=counts.shared,
            calls_cached=counts.cached,
            calls_run=tally.run,
            calls_wasted=tally.run - (counts.asked - counts.shared - counts.cached),
            calls_failed=tally.failed,
            requests_sent=tally.requests,
            prompt_tokens=tally.prompt_tokens,
            prefix_hit_tokens=tally.prefix_hit_tokens,
            output_tokens=tally.output_tokens,
            passes=self._evaluation.passes,
            planning_seconds=self._planning,
            first_row_seconds=self._first or 0.0,
            seconds=self._seconds or time.monotonic() - self._started,
            failures=tuple(
                f"{message} ({count:,} calls)" if count > 1 else message
                for message, count in itertools.islice(tally.failures.items(), 5)
            ),
        )


@dataclass(frozen=True)
class _PlainRun:
    """A query without calls: DuckDB's rows."""

    relation: duckdb.DuckDBPyRelation

    def batches(self) -> Iterator[pa.RecordBatch]:
        reader = self.relation.to_arrow_reader(2048)
        empty = True
        for batch in reader:
            empty = False
            yield batch
        if empty:
            yield pa.RecordBatch.from_pylist([], schema=reader.schema)

    def stats(self) -> Stats:
        return Stats()


@dataclass(frozen=True)
class _Held:
    """Rows that are there already."""

    table: pa.Table
    known: Stats

    def batches(self) -> Iterator[pa.RecordBatch]:
        batches = self.table.to_batches()
        yield from batches or [pa.RecordBatch.from_pylist([], schema=self.table.schema)]

    def stats(self) -> Stats:
        return self.known


def _shown_names(names: tuple[str, ...], sites: Mapping[int, CallSite]) -> tuple[str, ...]:
    """Column names; where DuckDB named a column after the core SQL of a call, the verb's."""
    shown: list[str] = []
    for name in names:
        found = re.search(r"__hql_llm\w*\((\d+)", name)
        site = sites.get(int(found[1])) if found else None
        plain = name if found is None else (site.verb.lower() if site else "llm_generate")
        twins = sum(1 for other in shown if other == plain or other.startswith(f"{plain}_"))
        shown.append(f"{plain}_{twins}" if found and twins else plain)
    return tuple(shown)


def _engine_key(model: Model) -> str:
    return repr(sorted((k, repr(v)) for k, v in model.options.items()))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _explanation(planned: Planned) -> str:
    """How a query is going to be evaluated, as text."""
    lines = []
    for site in planned.sites.values():
        lines.append(f"call {site.name}: model {site.model}, returns {site.spec.returns.sql()}")
    if planned.carried is None:
        return "\n".join([*lines, f"evaluated call by call: {planned.reason}"])
    cuts = planned.carried.cuts
    for cut in cuts:
        lines.append(f"cut {cut.number} in {cut.where}, level {cut.level}: waits for answers")
    lines.append(f"passes: {max((c.level for c in cuts), default=0) + 1}")
    assert planned.bound is not None
    return "\n".join([*lines, planned.bound.text])
