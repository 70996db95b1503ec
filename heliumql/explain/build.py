"""Builds an explanation of a planned statement: its plan in words, and what is expected of it.

Everything that it needs from the session comes in as values, so that nothing is started or written
on the way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import duckdb

from heliumql.binder.bind import Bound, printed
from heliumql.binder.cuts import Carried
from heliumql.binder.logical import Leaf, logical_plan
from heliumql.binder.logical import Written as WrittenNames
from heliumql.binder.predicates import asked_of, predicate_key
from heliumql.binder.tree import Node
from heliumql.explain.estimates import (
    PLACEHOLDER_BYTES,
    PerCall,
    Stats,
    calls_of,
    expected_seconds,
    flows_of,
    passes_of,
    per_call,
    rows_of,
)
from heliumql.explain.explanation import (
    Explanation,
    Figure,
    OperatorShown,
    RuleShown,
    Written,
)
from heliumql.explain.schedule import ScheduleShown, schedule_shown
from heliumql.explain.tree import Weights, tree_shown, weights
from heliumql.logical import Dag, Fetch, Generate, Query
from heliumql.optimizer import Optimized
from heliumql.optimizer import Plan as TreePlan
from heliumql.physical.site import Site
from heliumql.physical.survey import Surveyed
from heliumql.prompts import Parts, Placeholder, RadixTree, Role, Text, static_prefix
from heliumql.source import Span
from heliumql.syntax import Core
from heliumql.syntax.names import common_tables, operator_names, values_tables

_CALL = re.compile(r"\w+\s*\(")
_MOST_FIRINGS = 24  # of rules, of which is told what they saved


class Planned(Protocol):
    """A planned query, as the session has it."""

    @property
    def core(self) -> Core: ...
    @property
    def sites(self) -> Mapping[int, Site]: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def bound(self) -> Bound | None: ...
    @property
    def optimized(self) -> Optimized | None: ...
    @property
    def carried(self) -> Carried | None: ...
    @property
    def reason(self) -> str: ...
    @property
    def disabled_rules(self) -> str: ...


@dataclass(frozen=True)
class Known:
    """What an explanation may look at beside the plan."""

    connection: duckdb.DuckDBPyConnection
    options: Mapping[str, Mapping[str, object]]  # of models, by name in lower case
    learnt: Callable[[bytes], Stats | None]
    selectivity: Callable[[bytes], float | None]
    rules: Sequence[str]  # of the optimizer, in their order


def explained(
    statement: str, offset: int, planned: Planned, surveyed: Surveyed | None, known: Known
) -> Explanation:
    """What the statement is going to do; sites have places from `offset` on."""
    spans = {n: (s.name, _moved(s.span, offset)) for n, s in planned.sites.items()}
    names = operator_names(spans, statement)
    fired = _rules(planned.optimized, known.rules)
    if planned.bound is None or planned.optimized is None or planned.carried is None:
        operators = tuple(_without_plan(s, names[n]) for n, s in planned.sites.items())
        return Explanation(
            statement, None, None, fired, operators, Figure(1), (), RadixTree(), None, None,
            call_by_call=planned.reason,
            written=_written(planned, names, operators, statement, offset),
        )  # fmt: skip
    before = TreePlan(planned.bound.tree, planned.optimized.plan.generates)
    leaves = leaves_of(known.connection)
    written = WrittenNames(
        {c.name.lower(): c.columns for c in common_tables(statement)},
        values_tables(statement),
    )

    templates = {n: s.template for n, s in planned.sites.items()}

    def share_of(predicate: Node) -> float | None:
        """What earlier runs learnt; of all conditions under a limit that stops early together."""
        share = 1.0
        for part in asked_of(predicate):
            key = predicate_key(part, templates)
            known_share = None if key is None else known.selectivity(key)
            if known_share is None:
                return None
            share *= known_share
        return share

    def dag(tree: TreePlan) -> Dag:
        typed = [n for n, s in planned.sites.items() if s.declared != "VARCHAR"]
        return logical_plan(
            tree.tree, planned.names, names, leaves, typed, tree.fetched, written, share_of
        )

    bound = dag(before)
    plan = dag(planned.optimized.plan) if any(r.fired for r in fired) else bound
    found = _with_plan(statement, bound, plan, fired, planned, planned.carried, surveyed, known)

    def asked(tree: TreePlan) -> float:
        return sum(rows.value for rows in rows_of(dag(tree), surveyed).values())

    return replace(
        found,
        rules=_with_saved(fired, planned.optimized, asked),
        notes=(*found.notes, *_left_out(planned.disabled_rules)),
        schedule=_schedule(planned, names, surveyed),
        flows=flows_of(plan, surveyed),
        written=_written(planned, names, found.operators, statement, offset),
    )


def _with_saved(
    rules: tuple[RuleShown, ...], optimized: Optimized, asked: Callable[[TreePlan], float]
) -> tuple[RuleShown, ...]:
    """The rules with how many rows fewer ask a model after them; those that fired stand first."""
    firings = optimized.firings[:_MOST_FIRINGS]
    saved = [
        0.0 if f.before.tree is f.after.tree else max(0.0, asked(f.before) - asked(f.after))
        for f in firings
    ]
    return (
        *(replace(r, saved=s) for r, s in zip(rules, saved, strict=False)),
        *rules[len(saved) :],
    )


def _written(
    planned: Planned,
    names: Mapping[int, str],
    operators: Sequence[OperatorShown],
    statement: str,
    offset: int,
) -> tuple[Written, ...]:
    """The calls that stand in the text of the statement itself, in their order."""
    run = {o.site for o in operators}
    found = []
    for site in planned.core.sites:
        span = _moved(site.span, offset)
        if span is None or span.end > len(statement):
            continue
        if span.start >= 0 and _CALL.match(statement, span.start):
            name = names.get(site.number, site.name)
            found.append(Written(span, name, site.number, site.number in run))
    return tuple(sorted(found, key=lambda w: w.span.start))


def engine_names(sites: Mapping[int, Site]) -> dict[int, str]:
    """What the engines are called, by id: by the models of the sites that they answer."""
    models: dict[int, dict[str, None]] = {}
    for _, site in sorted(sites.items()):
        models.setdefault(id(site.engine), {})[site.model] = None
    return {key: ", ".join(of_engine) for key, of_engine in models.items()}


def _schedule(
    planned: Planned, names: Mapping[int, str], surveyed: Surveyed | None
) -> ScheduleShown | None:
    if surveyed is None or surveyed.planned is None:
        return None
    return schedule_shown(surveyed.planned, names, engine_names(planned.sites))


def _with_plan(
    statement: str,
    bound: Dag,
    plan: Dag,
    rules: tuple[RuleShown, ...],
    planned: Planned,
    carried: Carried,
    surveyed: Surveyed | None,
    known: Known,
) -> Explanation:
    nodes: dict[int, Generate | Fetch] = {}
    for made in plan.nodes:
        if isinstance(made, Generate | Fetch):
            nodes.setdefault(made.site, made)  # a merged operator may stand in several places
    sites = {n: planned.sites[n] for n in nodes}
    options = {n: known.options.get(s.model.lower(), {}) for n, s in sites.items()}
    each = {n: per_call(known.learnt(s.template), s.spec, options[n]) for n, s in sites.items()}
    rows = rows_of(plan, surveyed)
    tree = RadixTree()
    for node in nodes.values():
        tree = tree.inserted(node.name, node.template)
    shown = []
    each_weighs: dict[str, Weights] = {}
    for number, node in nodes.items():
        seen = surveyed.sites.get(number) if surveyed is not None else None
        calls, fetched = calls_of(rows[number], seen)
        if not any(isinstance(p, Placeholder) for p in node.template):  # all rows say the same
            calls = replace(calls, value=min(calls.value, 1))
        used = each[number]
        if seen is not None and seen.rows:
            size, references = seen.prompt_bytes, seen.references
        else:
            size, references = _assumed_bytes(node.template)
        upstream = _upstream(node, nodes, each)
        prompt = size * used.tokens_per_byte + references * upstream
        each_weighs[node.name] = weights(
            node.template, used.tokens_per_byte, size, references, upstream
        )
        shown.append(
            OperatorShown(
                number,
                node.name,
                sites[number].model,
                sites[number].spec.returns.hql(),
                node.template,
                _cuts(plan, number),
                Figure(round(_bytes(static_prefix(node.template)) * used.tokens_per_byte), False),
                rows[number],
                calls,
                fetched,
                calls * Figure(prompt, exact=False),
                calls * Figure(used.output_tokens, exact=False),
                used.seconds,
                _price(options[number], calls, prompt, used.output_tokens),
            )
        )
    prices = [o.price for o in shown if o.price is not None]
    seconds = expected_seconds(
        plan,
        {o.site: o.calls or Figure(0) for o in shown},
        {o.site: o.seconds for o in shown},
        {n: (id(s.engine), max(1, s.engine.slots)) for n, s in sites.items()},
    )
    cuts = {
        f"{wait.clause}: {wait.text}": None
        for node in plan.nodes if isinstance(node, Query) for wait in node.waits
    }  # fmt: skip
    return Explanation(
        statement,
        bound,
        plan,
        rules,
        tuple(shown),
        passes_of(plan, surveyed, carried),
        tuple(cuts),
        tree,
        seconds,
        sum(prices) if prices else None,
        tuple(_notes(surveyed, [o for o in shown if each[o.site].assumed], shown)),
        prompt_tree=tree_shown(tree, each_weighs),
    )


def _rules(optimized: Optimized | None, names: Sequence[str]) -> tuple[RuleShown, ...]:
    """Every firing in its order, then the rules that did nothing."""
    firings = optimized.firings if optimized is not None else ()
    fired = [RuleShown(f.rule, tuple(map(_worded, f.what)), fired=True) for f in firings]
    quiet = [RuleShown(n) for n in names if n not in {f.rule for f in firings}]
    return (*fired, *quiet)


def _worded(what: str) -> str:
    """Without the names that DuckDB makes up for parts of a lateral join."""
    return re.sub(r"__duckdb_delim\w*(, __duckdb_delim\w*)*", "rows of a lateral join", what)


def _without_plan(site: Site, name: str) -> OperatorShown:
    """What is known of a call that is evaluated where it stands."""
    template: Parts = (Role("user"), Text(site.text or ""))
    return OperatorShown(
        site.number, name, site.model, site.spec.returns.hql(), template, (), Figure(0, False)
    )


def _cuts(plan: Dag, site: int) -> tuple[str, ...]:
    found = {
        f"{wait.clause}: {wait.text}": None
        for node in plan.nodes if isinstance(node, Query)
        for wait in node.waits if site in wait.sites
    }  # fmt: skip
    return tuple(found)


def _assumed_bytes(template: Parts) -> tuple[float, float]:
    """Bytes of a prompt that nobody has seen, and how many answers are in it."""
    size = sum(_bytes(p.text) for p in template if isinstance(p, Text))
    columns = sum(1 for p in template if isinstance(p, Placeholder) and not p.operators)
    answers = sum(len(p.operators) for p in template if isinstance(p, Placeholder))
    return size + columns * PLACEHOLDER_BYTES, answers


def _upstream(
    node: Generate | Fetch,
    nodes: Mapping[int, Generate | Fetch],
    each: Mapping[int, PerCall],
) -> float:
    """The mean length of the answers inside the messages of an operator."""
    names = {o for p in node.template if isinstance(p, Placeholder) for o in p.operators}
    lengths = [each[n].output_tokens for n, other in nodes.items() if other.name in names]
    return sum(lengths) / len(lengths) if lengths else 0.0


def _price(
    options: Mapping[str, object], calls: Figure, prompt_tokens: float, output_tokens: float
) -> float | None:
    """Of all calls, where the model has prices (per million tokens)."""
    price_in, price_out = (float(str(options.get(k) or 0)) for k in ("price_in", "price_out"))
    if not price_in and not price_out:
        return None
    return calls.value * (prompt_tokens * price_in + output_tokens * price_out) / 1e6


def _left_out(names: str) -> Iterable[str]:
    """The rules and techniques that `SET llm_disabled_rules` names."""
    if names.strip():
        yield f"Not used (llm_disabled_rules): {', '.join(n.strip() for n in names.split(','))}."


def _notes(
    surveyed: Surveyed | None,
    assumed: Sequence[OperatorShown],
    operators: Sequence[OperatorShown],
) -> Iterable[str]:
    """What the figures rest on."""
    if surveyed is None:
        yield "Nothing was evaluated; rows are DuckDB's estimates."
    elif surveyed.failure is not None:
        yield f"Evaluating it ends in an error: {surveyed.failure}"
    elif surveyed.stopped:
        yield "There is too much to look at all of it; rows and calls are estimates."
    elif any(o.rows is not None and not o.rows.exact for o in operators):
        yield (
            "Rows behind a cut, or of calls made of answers that may be NULL, are not known before"
            " answers come; they are estimates (~)."
        )
    if assumed:
        names = ", ".join(o.name for o in assumed)
        yield (
            f"No run has shown yet how long the answers of {names} are:"
            " 4 bytes a token and a quarter of max_tokens are assumed."
        )


def leaves_of(connection: duckdb.DuckDBPyConnection) -> Callable[[Node], Leaf]:
    """Asks DuckDB for the columns of a table, and about how many rows it has."""
    text = json.loads(
        connection.execute("SELECT json_serialize_sql('SELECT * FROM t')").fetchall()[0][0]
    )
    query = text["statements"][0]["node"]
    known: dict[str, Leaf] = {}

    def leaf(source: Node) -> Leaf:
        node = {**query, "from_table": {**source, "alias": "", "column_name_alias": []}}
        try:
            sql = printed(connection, node)
            if sql not in known:
                rows = connection.execute("DESCRIBE " + sql).fetchall()
                plan = connection.execute("EXPLAIN (FORMAT json) " + sql).fetchall()[0][1]
                known[sql] = Leaf(tuple(r[0] for r in rows), _cardinality(json.loads(plan)))
            return known[sql]
        except duckdb.Error:  # a relation that stands by itself nowhere else
            return Leaf(())

    return leaf


def _cardinality(plan: Sequence[Mapping[str, object]]) -> int | None:
    """DuckDB's estimate at the top of a plan."""
    info = plan[0].get("extra_info") if plan else None
    found = info.get("Estimated Cardinality") if isinstance(info, dict) else None
    return int(str(found)) if found is not None else None


def _moved(span: Span | None, offset: int) -> Span | None:
    return None if span is None else replace(span, start=span.start - offset, end=span.end - offset)


def _bytes(text: str) -> int:
    return len(text.encode())
