"""The session: THE MAP. `Session.planned` and `Session.evaluation` are the way of a query.

text -> statements -> core SQL -> bound tree -> rewritten tree -> passes -> call graph
        syntax        syntax      binder        binder            physical  calls
     -> schedule -> engines -> answers -> rows
        scheduling  engines    calls      physical

Each method imports the rooms that it leads through, so that SQL without calls starts at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb

from heliumql import frames, syntax
from heliumql.binder.copied import Copies, are_there, with_copies
from heliumql.catalog import Catalog, Model, Settings
from heliumql.errors import HeliumQLError
from heliumql.physical import functions
from heliumql.physical.snapshot import in_transaction
from heliumql.planning.planned import Planned
from heliumql.shared import Shared
from heliumql.stats import Progress
from heliumql.syntax import CallSite, Core
from heliumql.trace import Trace, Track, span

if TYPE_CHECKING:
    from heliumql.binder.bind import Bound
    from heliumql.binder.cuts import Carried
    from heliumql.binder.parameters import Parameters
    from heliumql.binder.tree import Node
    from heliumql.optimizer import Optimized
    from heliumql.physical.context import Context
    from heliumql.physical.each import EachCall
    from heliumql.physical.passes import Passes
    from heliumql.physical.site import Site
    from heliumql.physical.survey import Surveyed
    from heliumql.physical.together import Together


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

    # the way of a query ----------------------------------------------------------------------

    def planned(
        self, text: str, parameters: Parameters, offset: int, track: Track | None = None
    ) -> Planned:
        """From the text of a query to what can be evaluated; asks no model.

        `track` is the statement's in a trace, if it has been planned before.
        """
        if track is None and self.trace is not None:
            track = self.trace.statement(text)
        with span(track, "plan"):
            with span(track, "desugar"):
                core = syntax.desugar(text, syntax.DesugarContext(functions.next_site, offset))
            core, copied = with_copies(self.duckdb, core, frames.current(), self.copies)
            return replace(self._planned_core(core, text, parameters, offset, track), copied=copied)

    def _planned_core(
        self, core: Core, text: str, parameters: Parameters, offset: int, track: Track | None
    ) -> Planned:
        from heliumql.binder.bind import bind
        from heliumql.binder.cuts import Unsupported
        from heliumql.binder.volatile import evaluated_once, is_volatile
        from heliumql.planning.columns import shown_names
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
            names = shown_names(bound.names, known)
            return Planned(
                core, sites, names, bound.types, bound, optimized, carried,
                disabled_rules=self.settings.disabled_rules, track=track,
            )  # fmt: skip
        except Unsupported as reason:
            return self.call_by_call(core, parameters, str(reason), track)

    def _optimized(
        self, bound: Bound, sites: Mapping[int, Site], names: Mapping[int, str]
    ) -> Optimized:
        """The plan after the rules."""
        from heliumql.optimizer import PHASES, Plan, optimize
        from heliumql.planning.knowledge import disabled_rules, generates_of, knowledge

        plan = Plan(bound.tree, generates_of(sites, names, self.shared))
        known = knowledge(self.duckdb, self.shared, self._aggregates())
        return optimize(plan, known, PHASES, disabled_rules(self.settings))

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

    # other ways, and what all of them need ---------------------------------------------------

    def call_by_call(
        self, core: Core, parameters: Parameters, reason: str, track: Track | None = None
    ) -> Planned:
        """A statement whose calls run where SQL evaluates them."""
        from heliumql.planning.columns import described

        if track is None and self.trace is not None:
            track = self.trace.statement(core.text)
        sites = {s.number: self.site(s) for s in core.sites}
        for number, site in self.sites.items():
            try:
                sites[number] = self.site(site)
            except HeliumQLError:  # of a view that this statement need not name
                continue
        names, types = described(self.duckdb, core, parameters)
        return Planned(core, sites, names, types, reason=reason, track=track)

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
        from heliumql.planning.knowledge import stored_kinds

        assert planned.optimized is not None
        generates = planned.optimized.plan.generates.values()
        return planned.disabled_rules == self.settings.disabled_rules and (
            {g.kind for g in generates if g.stored} == set(stored_kinds(planned.sites, self.shared))
        )

    def together(self) -> Together:
        """What queries evaluated together have in common."""
        from heliumql.physical.together import Together

        return Together(self._context({}))

    def _context(self, sites: Mapping[int, Site]) -> Context:
        from heliumql.calls.budget import limits_of
        from heliumql.catalog.techniques import disabled_techniques
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
            off=disabled_techniques(settings.disabled_rules),
            timed=self.timed,
            traced=self.trace is not None,
            verify=settings.verify,
            lossless=bool(self.duckdb.execute(lossless).fetchall()[0][0]),
            names=frames.current(),
            progress=self.progress,
            interrupted=self.interrupted,
        )

    def model(self, name: str | None) -> Model:
        """The model of that name; None: of calls that name none."""
        name = name or self.settings.default_model or self.catalog.default_model(None)
        return self.catalog.model(name, None)

    def site(self, call: CallSite) -> Site:
        """The call site bound to its model, engine and parameters."""
        from heliumql.planning.sites import bound_site

        return bound_site(call, self.catalog, self.settings, self.shared)

    def _aggregates(self) -> frozenset[str]:
        from heliumql.planning.knowledge import aggregates

        if not hasattr(self, "_aggregate_names"):
            self._aggregate_names = aggregates(self.duckdb)
        return self._aggregate_names
