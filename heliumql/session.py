"""The session: THE MAP. `Session.planned` and `Session.evaluation` are the way of a query.

text -> statements -> core SQL -> bound tree -> rewritten tree -> passes -> call graph
        syntax        syntax      binder        binder            physical  calls
     -> schedule -> engines -> answers -> rows
        scheduling  engines    calls      physical

Each method imports the rooms that it leads through, so that SQL without calls starts at once.
"""

from __future__ import annotations

import difflib
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb

from heliumql import frames, syntax
from heliumql.binder.copied import Copied, Copies, are_there, with_copies
from heliumql.catalog import Catalog, Model, Settings
from heliumql.errors import CatalogError, ExecutionError, HeliumQLError
from heliumql.physical import functions
from heliumql.physical.snapshot import in_transaction
from heliumql.shared import Shared
from heliumql.stats import Progress
from heliumql.syntax import CallSite, Core
from heliumql.trace import Trace, Track, span

if TYPE_CHECKING:
    from heliumql.binder.bind import Bound
    from heliumql.binder.cuts import Carried
    from heliumql.binder.parameters import Parameters
    from heliumql.binder.tree import Node
    from heliumql.calls.budget import Limits
    from heliumql.engines.engine import Engine
    from heliumql.optimizer import Generate, Optimized
    from heliumql.physical.context import Context
    from heliumql.physical.each import EachCall
    from heliumql.physical.passes import Passes
    from heliumql.physical.site import Site
    from heliumql.physical.survey import Surveyed
    from heliumql.physical.together import Together

_TEMPLATE_VERSION = 2  # of the way messages are made of a call; part of every identity


@dataclass(frozen=True)
class Planned:
    """A query ready to run: bound and rewritten, or to be run call by call."""

    core: Core
    sites: Mapping[int, Site]
    names: tuple[str, ...]
    types: tuple[str, ...]
    bound: Bound | None = None
    optimized: Optimized | None = None
    carried: Carried | None = None
    reason: str = ""  # why it runs call by call
    disabled_rules: str = ""
    copied: Copied | None = None  # copies of Python objects that it reads
    track: Track | None = field(default=None, compare=False)  # in a trace


class Session:
    """What statements of one connection are planned and evaluated with."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, shared: Shared, catalog: Catalog
    ) -> None:
        self.duckdb = connection
        self.shared = shared
        self.catalog = catalog
        self.settings = Settings()
        self.sites: dict[int, CallSite] = {}  # of views, macros and prompts
        self.progress: Callable[[Progress], None] | None = None
        self.interrupted = threading.Event()
        self.timed = False  # runs note the times of their calls, for EXPLAIN ANALYZE
        self.trace: Trace | None = None  # is told what runs do
        self.copies = Copies()  # of Python objects that queries read

    def planned(
        self, text: str, parameters: Parameters, offset: int, track: Track | None = None
    ) -> Planned:
        """From the text of a query to what can be evaluated; asks no model.

        `track` is the statement's in a trace, if it has been planned before.
        """
        if track is None and self.trace is not None:
            track = self.trace.statement(text)
        with span(track, "plan"):
            return self._planned(text, parameters, offset, track)

    def _planned(
        self, text: str, parameters: Parameters, offset: int, track: Track | None
    ) -> Planned:
        with span(track, "desugar"):
            core = syntax.desugar(text, syntax.DesugarContext(functions.next_site, offset))
        core, copied = with_copies(self.duckdb, core, frames.current(), self.copies)
        planned = self._planned_core(core, text, parameters, offset, track)
        return replace(planned, copied=copied)

    def _planned_core(
        self, core: Core, text: str, parameters: Parameters, offset: int, track: Track | None
    ) -> Planned:
        from heliumql.binder.bind import bind
        from heliumql.binder.cuts import Unsupported
        from heliumql.binder.volatile import evaluated_once, is_volatile
        from heliumql.syntax.names import operator_names

        known = {s.number: s for s in core.sites} | self.sites
        if not self.settings.optimizer:
            return self.call_by_call(core, parameters, "the optimizer is off", track)
        try:
            with span(track, "bind"):
                bound = bind(self.duckdb, core, parameters)
            sites = {n: self.site(known[n]) for n in bound.sites}
            if any(s.sampled for s in sites.values()):
                raise Unsupported("a volatile expression beside calls")
            spans = {n: (s.name, s.span and s.span.shifted(-offset)) for n, s in sites.items()}
            operators = operator_names(spans, text)
            if track is not None:
                track = replace(track, operators=operators)
            with span(track, "optimize"):
                optimized = self._optimized(bound, sites, operators)
            with span(track, "carry"):
                tree, _ = evaluated_once(optimized.plan.tree, "")
                if is_volatile(tree):
                    raise Unsupported("a volatile expression beside calls")
                carried = self._carried(tree, sites, optimized, statement=0)
            names = _shown_names(bound.names, known)
            return Planned(
                core, sites, names, bound.types, bound, optimized, carried,
                disabled_rules=self.settings.disabled_rules, track=track,
            )  # fmt: skip
        except Unsupported as reason:
            return self.call_by_call(core, parameters, str(reason), track)

    def call_by_call(
        self, core: Core, parameters: Parameters, reason: str, track: Track | None = None
    ) -> Planned:
        """A statement whose calls run where SQL evaluates them."""
        from heliumql.binder.mistakes import bind_error, is_users_mistake, without_excerpt

        if track is None and self.trace is not None:
            track = self.trace.statement(core.text)
        sites = {s.number: self.site(s) for s in core.sites}
        for number, site in self.sites.items():
            try:
                sites[number] = self.site(site)
            except HeliumQLError:  # of a view that this statement need not name
                continue
        names: tuple[str, ...] = ()
        types: tuple[str, ...] = ()
        if syntax.shell(core.text).kind == "select":
            try:
                described = "DESCRIBE " + core.text
                rows = frames.execute(
                    self.duckdb, described, parameters, frames.current()
                ).fetchall()
            except duckdb.Error as error:
                if is_users_mistake(error):
                    raise bind_error(error, core, "DESCRIBE ") from None
                raise ExecutionError(without_excerpt(error)) from None
            names = _shown_names(tuple(r[0] for r in rows), {s.number: s for s in core.sites})
            types = tuple(r[1] for r in rows)
        return Planned(core, sites, names, types, reason=reason, track=track)

    def is_current(self, planned: Planned, parameters: Parameters) -> bool:
        """Planning now would give the same: no table, model or setting has changed since."""
        from heliumql.binder.bind import still_binds
        from heliumql.binder.cuts import Unsupported

        if planned.bound is None or not self.settings.optimizer:
            return False
        if planned.copied is not None and not are_there(self.duckdb, planned.copied):
            return False
        known = {s.number: s for s in planned.core.sites} | self.sites
        if any(n not in known for n in planned.sites):
            return False
        if any(self.site(known[n]) != site for n, site in planned.sites.items()):
            return False
        if not self._optimizes_as(planned):
            return False
        try:
            return still_binds(planned.bound, self.duckdb, planned.core, parameters)
        except Unsupported:
            return False

    def _optimizes_as(self, planned: Planned) -> bool:
        """The same rules run, and the store has answers of the same kinds of calls."""
        assert planned.optimized is not None
        generates = planned.optimized.plan.generates.values()
        return planned.disabled_rules == self.settings.disabled_rules and (
            {g.kind for g in generates if g.stored} == set(self._stored(planned.sites))
        )

    def calibrate(self, name: str | None) -> None:
        """Measures the engine of a model (of calls that name none, if None), and keeps that."""
        from heliumql.engines.engine import MeasuredEngine

        model, engine = self._engine_of(name)
        if not isinstance(engine, MeasuredEngine):
            raise CatalogError(
                f"the engine of the model {model.name} does not measure itself",
                hint="the engine vllm does",
            )
        engine.calibrate()
        self.shared.flush()

    def warm(self, name: str | None) -> None:
        """Starts the engine of a model (of calls that name none, if None)."""
        self._engine_of(name)[1].start()

    def _engine_of(self, name: str | None) -> tuple[Model, Engine]:
        model = self.catalog.model(
            name or self.settings.default_model or self.catalog.default_model(None), None
        )
        return model, self.shared.engine(model)

    def together(self) -> Together:
        """What queries evaluated together have in common."""
        from heliumql.physical.together import Together

        return Together(self._context({}))

    def evaluation(
        self,
        planned: Planned,
        parameters: Parameters,
        together: Together | None = None,
        *,
        writes: bool = False,
    ) -> Passes | EachCall:
        """An evaluation of a planned query, not begun; together with others, if need be.

        `writes`: its rows go into a table or file, where none may be half right.
        """
        from heliumql.binder.cuts import Unsupported
        from heliumql.binder.volatile import evaluated_once
        from heliumql.physical.each import EachCall
        from heliumql.physical.passes import Passes

        context = replace(self._context(planned.sites), track=planned.track)
        if writes:
            context = replace(context, limits=replace(context.limits, partial=False))
        if planned.bound is None:
            reference = not self.settings.optimizer
            if reference:
                off = {n: replace(s, cache="off") for n, s in planned.sites.items()}
                context = replace(context, sites=off)
            return EachCall(context, planned.core, parameters, planned.names, reference=reference)
        assert planned.optimized is not None
        fetched = planned.optimized.plan.fetched
        sites = {n: replace(s, fetched=n in fetched) for n, s in planned.sites.items()}
        context = replace(context, sites=sites)
        for order in planned.optimized.plan.orders:
            self.shared.learnt.note_order(order.block, order.predicates, order.rows)
        passes = Passes(context, planned.bound, planned.names, together)
        try:
            if planned.carried is not None and planned.carried.cuts and in_transaction(self.duckdb):
                # An error above a cut is not the user's, but would abort the user's transaction.
                raise Unsupported("answers are inspected inside a transaction")
            tree, once = evaluated_once(planned.optimized.plan.tree, f"__hql_once_{passes.number}_")
            passes.evaluate_once(once)
            passes.rewrite(
                self._carried(tree, planned.sites, planned.optimized, statement=passes.number)
            )
        except Unsupported as reason:
            passes.close()
            other = self.call_by_call(planned.core, parameters, str(reason), planned.track)
            return self.evaluation(other, parameters, writes=writes)
        except HeliumQLError:
            passes.close()
            raise
        return passes

    def survey(self, planned: Planned) -> Surveyed | None:
        """What an evaluation would see before any call runs.

        None inside a transaction, which an error would abort, and where rows are drawn at random.
        """
        from heliumql.binder.volatile import is_volatile
        from heliumql.physical.output import Column
        from heliumql.physical.survey import Survey

        if planned.optimized is None or planned.bound is None or planned.carried is None:
            return None
        tree = planned.optimized.plan.tree
        if is_volatile(tree) or in_transaction(self.duckdb):
            return None
        columns = tuple(map(Column, planned.names, planned.bound.types, planned.carried.shapes))
        survey = Survey(self._context(planned.sites), columns)
        return survey.run(
            self._carried(tree, planned.sites, planned.optimized, statement=survey.number)
        )

    def _optimized(
        self, bound: Bound, sites: Mapping[int, Site], names: Mapping[int, str]
    ) -> Optimized:
        """The plan after the rules; every Generate with what is known of it."""
        from heliumql.optimizer import PHASES, Knowledge, Plan, optimize

        stored = {
            **self._stored(sites),
            **self.shared.store.stored({s.template for s in sites.values()}),
        }
        generates = {n: self._generate(s, names[n], stored) for n, s in sites.items()}
        known = Knowledge(
            self.shared.learnt, self._aggregates(), self._estimated_rows, self._column_types
        )
        return optimize(Plan(bound.tree, generates), known, PHASES, disabled_rules(self.settings))

    def _stored(self, sites: Mapping[int, Site]) -> Mapping[bytes, int]:
        """How many answers the store has for each kind of call."""
        return self.shared.store.stored_kinds({s.kind for s in sites.values()})

    def _generate(self, site: Site, name: str, stored: Mapping[bytes, int]) -> Generate:
        from heliumql.optimizer import Generate

        stats = self.shared.learnt.operator(site.template)
        return Generate(
            site.number,
            name,
            site.model,
            site.kind,
            site.template,
            site.spec.returns.hql(),
            site.cache,
            site.on_error,
            site.spec.retries,
            seconds=1.0 if stats is None else stats.mean_seconds,
            price=site.price(stats),
            stored=stored.get(site.kind, 0),
            answers=stored.get(site.template, 0),
        )

    def _estimated_rows(self, query: Node) -> float | None:
        """How many rows DuckDB expects of a query; None where it cannot say."""
        from heliumql.binder.bind import estimated_rows

        return estimated_rows(self.duckdb, query)

    def _column_types(self, query: Node) -> list[str] | None:
        """The types of the columns of a query; None where DuckDB cannot say."""
        from heliumql.binder.bind import column_types

        return column_types(self.duckdb, query)

    def _carried(
        self, tree: Node, sites: Mapping[int, Site], optimized: Optimized, *, statement: int
    ) -> Carried:
        from heliumql.binder.carry import carry

        return carry(
            tree,
            statement=statement,
            declared={n: s.declared for n, s in sites.items()},
            aggregates=self._aggregates(),
            operators={n: s.template for n, s in sites.items()},
            early=optimized.plan.early,
        )

    def _context(self, sites: Mapping[int, Site]) -> Context:
        from heliumql.physical.context import Context

        settings = self.settings
        lossless = "SELECT current_setting('arrow_lossless_conversion')"
        return Context(
            self.duckdb,
            sites,
            self.shared.store,
            self.shared.learnt,
            self.shared.flights,
            self.shared.caster,
            self.shared.one_thread,
            self.shared.kept,
            limits=limits_of(settings),
            batch_rows=settings.batch_rows,
            window_bytes=settings.window_bytes,
            scheduler=settings.scheduler,
            timed=self.timed,
            traced=self.trace is not None,
            verify=settings.verify,
            lossless=bool(self.duckdb.execute(lossless).fetchall()[0][0]),
            names=frames.current(),
            progress=self.progress,
            interrupted=self.interrupted,
        )

    def site(self, call: CallSite) -> Site:
        """The call site bound to its model, engine and parameters."""
        from heliumql.calls.identity import kind_key
        from heliumql.engines.engine import CallSpec, tasks_of
        from heliumql.engines.options import read_thinking
        from heliumql.physical.site import Site
        from heliumql.sampling import sampling_of

        name = call.model or self.settings.default_model or self.catalog.default_model(call.span)
        try:
            model = self.catalog.model(name, call.model_span)
        except CatalogError as error:
            if call.model is None:
                error.span, error.hint = call.span, f"llm_default_model is {name!r}; {error.hint}"
            raise
        try:
            engine = self.shared.engine(model)  # checks the options
        except CatalogError as error:
            raise CatalogError(
                f"the model {model.name} cannot be used: {error.message}",
                span=call.span,
                hint=error.hint or "CREATE OR REPLACE or DROP the model",
            ) from None
        if call.task not in tasks_of(engine):
            raise _cannot(call, model.name)
        options = {k: v for k, v in model.options.items() if v is not None}
        parameters = sampling_of(call, options)
        retries = call.retries if call.retries is not None else int(str(options.get("retries", 2)))
        thinking = call.thinking or read_thinking(options)
        identity = {**model.identity(), "thinking": thinking}
        what: dict[str, Any] = {"template": _TEMPLATE_VERSION, "model": identity}
        if call.task == "embed":
            what["task"] = call.task
            identity["thinking"] = None
        else:
            what["returns"] = call.returns.hql()
            what["sampling"] = [parameters.max_tokens, parameters.temperature, parameters.top_p,
                                parameters.seed, list(parameters.stop)]  # fmt: skip
        on_error: Any = call.on_error or self.settings.on_error
        cache: Any = call.cache or self.settings.cache
        if call.returns.distinct:
            what["distinct"] = True
        if call.version > 1:
            what["verb"] = [call.verb, call.version]
        if cache == "off":  # no call that may be fetched or kept is the same
            what["cache"] = "off"
        aggregate = call.verb == "LLM_AGG"
        if aggregate:  # how it is cut up where it is long depends on the context
            what["aggregate"] = options.get("max_model_len")
        kind = kind_key(what)
        return Site(
            call.number,
            call.name,
            model.name,
            engine,
            CallSpec(parameters, call.returns, retries, call.task, thinking),
            kind,
            kind_key({"kind": kind.hex(), "template": call.template or call.name})[:16],
            call.template,
            on_error,
            cache,
            call.span,
            float(str(options.get("price_in", 0.0))),
            float(str(options.get("price_out", 0.0))),
            aggregate=aggregate,
        )

    def _aggregates(self) -> frozenset[str]:
        if not hasattr(self, "_aggregate_names"):
            rows = self.duckdb.execute(
                "SELECT DISTINCT function_name FROM duckdb_functions() "
                "WHERE function_type = 'aggregate'"
            ).fetchall()
            self._aggregate_names = frozenset(r[0] for r in rows)
        return self._aggregate_names


def _cannot(call: CallSite, model: str) -> CatalogError:
    """The error of a call whose model does something else."""
    if call.task == "embed":
        return CatalogError(
            f"the model {model} does not embed",
            span=call.model_span or call.span,
            hint="models of the engines openai and simulated do, and those of vllm that are made"
            " with task = 'embed'",
        )
    return CatalogError(
        f"the model {model} embeds, it does not generate",
        span=call.model_span or call.span,
        hint="name another with model => '..'",
    )


def limits_of(settings: Settings) -> Limits:
    """What the settings let a statement spend."""
    from heliumql.calls.budget import Limits

    return Limits(
        settings.max_calls,
        settings.max_tokens,
        settings.max_seconds,
        None if settings.max_cost is None else Decimal(str(settings.max_cost)),
        partial=settings.on_budget == "partial",
        error_ratio=settings.max_error_ratio,
    )


def disabled_rules(settings: Settings) -> list[str]:
    """The rules that `SET llm_disabled_rules` names.

    Raises CatalogError where one does not exist.
    """
    from heliumql.optimizer import RULES

    names = [r.strip() for r in settings.disabled_rules.split(",") if r.strip()]
    for name in names:
        if name not in RULES:
            near = difflib.get_close_matches(name, RULES, 1)
            hint = f"did you mean {near[0]}?" if near else "rules: " + ", ".join(RULES)
            raise CatalogError(f"llm_disabled_rules: no rule {name}", hint=hint)
    return names


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
