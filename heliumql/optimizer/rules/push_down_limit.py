"""Rule: LIMIT goes below projections, down to the predicate that asks a model."""

from __future__ import annotations

from heliumql.binder.tree import Node
from heliumql.optimizer.blocks import (
    Column,
    can_split,
    is_fence,
    is_plain_select,
    is_row_by_row,
    is_select,
    map_queries,
    substituted,
    with_inner,
)
from heliumql.optimizer.plan import Plan
from heliumql.optimizer.rule import RuleContext


def push_down_limit(plan: Plan, context: RuleContext) -> Plan:
    """Take LIMIT, with the ORDER BY that it needs, to the block whose predicate asks a model.

    A block that gives one row for each of its rows lets LIMIT through: the first rows above are the
    first rows below. There it can stop early (limit_stops_early). The order stays above, too.

        before  SELECT r.c0 FROM (SELECT id, llm(a) FROM t WHERE llm(b)) AS r ORDER BY r.c0 LIMIT 5
        after   SELECT r.c0 FROM (SELECT id, llm(a) FROM t WHERE llm(b) ORDER BY id LIMIT 5) AS r
                ORDER BY r.c0 LIMIT 5

    It must not fire
    - through a predicate: LIMIT takes rows that pass it;
    - through DISTINCT, groups, windows, unnest or another LIMIT: their rows are not those below;
    - where ORDER BY reads an answer, or a volatile expression;
    - where no predicate below asks a model: DuckDB moves such a LIMIT by itself.

    >>> shown(push_down_limit, '''
    ...     SELECT t.id, llm(t.k) AS x FROM t LEFT JOIN u ON t.k = u.k
    ...     WHERE llm(body || name) = 'a' ORDER BY t.id LIMIT 2 ''')
    SELECT r7.c0 AS id, r7.c1 AS x FROM (SELECT r5.c1 AS c0, llm(CAST(r5.c0 AS VARCHAR)) AS
    c1 FROM (SELECT r0.column2 AS c0, r0.column0 AS c1 FROM (t AS r0(column0, column1,
    column2) LEFT JOIN u AS r2(column0, column1) ON ((r0.column2 = r2.column0))) WHERE
    (llm((r0.column1 || r2.column1)) = 'a') ORDER BY r0.column0 ASC NULLS LAST LIMIT 2
    OFFSET 0) AS r5(c0, c1) ORDER BY r5.c1 ASC NULLS LAST LIMIT 2) AS r7(c0, c1) ORDER BY
    r7.c0 ASC NULLS LAST LIMIT 2
    """

    def pushed(block: Node) -> Node:
        if not is_select(block) or block["where_clause"] is not None:
            return block
        table = block["from_table"]
        if table["type"] != "SUBQUERY" or table.get("sample"):
            return block
        inner = table["subquery"]["node"]
        aggregates = context.known.aggregates
        if not is_plain_select(block, aggregates) or not is_row_by_row(inner, aggregates):
            return block
        if not _has_limit(block) or not can_split(block) or context.is_volatile(block):
            return block
        given = table["column_name_alias"] or []
        names: dict[Column, Node] = {
            (table["alias"].lower(), name.lower()): {**output, "alias": ""}
            for name, output in zip(given, inner["select_list"], strict=False)
        }
        orders = [m for m in block["modifiers"] if m["type"] == "ORDER_MODIFIER"]
        below = [
            {**m, "orders": [{**o, "expression": substituted(o["expression"], names)}
                             for o in m["orders"]]}
            for m in orders
        ]  # fmt: skip
        if any(context.answers.read_by(m) for m in below):
            return block
        (limit,) = [m for m in block["modifiers"] if m["type"] == "LIMIT_MODIFIER"]
        limited = pushed({**inner, "modifiers": [*below, limit]})
        if limited["modifiers"] == [*below, limit] and not _asks(limited, context):
            return block
        above = [*orders, {**limit, "offset": None}]  # the rows to skip are gone below
        return {**block, "from_table": with_inner(table, limited), "modifiers": above}

    def at(block: Node, recursive: bool) -> Node:
        after = pushed(block)
        if after is not block:
            context.did("LIMIT is below a projection, where a model is asked")
        return after

    return plan.with_tree(map_queries(plan.tree, at))


def _has_limit(block: Node) -> bool:
    """Beside ORDER BY the block has one LIMIT, and that one is the user's."""
    others = [m for m in block["modifiers"] if m["type"] != "ORDER_MODIFIER"]
    return len(others) == 1 and others[0]["type"] == "LIMIT_MODIFIER" and not is_fence(others[0])


def _asks(block: Node, context: RuleContext) -> bool:
    return bool(context.lifting.split(block["where_clause"])[1])
