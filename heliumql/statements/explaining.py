"""Explaining statements on a connection: plans them, surveys them, and makes the explanation.

`Statements` calls it for EXPLAIN, `Evaluations` for `Relation.explain`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from heliumql import syntax
from heliumql.binder.parameters import Parameters
from heliumql.explain import (
    FIRST_ROWS,
    Explanation,
    Happened,
    Stages,
    as_json,
    as_mermaid,
    as_stages,
    as_text,
    explained,
)
from heliumql.explain.build import Known, engine_names
from heliumql.explain.timeline import timelines
from heliumql.optimizer import RULES
from heliumql.physical import functions
from heliumql.physical.snapshot import in_transaction
from heliumql.physical.survey import Surveyed
from heliumql.planning.planned import Planned
from heliumql.relations.relation import Relation
from heliumql.session import Session
from heliumql.stats import Stats
from heliumql.syntax import Statement

if TYPE_CHECKING:
    from heliumql.statements.evaluations import Evaluations


@dataclass(frozen=True)
class Looked:
    """A statement that has been looked at: its plan, what a survey saw, what it comes to."""

    planned: Planned
    surveyed: Surveyed | None
    explanation: Explanation


def look_at(session: Session, text: str, parameters: Parameters, offset: int) -> Looked:
    """Plans a statement with calls, as it would be run, and surveys it; runs no call."""
    outer = syntax.shell(text)
    query, start = text, offset
    if outer.query is not None and outer.span is not None:
        query, start = outer.query, offset + outer.span.start
    if outer.kind in ("select", "create_table_as", "insert", "copy_to") and (
        outer.kind == "select" or outer.query is not None
    ):
        planned = session.planned(query, parameters, start)
    else:
        core = syntax.desugar(text, syntax.DesugarContext(functions.next_site, offset))
        planned = session.call_by_call(core, parameters, f"{outer.kind} with calls")
    return looked(session, text, planned, parameters, offset)


def looked(
    session: Session, text: str, planned: Planned, parameters: Parameters, offset: int
) -> Looked:
    """The explanation of a planned statement."""
    if planned.carried is not None and planned.carried.cuts and in_transaction(session.duckdb):
        reason = "answers are inspected inside a transaction"
        planned = session.call_by_call(planned.core, parameters, reason)
    surveyed = session.survey(planned)
    catalog = session.catalog
    models = {**catalog.builtin, **catalog.models}
    known = Known(
        session.duckdb,
        {name.lower(): model.options for name, model in models.items()},
        session.shared.learnt.operator,
        session.shared.learnt.selectivity,
        RULES,
    )
    return Looked(planned, surveyed, explained(text, offset, planned, surveyed, known))


def rendered(
    session: Session,
    statement: Statement,
    found: Looked,
    happened: Happened | None,
    form: syntax.ExplainFormat,
) -> str:
    """What was found in a format of EXPLAIN (FORMAT ..); after EXPLAIN ANALYZE what happened."""
    explanation = found.explanation
    if happened is not None:
        explanation = _with_what_happened(found, happened)
    match form:
        case "text":
            return as_text(explanation)
        case "json":
            return as_json(explanation)
        case "html":
            from heliumql.explain.page import as_html  # only where it is asked for

            return as_html(explanation)
        case "mermaid":
            return as_mermaid(explanation)
        case "stages":
            planned, surveyed = found.planned, found.surveyed
            return as_stages(
                Stages(session.duckdb, statement, planned.core, planned, surveyed, explanation)
            )


def watched(
    session: Session, evaluations: Evaluations, run: Callable[[], Relation | None]
) -> Happened:
    """What a run did, how many rows it gave, and the first few of them."""
    rows, first = 0, list[tuple[Any, ...]]()
    session.timed = True
    try:
        result = run()
        for batch in result.batches() if result is not None else ():
            rows += batch.num_rows
            if len(first) < FIRST_ROWS:
                table = pa.Table.from_batches([batch.slice(0, FIRST_ROWS - len(first))])
                first += evaluations.python_rows()(table)
    finally:
        session.timed = False
    last = evaluations.last_run
    operators = last.by_operator() if last is not None else []
    stats = evaluations.last_stats or Stats()
    times = last.times() if last is not None else ()
    return Happened(stats, rows, tuple(first), tuple(operators), times)


def _with_what_happened(found: Looked, happened: Happened) -> Explanation:
    """The explanation with what a run did, as a whole and for each operator.

    The run was planned anew, so its sites have other numbers; they stand in the same order.
    """
    explanation, sites = found.explanation, found.planned.sites
    spent = dict(zip(sorted(sites), happened.spent, strict=False))
    operators = tuple(replace(o, spent=spent.get(o.site)) for o in explanation.operators)
    names = {o.site: o.name for o in operators}
    engines = engine_names(sites)
    owners = [(names.get(n, sites[n].name), engines[id(sites[n].engine)]) for n in sorted(sites)]
    planned = explanation.schedule.workers if explanation.schedule is not None else ()
    workers = [(w.engine, w.worker) for w in planned if w.worker is not None]
    drawn = timelines([t for t in happened.times if t.site < len(owners)], owners, workers)
    return replace(explanation, operators=operators, happened=happened, timelines=drawn)
