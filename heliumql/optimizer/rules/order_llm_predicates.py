"""Rule: of several predicates that ask a model, the one that saves most for its cost goes first."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from heliumql.binder import tree
from heliumql.binder.predicates import predicate_key
from heliumql.binder.tree import Node
from heliumql.optimizer.blocks import calls_in, is_select, map_queries
from heliumql.optimizer.plan import Order, Plan
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
    - on rows of which the same predicates were asked before in another order: asking them again
      costs nothing as long as the order is the same.

    >>> shown(order_llm_predicates, '''
    ...     SELECT id FROM t WHERE dear_llm(body) = 'a' AND llm(body) = 'b' ''')
    SELECT r0.column0 AS id FROM t AS r0(column0, column1, column2) WHERE ((llm(r0.column1)
    = 'b') AND (dear_llm(r0.column1) = 'a'))
    """

    orders: list[Order] = []

    def at(block: Node, recursive: bool) -> Node:
        if not is_select(block) or block["where_clause"] is None:
            return block
        plain, asking = context.lifting.split(block["where_clause"])
        if len(calls_in(asking)) < 2:
            return block
        below = tree.select([tree.TRUE], block["from_table"], tree.conjunction(plain))
        ordering = _Ordering(plan, context, context.known.rows(below), orders)
        ordered = ordering.of([ordering.inside(p) for p in asking], accepts=False)
        if all(a is b for a, b in zip(ordered, asking, strict=True)):
            return block
        names = (plan.generates[n].name for n in dict.fromkeys(calls_in(ordered)))
        context.did(f"in this order: {', '.join(names)}")
        return {**block, "where_clause": tree.conjunction([*plain, *ordered])}

    after = plan.with_tree(map_queries(plan.tree, at))
    return replace(after, orders=tuple(orders)) if orders and not plan.orders else after


@dataclass(frozen=True)
class _Ordering:
    """Orders the predicates of one block; `rows` is how many rows DuckDB expects of it."""

    plan: Plan
    context: RuleContext
    rows: float | None
    orders: list[Order]

    def inside(self, predicate: Node) -> Node:
        """An OR with its branches in order; other predicates as they are."""
        if predicate["class"] != "CONJUNCTION" or predicate["type"] != "CONJUNCTION_OR":
            return predicate
        children = predicate["children"]
        ordered = self.of(children, accepts=True)
        if all(a is b for a, b in zip(ordered, children, strict=True)):
            return predicate
        return {**predicate, "children": ordered}

    def of(self, predicates: list[Node], *, accepts: bool) -> list[Node]:
        """The predicates as they were asked before, else by what they cost and decide."""
        asking = [p for p in predicates if self.context.answers.read_by(p)]
        if len(asking) < 2 or not all(never_fails(p, self.plan) for p in asking):
            return predicates
        if any(self.plan.generates[n].on_error == "fail" for n in calls_in(asking)):
            return predicates
        templates = {n: g.template for n, g in self.plan.generates.items()}
        keys = {id(p): predicate_key(p, templates) for p in asking}
        if None in keys.values() or len(set(keys.values())) < len(keys):
            return predicates  # nothing tells them apart from run to run
        names = {p: key for p, key in keys.items() if key is not None}
        block = hashlib.blake2b(
            b"".join([b"or" if accepts else b"and", *sorted(names.values())]), digest_size=16
        ).digest()
        ordered = self._as_before(predicates, names, block) or self._by_rank(predicates, accepts)
        order = tuple(names[id(p)] for p in ordered if id(p) in names)
        self.orders.append(Order(block, order, self.rows))
        return ordered

    def _as_before(
        self, predicates: list[Node], names: Mapping[int, bytes], block: bytes
    ) -> list[Node] | None:
        """The order of the last run, if most rows may be those of then."""
        before = self.context.known.learnt.order(block)
        asked = [self.plan.generates[n] for p in predicates for n in calls_in(p)]
        if before is None or not any(g.answers for g in asked):
            return None
        order, rows = before
        if rows is not None and self.rows is not None and self.rows > _GROWN * rows:
            return None
        places = {key: number for number, key in enumerate(order)}
        return sorted(predicates, key=lambda p: places.get(names.get(id(p), b""), -1))

    def _by_rank(self, predicates: list[Node], accepts: bool) -> list[Node]:
        ranks = {id(p): _rank(p, self.plan, self.context, accepts=accepts) for p in predicates}
        if max(ranks.values()) <= _NOTABLE * min(ranks.values()):
            return predicates
        return sorted(predicates, key=lambda p: ranks[id(p)])


def _rank(predicate: Node, plan: Plan, context: RuleContext, *, accepts: bool) -> float:
    templates = {n: g.template for n, g in plan.generates.items()}
    key = predicate_key(predicate, templates)
    known = None if key is None else context.known.learnt.selectivity(key)
    selectivity = _UNKNOWN if known is None else known
    decides = selectivity if accepts else 1 - selectivity
    cost = sum(plan.cost(n) for n in dict.fromkeys(calls_in(predicate)))
    return cost / max(_LEAST_DROPPED, decides)
