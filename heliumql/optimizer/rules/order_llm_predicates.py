"""Rule: of several predicates that ask a model, the one that saves most for its cost goes first."""

from __future__ import annotations

import math

from heliumql.binder import tree
from heliumql.binder.predicates import predicate_key
from heliumql.binder.tree import Node
from heliumql.optimizer.blocks import calls_in, is_select, map_queries
from heliumql.optimizer.plan import Plan
from heliumql.optimizer.rule import RuleContext
from heliumql.optimizer.totality import never_fails

_NOTABLE = 1.5  # a smaller factor between two ranks is no reason for another order
_GROWN = 10  # times as many rows as were seen: most of them are new. DuckDB guesses how many.
_UNKNOWN = 0.5  # selectivity of a predicate that was never run
_LEAST_DROPPED = (
    0.01  # a predicate that seems to let everything through is still not infinitely dear
)


def order_llm_predicates(plan: Plan, context: RuleContext) -> Plan:
    """Ask the predicate with the least cost / (1 - selectivity) first: rows it drops ask no more.

    The cost of a predicate is what its calls are expected to take: nothing where their answers are
    in the store, else tokens by price or, where the model is free, by time. Selectivity, the share
    of rows that it lets through, is learnt from earlier runs. The rank of this order is that of
    expensive predicates in Hellerstein and Stonebraker, SIGMOD 1993. Under OR the order is by
    cost / selectivity: what it accepts asks no more.

        before  WHERE llm(long text) = 'a' AND llm(short text) = 'b'
        after   WHERE llm(short text) = 'b' AND llm(long text) = 'a'

    It must not fire
    - where a predicate may fail (a cast, arithmetic, a call whose failure fails the statement): the
      one before may keep such rows from it;
    - across CASE: its conditions say what is asked when;
    - where nothing tells one predicate from the other: the user's order stays;
    - on rows of which it was asked before in another order: asking them again costs nothing as long
      as the order is the same.

    >>> shown(order_llm_predicates, '''
    ...     SELECT id FROM t WHERE dear_llm(body) = 'a' AND llm(body) = 'b' ''')
    SELECT r0.column0 AS id FROM t AS r0(column0, column1, column2) WHERE ((llm(r0.column1)
    = 'b') AND (dear_llm(r0.column1) = 'a'))
    """

    def at(block: Node, recursive: bool) -> Node:
        if not is_select(block) or block["where_clause"] is None:
            return block
        plain, asking = context.lifting.split(block["where_clause"])
        if len(calls_in(asking)) < 2:
            return block
        below = tree.select([tree.TRUE], block["from_table"], tree.conjunction(plain))
        rows = context.known.rows(below)
        asking = [_ordered_inside(p, rows, plan, context) for p in asking]
        ordered = _ordered(asking, rows, plan, context, accepts=False)
        before = context.lifting.split(block["where_clause"])[1]
        if all(a is b for a, b in zip(ordered, before, strict=True)):
            return block
        names = (plan.generates[n].name for n in dict.fromkeys(calls_in(ordered)))
        context.did(f"in this order: {', '.join(names)}")
        return {**block, "where_clause": tree.conjunction([*plain, *ordered])}

    return plan.with_tree(map_queries(plan.tree, at))


def _ordered_inside(predicate: Node, rows: float | None, plan: Plan, context: RuleContext) -> Node:
    """An OR with its branches in order; other predicates as they are."""
    if predicate["class"] != "CONJUNCTION" or predicate["type"] != "CONJUNCTION_OR":
        return predicate
    children = predicate["children"]
    ordered = _ordered(children, rows, plan, context, accepts=True)
    if all(a is b for a, b in zip(ordered, children, strict=True)):
        return predicate
    return {**predicate, "children": ordered}


def _ordered(
    predicates: list[Node],
    rows: float | None,
    plan: Plan,
    context: RuleContext,
    *,
    accepts: bool,
) -> list[Node]:
    asking = [p for p in predicates if context.answers.read_by(p)]
    if len(asking) < 2 or not all(never_fails(p, plan) for p in asking):
        return predicates
    if any(plan.generates[n].on_error == "fail" for n in calls_in(asking)):
        return predicates
    if any(_was_asked(p, rows, plan, context) for p in asking):
        # The same rows as before, it seems: what was asked of most of them was asked first.
        return sorted(predicates, key=lambda p: -_answers(p, plan))
    ranks = {id(p): _rank(p, plan, context, accepts=accepts) for p in predicates}
    if max(ranks.values()) <= _NOTABLE * min(ranks.values()):
        return predicates
    return sorted(predicates, key=lambda p: ranks[id(p)])


def _was_asked(predicate: Node, rows: float | None, plan: Plan, context: RuleContext) -> bool:
    """The store has answers for it, and it has seen about as many rows as DuckDB expects now."""
    if not calls_in(predicate) or not _answers(predicate, plan):
        return False
    key = predicate_key(predicate, {n: g.template for n, g in plan.generates.items()})
    seen = 0 if key is None else context.known.learnt.tested(key)
    return rows is None or not seen or rows <= _GROWN * seen


def _answers(predicate: Node, plan: Plan) -> float:
    """How many answers the store has of what the predicate asks; plain ones go first."""
    return min((plan.generates[n].answers for n in calls_in(predicate)), default=math.inf)


def _rank(predicate: Node, plan: Plan, context: RuleContext, *, accepts: bool) -> float:
    templates = {n: g.template for n, g in plan.generates.items()}
    key = predicate_key(predicate, templates)
    known = None if key is None else context.known.learnt.selectivity(key)
    selectivity = _UNKNOWN if known is None else known
    decides = selectivity if accepts else 1 - selectivity
    cost = sum(plan.cost(n) for n in dict.fromkeys(calls_in(predicate)))
    return cost / max(_LEAST_DROPPED, decides)
