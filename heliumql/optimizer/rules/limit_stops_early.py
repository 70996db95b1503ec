"""Rule: LIMIT over a predicate that asks a model asks block by block until it has enough."""

from __future__ import annotations

from heliumql.binder import tree
from heliumql.binder.cuts import ENOUGH, bound, early
from heliumql.binder.predicates import predicate_key
from heliumql.binder.tree import Node
from heliumql.optimizer.blocks import (
    Aliases,
    below,
    calls_in,
    can_split,
    is_fence,
    is_plain_select,
    limit,
    map_queries,
    over,
    subquery,
    substituted,
)
from heliumql.optimizer.plan import Plan
from heliumql.optimizer.rule import RuleContext

_MOST = 10_000  # rows; who wants more than these wants all of them
_LEAST_BLOCK = 8  # rows
_UNKNOWN = 0.5  # selectivity of a predicate that was never run


def limit_stops_early(plan: Plan, context: RuleContext) -> Plan:
    """Ask about the first rows only, and about more of them while LIMIT has not got enough.

    The rows are numbered in the order in which LIMIT takes them, and a pass sees those up to a
    bound; where too few were accepted and there are more, the bound grows for the next pass. With
    ORDER BY the rows are numbered in its order, and rows with equal keys are seen together.

        before  SELECT id FROM t WHERE llm(body) LIMIT 5
        after   SELECT id FROM (SELECT *, row_number() OVER () AS n FROM t LIMIT <bound>)
                WHERE enough(n, llm(body)) LIMIT 5

    It must not fire
    - below an aggregate, a window, DISTINCT or a set operation: they need every row;
    - where ORDER BY reads an answer: which rows are first is not known before all are asked;
    - where ORDER BY casts what may not fit: the predicate may keep such rows from it;
    - in a recursion: each step reads other rows;
    - where the number of rows is not a constant, or is very large;
    - over a volatile input: its rows would be others in each pass.

    >>> shown(limit_stops_early, "SELECT id FROM t WHERE llm(body) = 'yes' LIMIT 5")
    SELECT h0.c1 AS id FROM (SELECT r0.column1 AS c0, r0.column0 AS c1, row_number() OVER ()
    AS n FROM t AS r0(column0, column1, column2) LIMIT <bound>) AS h0(c0, c1, n) WHERE
    enough(h0.n, h0.n, (llm(h0.c0) = 'yes')) LIMIT 5
    """
    aliases = Aliases.of(plan.tree)
    number = 0

    def at(block: Node, recursive: bool) -> Node:
        nonlocal number
        if (
            recursive
            or not is_plain_select(block, context.known.aggregates)
            or not can_split(block)
        ):
            return block
        wanted = _wanted(block)
        plain, asking = context.lifting.split(block["where_clause"])
        if wanted is None or not asking or context.is_volatile(block) or _counts_already(asking):
            return block
        orders = [m for m in block["modifiers"] if m["type"] == "ORDER_MODIFIER"]
        if any(context.answers.read_by(o) for o in orders) or not context.never_fails(orders):
            return block
        above = tree.conjunction(asking)
        assert above is not None
        alias = aliases.fresh()
        query, names = below(block, tree.conjunction(plain), above, alias)
        row = place = tree.column(alias, "n")
        numbered = [*query["select_list"], tree.named(_numbers("row_number", orders), "n")]
        seen: list[Node] = []
        if orders:
            numbered.append(tree.named(_numbers("rank", orders), "k"))
            place = tree.column(alias, "k")
            seen.append(_at_most(place, bound(number)))
        query = {**query, "select_list": numbered}
        if not orders:
            query["modifiers"] = [{**limit(1), "limit": bound(number)}]
        table = subquery(query, alias, [e["alias"] for e in numbered])
        asks = substituted(above, names)
        first = _first(asking, wanted, plan, context)
        where = tree.conjunction([*seen, early(number, wanted, first, row, place, asks)])
        number += 1
        asked = ", ".join(plan.generates[n].name for n in dict.fromkeys(calls_in(asking)))
        context.did(f"{asked or 'a predicate'} is asked until LIMIT has {wanted:,} rows")
        return over(block, table, names, where)

    return plan.with_tree(map_queries(plan.tree, at))


def _counts_already(asking: list[Node]) -> bool:
    return any(n.get("function_name") == ENOUGH for n in asking)


def _wanted(block: Node) -> int | None:
    """How many rows LIMIT and OFFSET take; None where nothing says so, or only ORDER BY beside."""
    limits = [m for m in block["modifiers"] if m["type"] != "ORDER_MODIFIER"]
    if len(limits) != 1 or limits[0]["type"] != "LIMIT_MODIFIER" or is_fence(limits[0]):
        return None
    if limits[0].get("limit_type", "ROW_COUNT") != "ROW_COUNT" or limits[0]["limit"] is None:
        return None
    count = tree.constant_integer(limits[0]["limit"])
    offset = limits[0].get("offset")
    skipped = 0 if offset is None else tree.constant_integer(offset)
    if count is None or skipped is None or not 0 < count + skipped <= _MOST:
        return None
    return count + skipped


def _first(asking: list[Node], wanted: int, plan: Plan, context: RuleContext) -> int:
    """Rows of the first block: those that should do, by what is known of the predicates."""
    templates = {n: g.template for n, g in plan.generates.items()}
    share = 1.0
    for predicate in asking:
        key = predicate_key(predicate, templates)
        known = None if key is None else context.known.learnt.selectivity(key)
        share *= _UNKNOWN if known is None else max(0.01, known)
    return max(_LEAST_BLOCK, min(4 * _MOST, int(1.2 * wanted / share) + 1))


def _numbers(function: str, orders: list[Node]) -> Node:
    """row_number() or rank() OVER (ORDER BY the order of the block)."""
    return {
        "class": "WINDOW",
        "type": "WINDOW_ROW_NUMBER" if function == "row_number" else "WINDOW_RANK",
        "alias": "",
        "function_name": function,
        "schema": "main",
        "catalog": "system",
        "partitions": [],
        "orders": [o for m in orders for o in m["orders"]],
        "start": "UNBOUNDED_PRECEDING",
        "end": "CURRENT_ROW_RANGE",
        "start_expr": None,
        "end_expr": None,
        "offset_expr": None,
        "default_expr": None,
        "ignore_nulls": False,
        "filter_expr": None,
        "exclude_clause": "NO_OTHER",
        "distinct": False,
        "arg_orders": [],
        "has_ignore_nulls": False,
        "arguments": [],
        "qualified_name": {"path": ["system", "main", function]},
    }


def _at_most(column: Node, most: Node) -> Node:
    return {
        "class": "COMPARISON",
        "type": "COMPARE_LESSTHANOREQUALTO",
        "alias": "",
        "left": column,
        "right": most,
    }
