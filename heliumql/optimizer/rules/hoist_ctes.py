"""Rule: CTEs of inner queries become CTEs of the whole query."""

from __future__ import annotations

from typing import Any

from heliumql.binder.tree import Node, walk
from heliumql.optimizer.blocks import calls_in, read_as
from heliumql.optimizer.plan import Plan
from heliumql.optimizer.rule import RuleContext


def hoist_ctes(plan: Plan, context: RuleContext) -> Plan:
    """Write every WITH at the top, so that equal CTEs of different places can be seen to be equal.

    DuckDB gives back a CTE inside the query that reads it first. Bound subqueries read nothing of
    the query around them but other CTEs, so a CTE is the same further out.

        before  WITH a AS (..) SELECT .. FROM (WITH b AS (..) SELECT .. FROM a, b)
        after   WITH a AS (..), b AS (..) SELECT .. FROM (SELECT .. FROM a, b)

    It must not fire inside a recursion, whose steps may read what is recursive. Where a name is
    taken the CTE gets another.

    >>> shown(hoist_ctes, '''
    ...     WITH a AS MATERIALIZED (SELECT llm(body) AS x FROM t),
    ...          b AS MATERIALIZED (SELECT llm(x) AS x FROM a)
    ...     SELECT a.x || b.x || c.x AS y FROM a, b, b AS c WHERE a.x <> b.x ''')
    WITH a (c0) AS MATERIALIZED (SELECT llm(r0.column1) AS c0 FROM t AS r0(column0, column1,
    column2)), b (c0) AS MATERIALIZED (SELECT llm(r3.c0) AS c0 FROM a AS r3(c0)) SELECT
    r16.c0 AS y FROM (SELECT r14.c0 AS c0 FROM (SELECT ((r6.c0 || r8.c0) || r11.c0) FROM ((a
    AS r6(c0) INNER JOIN b AS r8(c0) ON ((r6.c0 != r8.c0))) CROSS JOIN b AS r11(c0))) AS
    r14(c0)) AS r16(c0)
    """
    query = plan.tree
    if not calls_in(query) or not _has_inner_ctes(query):
        return plan
    taken = {entry["key"].lower() for entry in query["cte_map"]["map"]}
    entries: list[Node] = []
    moved: list[str] = []

    def gathered(node: Any, renamed: dict[str, str]) -> Any:
        """The node without any WITH; its CTEs are added to the entries."""
        match node:
            case {"type": "RECURSIVE_CTE_NODE"}:
                return _renamed(node, renamed)
            case {"cte_map": {"map": [_, *_] as own}}:
                for entry in own:
                    value = entry["value"]
                    inner = gathered(value["query_node"], renamed)
                    name, key = entry["key"], entry["key"].lower()
                    fresh, number = name, 2
                    while fresh.lower() in taken:
                        fresh, number = f"{name}_{number}", number + 1
                    taken.add(fresh.lower())
                    if inner["type"] == "RECURSIVE_CTE_NODE" and fresh != name:
                        inner = _renamed(inner, {key: fresh})
                    moved.append(name)
                    entries.append({**entry, "key": fresh, "value": {**value, "query_node": inner}})
                    renamed = {**renamed, key: fresh}
                return gathered({**node, "cte_map": {"map": []}}, renamed)
            case {"type": "BASE_TABLE", "schema_name": "", "table_name": name}:
                return read_as(node, renamed.get(name.lower(), name))
            case dict():
                return {k: gathered(v, renamed) for k, v in node.items()}
            case list():
                return [gathered(v, renamed) for v in node]
            case _:
                return node

    for entry in query["cte_map"]["map"]:
        inner = gathered(entry["value"]["query_node"], {})
        entries.append({**entry, "value": {**entry["value"], "query_node": inner}})
    body = gathered({**query, "cte_map": {"map": []}}, {})
    if not moved:
        return plan
    named = [name for name in moved if not name.startswith("__")]  # others are DuckDB's own
    listed = ", ".join(named[:5]) + (" .." if len(named) > 5 else "")
    context.did(f"{listed or 'what DuckDB found twice'} can be read by the whole query")
    return plan.with_tree({**body, "cte_map": {"map": entries}})


def _has_inner_ctes(query: Node) -> bool:
    own = query["cte_map"]
    return any(
        node["cte_map"]["map"]
        for node in walk(query)
        if "cte_map" in node and node["cte_map"] is not own
    )


def _renamed(node: Any, renamed: dict[str, str]) -> Any:
    match node:
        case {"type": "BASE_TABLE", "schema_name": "", "table_name": name}:
            return read_as(node, renamed.get(name.lower(), name))
        case dict():
            return {k: _renamed(v, renamed) for k, v in node.items()}
        case list():
            return [_renamed(v, renamed) for v in node]
        case _:
            return node
