"""Rule: semi and anti joins that keep their right side are written with it on the left."""

from __future__ import annotations

from heliumql.binder.tree import Node
from heliumql.optimizer.blocks import calls_in, is_select, map_queries
from heliumql.optimizer.plan import Plan
from heliumql.optimizer.rule import RuleContext

_SWAPPED = {"RIGHT_SEMI": "SEMI", "RIGHT_ANTI": "ANTI"}


def swap_semi_join(plan: Plan, context: RuleContext) -> Plan:
    """Write RIGHT_SEMI and RIGHT_ANTI joins as SEMI and ANTI joins with their sides swapped.

    DuckDB chooses the side that it hashes and says so in the kind of the join; which one it hashes
    is decided anew when a pass runs. Rules and cuts know SEMI and ANTI only.

        before  u RIGHT_SEMI JOIN t ON u.k = t.k
        after   t SEMI JOIN u ON u.k = t.k

    It must not fire on MARK and SINGLE joins: their rows are not those of one side.

    >>> shown(swap_semi_join, "SELECT id FROM t WHERE k IN (SELECT k FROM u) AND llm(body) = 'a'")
    SELECT r5.c1 AS id FROM ((SELECT r4.c0 AS c0, r4.c1 AS c1 FROM (SELECT r3.column2 AS c0,
    r3.column0 AS c1 FROM t AS r3(column0, column1, column2) WHERE (llm(r3.column1) = 'a'))
    AS r4(c0, c1) WHERE (r4.c0 <= 2)) AS r5(c0, c1) SEMI JOIN u AS r0(column0, column1) ON
    ((r0.column0 = r5.c0)))
    """

    def join(source: Node) -> Node:
        if source["type"] != "JOIN":
            return source
        left, right = join(source["left"]), join(source["right"])
        kind = source["join_type"]
        if source["ref_type"] == "REGULAR" and kind in _SWAPPED:
            return {**source, "left": right, "right": left, "join_type": _SWAPPED[kind]}
        if left is source["left"] and right is source["right"]:
            return source
        return {**source, "left": left, "right": right}

    def at(block: Node, recursive: bool) -> Node:
        if not is_select(block):
            return block
        source = join(block["from_table"])
        if source is block["from_table"]:
            return block
        context.did("a semi join keeps its left side")
        return {**block, "from_table": source}

    return plan.with_tree(map_queries(plan.tree, at)) if calls_in(plan.tree) else plan
