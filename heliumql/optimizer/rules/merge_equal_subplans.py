"""Rule: what is computed twice and holds calls is computed once and read twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from heliumql.binder import tree
from heliumql.binder.tree import Node
from heliumql.optimizer.blocks import Aliases, calls_in, map_tables, read_as
from heliumql.optimizer.equality import Keys
from heliumql.optimizer.plan import Plan
from heliumql.optimizer.rule import RuleContext


def merge_equal_subplans(plan: Plan, context: RuleContext) -> Plan:
    """Compute equal subplans with calls once, across CTEs, branches of UNION and subqueries.

    Equal calls are one call in any case; merging the plans above them also saves naming them
    again, and lets what reads them be merged in turn.

        before  WITH a AS (SELECT llm(body) ..), b AS (SELECT llm(body) ..) .. FROM a, b
        after   WITH a AS (SELECT llm(body) ..) .. FROM a, a AS b

    It must not fire
    - on a volatile subplan: twice random is not once random;
    - where one part differs: a constant, a column, a parameter of the call, the order of rows;
    - inside a recursion: the same text is other rows in every step.

    >>> shown(merge_equal_subplans, '''
    ...     SELECT llm(body) AS x FROM t UNION ALL SELECT llm(body) FROM t ''')
    WITH h0 (c0) AS MATERIALIZED (SELECT llm(r0.column1) AS c0 FROM t AS r0(column0,
    column1, column2)) SELECT exported_query.c0 AS x FROM ((SELECT h1.c0 AS c0 FROM h0 AS
    h1(c0)) UNION ALL (SELECT h2.c0 AS c0 FROM h0 AS h2(c0))) AS exported_query(c0)
    """
    keys = Keys({n: g.shared_by for n, g in plan.generates.items()})
    merged = _one_cte_each(plan.tree, keys, context)
    if merged is plan.tree:
        merged = _shared_subqueries(plan.tree, keys, context)
    return plan.with_tree(merged)


def _one_cte_each(query: Node, keys: Keys, context: RuleContext) -> Node:
    """The query whose outermost WITH holds no two equal entries."""
    entries = query["cte_map"]["map"]
    chosen: dict[str, Node] = {}
    renamed: dict[str, str] = {}
    kept: list[Node] = []
    scope: dict[str, str] = {}
    for entry in entries:
        key = keys.cte(entry, scope)
        scope[entry["key"].lower()] = key
        inner = entry["value"]["query_node"]
        if key in chosen and calls_in(inner) and not context.is_volatile(inner):
            renamed[entry["key"].lower()] = chosen[key]["key"]
            context.did(f"{entry['key']} is {chosen[key]['key']}")
            continue
        chosen.setdefault(key, entry)
        kept.append(entry)
    if not renamed:
        return query
    new = _reading({**query, "cte_map": {"map": kept}}, renamed)
    assert isinstance(new, dict)
    return new


def _reading(value: Any, renamed: dict[str, str]) -> Any:
    """The tree with CTEs read by other names. A CTE of the same name further in is left alone."""
    match value:
        case {"type": "BASE_TABLE", "schema_name": "", "table_name": name} if (
            name.lower() in renamed
        ):
            return read_as(value, renamed[name.lower()])
        case {"cte_map": {"map": entries}} if any(e["key"].lower() in renamed for e in entries):
            hidden = {e["key"].lower() for e in entries}
            return _reading_inside(value, {k: v for k, v in renamed.items() if k not in hidden})
        case dict():
            return _reading_inside(value, renamed)
        case list():
            return [_reading(v, renamed) for v in value]
        case _:
            return value


def _reading_inside(value: Node, renamed: dict[str, str]) -> Node:
    return {k: _reading(v, renamed) for k, v in value.items()}


def _shared_subqueries(query: Node, keys: Keys, context: RuleContext) -> Node:
    """The query with equal subqueries of FROM and branches of UNION in one CTE."""
    scope = keys.inside(query["cte_map"]["map"], {})
    found = Counter[str]()
    examples: dict[str, Node] = {}

    def worth(inner: Node) -> bool:
        return bool(calls_in(inner)) and not context.is_volatile(inner)

    def count(node: Node) -> None:
        for inner in _inner_queries(node):
            if _can_be_shared(inner):
                key = keys.of(inner, scope)
                found[key] += 1
                examples[key] = inner
            count(inner)

    body = {**query, "cte_map": {"map": []}}
    count(body)
    twice = {key for key, times in found.items() if times > 1 and worth(examples[key])}
    if not twice:
        return query
    names = Aliases.of(query)
    names.taken |= set(scope)
    entries: dict[str, Node] = {}

    def shared(inner: Node) -> Node:
        key = keys.of(inner, scope) if _can_be_shared(inner) else ""
        if key not in twice:
            return _map_inner_queries(inner, shared)
        columns = [f"c{i}" for i in range(len(inner["select_list"]))]
        if key not in entries:
            entries[key] = _entry(names.fresh(), columns, inner)
        return _all_of(entries[key]["key"], columns, names.fresh(), inner)

    new = _map_inner_queries(body, shared)
    for entry in entries.values():
        context.did(f"what is read {found[keys.of(entry['value']['query_node'], scope)]} times"
                    " is computed once")  # fmt: skip
    return {**new, "cte_map": {"map": [*query["cte_map"]["map"], *entries.values()]}}


def _can_be_shared(query: Node) -> bool:
    return query["type"] == "SELECT_NODE" and not query["cte_map"]["map"]


def _inner_queries(query: Node) -> list[Node]:
    """The queries in the FROM of a query, or the branches of a set operation."""
    match query["type"]:
        case "SELECT_NODE":
            found: list[Node] = []

            def note(table: Node) -> Node:
                if table["type"] == "SUBQUERY":
                    found.append(table["subquery"]["node"])
                return table

            map_tables(query["from_table"], note)
            return found
        case "SET_OPERATION_NODE":
            return list(query["children"] or [query["left"], query["right"]])
        case _:
            return []


def _map_inner_queries(query: Node, change: Callable[[Node], Node]) -> Node:
    match query["type"]:
        case "SELECT_NODE":

            def table(node: Node) -> Node:
                if node["type"] != "SUBQUERY":
                    return node
                inner = change(node["subquery"]["node"])
                return {**node, "subquery": {**node["subquery"], "node": inner}}

            return {**query, "from_table": map_tables(query["from_table"], table)}
        case "SET_OPERATION_NODE" if query["children"]:
            return {**query, "children": [change(c) for c in query["children"]]}
        case "SET_OPERATION_NODE":
            return {**query, "left": change(query["left"]), "right": change(query["right"])}
        case _:
            return query


def _entry(name: str, columns: list[str], query: Node) -> Node:
    return {
        "key": name,
        "value": {
            "aliases": columns,
            "materialized": "CTE_MATERIALIZE_ALWAYS",
            "key_targets": [],
            "payload_aggregates": [],
            "query_node": query,
        },
    }


def _all_of(name: str, columns: list[str], alias: str, like: Node) -> Node:
    """SELECT the columns FROM the CTE, under the names that the query gave them."""
    outputs = [
        tree.named(tree.column(alias, c), e["alias"] or e.get("column_names", [c])[-1])
        for c, e in zip(columns, like["select_list"], strict=True)
    ]
    return tree.select(outputs, tree.read(name, alias, columns), None)
