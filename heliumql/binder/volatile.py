"""Volatile relations: what gives other rows each time it is evaluated is evaluated once.

A relation without calls in it that is volatile (random, uuid, nextval, SAMPLE ..) is cut out of a
bound query and read from a table of its own, so that every pass sees the same rows:

    before  SELECT __hql_llm(0, r1.c0, ..) FROM (SELECT .. USING SAMPLE 3) AS r1(c0)
    after   SELECT __hql_llm(0, r1.c0, ..) FROM __hql_once_0 AS r1(c0)

A volatile expression beside or above a call stays, and `is_volatile` says so: such a statement is
evaluated call by call.
"""

from __future__ import annotations

from dataclasses import dataclass

from heliumql.binder import tree
from heliumql.binder.cuts import calls_inside
from heliumql.binder.tree import Node, walk

_VOLATILE = {
    "random", "setseed", "uuid", "uuidv4", "uuidv7", "gen_random_uuid",
    "nextval", "currval", "setval", "sleep_ms", "write_log",
    "current_query", "current_query_id", "current_transaction_id",
}  # fmt: skip


@dataclass(frozen=True)
class Once:
    """A relation to be evaluated once, before the first pass, and the name it is read by."""

    name: str
    query: Node


def is_volatile(node: Node) -> bool:
    """Evaluating it twice may give other rows."""
    return any(n.get("sample") or n.get("function_name") in _VOLATILE for n in walk(node))


def evaluated_once(query: Node, prefix: str) -> tuple[Node, tuple[Once, ...]]:
    """The query with its volatile relations read from tables named `prefix` and a number."""
    if not is_volatile(query):
        return query, ()
    found: list[Once] = []

    def separate(node: Node, scope: frozenset[str]) -> bool:
        """Can it be evaluated by itself: volatile, no call in it, no outer CTE read?"""
        if not is_volatile(node) or calls_inside(node):
            return False
        inner = {e["key"].lower() for n in walk(node) for e in _ctes(n)}
        names = {n["table_name"].lower() for n in walk(node) if n["type"] == "BASE_TABLE"}
        return not names & (scope - inner)

    def table(source: Node, scope: frozenset[str]) -> Node:
        match source["type"]:
            case "SUBQUERY" if not source.get("sample"):
                inner = source["subquery"]["node"]
                if separate(inner, scope):
                    return tree.read(keep(inner), source["alias"], source["column_name_alias"])
                return {**source, "subquery": {**source["subquery"], "node": visit(inner, scope)}}
            case "JOIN":
                left, right = table(source["left"], scope), table(source["right"], scope)
                return {**source, "left": left, "right": right}
            case _:
                return source

    def keep(node: Node) -> str:
        found.append(Once(f"{prefix}{len(found)}", node))
        return found[-1].name

    def visit(node: Node, scope: frozenset[str]) -> Node:
        entries = []
        for entry in _ctes(node):
            value = entry["value"]
            inner, names = value["query_node"], value["aliases"]
            if names and separate(inner, scope) and inner["type"] != "RECURSIVE_CTE_NODE":
                kept = keep(inner)
                columns = [tree.column(kept, c) for c in names]
                inner = tree.select(columns, tree.read(kept, kept, names), None)
            else:
                inner = visit(inner, scope | {entry["key"].lower()})
            entries.append({**entry, "value": {**value, "query_node": inner}})
            scope = scope | {entry["key"].lower()}
        node = {**node, "cte_map": {"map": entries}}
        match node["type"]:
            case "SELECT_NODE":
                return {**node, "from_table": table(node["from_table"], scope)}
            case "SET_OPERATION_NODE" if node["children"]:
                return {**node, "children": [visit(c, scope) for c in node["children"]]}
            case "RECURSIVE_CTE_NODE":
                left, right = visit(node["left"], scope), visit(node["right"], scope)
                return {**node, "left": left, "right": right}
            case _:
                return node

    return visit(query, frozenset()), tuple(found)


def _ctes(node: Node) -> list[Node]:
    ctes = node.get("cte_map")
    return list(ctes["map"]) if ctes else []
