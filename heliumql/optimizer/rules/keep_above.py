"""Rule: keeps DuckDB from moving predicates that ask a model below what they stand above."""

from __future__ import annotations

from heliumql.binder import tree
from heliumql.binder.cuts import NO_LIMIT
from heliumql.binder.tree import Node
from heliumql.optimizer.blocks import (
    Aliases,
    below,
    calls_in,
    can_split,
    is_select,
    limit,
    map_queries,
    over,
    subquery,
    substituted,
)
from heliumql.optimizer.plan import Plan
from heliumql.optimizer.rule import RuleContext


def keep_above(plan: Plan, context: RuleContext) -> Plan:
    """Keep predicates that ask a model above the joins and subqueries that they stand above.

    DuckDB optimizes each pass once more and would push them down again. A LIMIT that lets every
    row through stands in its way, and costs nothing.

        before  SELECT r.c0 FROM u JOIN t AS r ON .. WHERE llm(r.c1)
        after   SELECT h0.c0 FROM (SELECT r.c0, r.c1 FROM u JOIN t AS r ON ..
                                   LIMIT 9223372036854775807) AS h0 WHERE llm(h0.c1)

    It must not fire
    - over a table that is read by itself: there is nothing below to move to;
    - over a LIMIT or a window: DuckDB moves nothing below these.

    >>> shown(keep_above, '''
    ...     SELECT t.id FROM t LEFT JOIN u ON t.k = u.k WHERE llm(t.body || u.name) = 'yes' ''')
    SELECT r5.c0 AS id FROM (SELECT h0.c2 AS c0 FROM (SELECT r0.column1 AS c0, r2.column1 AS
    c1, r0.column0 AS c2 FROM (t AS r0(column0, column1, column2) LEFT JOIN u AS r2(column0,
    column1) ON ((r0.column2 = r2.column0))) LIMIT 9223372036854775807) AS h0(c0, c1, c2)
    WHERE (llm((h0.c0 || h0.c1)) = 'yes')) AS r5(c0)
    """
    aliases = Aliases.of(plan.tree)

    def at(block: Node, recursive: bool) -> Node:
        if not is_select(block) or not can_split(block) or block.get("sample"):
            return block
        plain, asking = context.lifting.split(block["where_clause"])
        if not asking or not _has_below(block["from_table"]):
            return block
        above = tree.conjunction(asking)
        assert above is not None
        alias = aliases.fresh()
        query, names = below(block, tree.conjunction(plain), above, alias)
        query["modifiers"] = [limit(NO_LIMIT)]
        table = subquery(query, alias, [e["alias"] for e in query["select_list"]])
        asked = dict.fromkeys(plan.generates[n].name for n in calls_in(asking))
        context.did(f"DuckDB does not move {', '.join(asked) or 'a predicate'} down again")
        return over(block, table, names, substituted(above, names))

    return plan.with_tree(map_queries(plan.tree, at))


def _has_below(source: Node) -> bool:
    """DuckDB could move a predicate into this FROM."""
    match source["type"]:
        case "JOIN":
            return True
        case "BASE_TABLE":
            return not source["schema_name"]  # a CTE
        case "SUBQUERY":
            inner = source["subquery"]["node"]
            return not is_select(inner) or not any(map(_is_passed_by_none, _parts(inner)))
        case _:
            return False


def _parts(block: Node) -> list[Node]:
    return [*block["modifiers"], *block["select_list"]]


def _is_passed_by_none(part: Node) -> bool:
    """A LIMIT, or a column that a window computes."""
    return part["type"] == "LIMIT_MODIFIER" or part.get("class") == "WINDOW"
