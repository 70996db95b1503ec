"""SELECT blocks as rules see them: their parts, their inputs, and how to take them apart.

A block is a `SELECT_NODE` of DuckDB's tree. Bound queries name every column by the alias of its
relation and its own name (`r3.c1`), and an alias stands for one relation of the whole query.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from heliumql.binder import tree
from heliumql.binder.cuts import LLM, LLM_INFO, NO_LIMIT
from heliumql.binder.tree import Node

EXPRESSIONS = ("select_list", "group_expressions", "having", "qualify", "modifiers")

Column = tuple[str, str]  # alias of the relation, name; both in lower case


# walking ----------------------------------------------------------------------------------


def map_queries(query: Node, change: Callable[[Node, bool], Node]) -> Node:
    """The query with every query node in it changed, innermost first; itself if none is.

    `change` is told whether the node is evaluated again and again, in a recursion.
    """

    def visit(node: Node, recursive: bool) -> Node:
        updates: dict[str, Any] = {}
        entries = list(node["cte_map"]["map"])
        new_entries = [_with_query(e, visit, recursive) for e in entries]
        if not _same(entries, new_entries):
            updates["cte_map"] = {"map": new_entries}
        match node["type"]:
            case "SELECT_NODE":
                source = map_tables(node["from_table"], lambda t: _subquery(t, visit, recursive))
                if source is not node["from_table"]:
                    updates["from_table"] = source
            case "SET_OPERATION_NODE" if node["children"]:
                children = [visit(c, recursive) for c in node["children"]]
                if not _same(children, node["children"]):
                    updates["children"] = children
            case "SET_OPERATION_NODE" | "RECURSIVE_CTE_NODE":
                inside = recursive or node["type"] == "RECURSIVE_CTE_NODE"
                for side in ("left", "right"):
                    new = visit(node[side], inside)
                    if new is not node[side]:
                        updates[side] = new
        return change({**node, **updates} if updates else node, recursive)

    return visit(query, False)


def _with_query(entry: Node, visit: Callable[[Node, bool], Node], recursive: bool) -> Node:
    inner = entry["value"]["query_node"]
    new = visit(inner, recursive)
    return entry if new is inner else {**entry, "value": {**entry["value"], "query_node": new}}


def _subquery(table: Node, visit: Callable[[Node, bool], Node], recursive: bool) -> Node:
    if table["type"] != "SUBQUERY":
        return table
    inner = table["subquery"]["node"]
    new = visit(inner, recursive)
    return table if new is inner else with_inner(table, new)


def map_tables(source: Node, change: Callable[[Node], Node]) -> Node:
    """The FROM with its leaves changed; itself if none is."""
    if source["type"] != "JOIN":
        return change(source)
    left, right = map_tables(source["left"], change), map_tables(source["right"], change)
    if left is source["left"] and right is source["right"]:
        return source
    return {**source, "left": left, "right": right}


def leaves(source: Node) -> Iterator[Node]:
    """The relations of a FROM, left to right."""
    if source["type"] == "JOIN":
        yield from leaves(source["left"])
        yield from leaves(source["right"])
    else:
        yield source


def with_inner(table: Node, query: Node) -> Node:
    """A subquery in FROM with another query in it."""
    return {**table, "subquery": {**table["subquery"], "node": query}}


def _same(a: list[Node], b: list[Node]) -> bool:
    return len(a) == len(b) and all(x is y for x, y in zip(a, b, strict=True))


# looking ----------------------------------------------------------------------------------


def is_select(query: Node) -> bool:
    return bool(query["type"] == "SELECT_NODE")


def conjuncts(expression: Node | None) -> list[Node]:
    """The parts of a conjunction; none of no condition."""
    if expression is None:
        return []
    if expression["class"] == "CONJUNCTION" and expression["type"] == "CONJUNCTION_AND":
        return [part for child in expression["children"] for part in conjuncts(child)]
    return [expression]


def columns_in(expression: Any) -> list[Column]:
    """The columns that an expression reads, each once, in order."""
    return list(dict.fromkeys(column_of(n) for n in tree.walk(expression) if _is_column(n)))


def calls_in(expression: Any) -> list[int]:
    """The sites of the calls in an expression."""
    return [
        number
        for n in tree.walk(expression)
        if n.get("class") == "FUNCTION" and n.get("function_name") in (LLM, LLM_INFO)
        if (number := tree.constant_integer(tree.arguments(n)[0])) is not None
    ]


def is_qualified(expression: Any) -> bool:
    """Every column says whose it is."""
    return all(len(n["column_names"]) == 2 for n in tree.walk(expression) if _is_column(n))


def substituted(expression: Node, columns: Mapping[Column, Node]) -> Node:
    """The expression with columns replaced."""
    if _is_column(expression):
        found = columns.get(column_of(expression))
        return expression if found is None else {**found, "alias": expression["alias"]}
    return tree.map_expressions(expression, lambda e: substituted(e, columns))


def is_row_by_row(block: Node, aggregates: frozenset[str]) -> bool:
    """Each row of its input gives one row or none: a projection with a filter, nothing else."""
    return (
        is_select(block)
        and not block["modifiers"]
        and not block["group_expressions"]
        and not block["group_sets"]
        and block["having"] is None
        and block["qualify"] is None
        and block.get("sample") is None
        and not block["cte_map"]["map"]
        and not any(_spreads(n, aggregates) for n in tree.walk(block["select_list"]))
    )


def can_split(block: Node) -> bool:
    """Its FROM and WHERE can be made a query of their own: each column says whose it is."""
    parts = [block["where_clause"], *(block[part] for part in EXPRESSIONS)]
    return is_qualified(parts) and not any(
        n.get("class") in ("STAR", "SUBQUERY", "POSITIONAL_REFERENCE") for n in tree.walk(parts)
    )


def is_plain_select(block: Node, aggregates: frozenset[str]) -> bool:
    """No grouping, no window: at most ORDER BY, LIMIT and DISTINCT stand above its filter."""
    return (
        is_select(block)
        and not block["group_expressions"]
        and not block["group_sets"]
        and block["having"] is None
        and block["qualify"] is None
        and block.get("sample") is None
        and not any(
            _spreads(n, aggregates)
            for part in (block["select_list"], block["modifiers"])
            for n in tree.walk(part)
        )
    )


def _spreads(node: Node, aggregates: frozenset[str]) -> bool:
    """Makes other rows of rows: an aggregate, a window, an unnest, a star."""
    if node.get("class") in ("WINDOW", "STAR", "SUBQUERY"):
        return True
    return node.get("class") == "FUNCTION" and (
        node["function_name"] in aggregates or node["function_name"] == "unnest"
    )


def _is_column(node: Node) -> bool:
    return node.get("class") == "COLUMN_REF"


def column_of(node: Node) -> Column:
    """The column that a reference names."""
    names: list[str] = node["column_names"]
    return (names[-2].lower() if len(names) > 1 else "", names[-1].lower())


# making -----------------------------------------------------------------------------------


@dataclass
class Aliases:
    """Names that no relation of the query has."""

    taken: set[str]
    number: int = 0

    @staticmethod
    def of(query: Node) -> Aliases:
        return Aliases({str(n.get("alias", "")).lower() for n in tree.walk(query)})

    def fresh(self) -> str:
        while f"h{self.number}" in self.taken:
            self.number += 1
        self.taken.add(f"h{self.number}")
        return f"h{self.number}"


def subquery(query: Node, alias: str, names: list[str]) -> Node:
    """(query) AS alias(names)"""
    return {
        "type": "SUBQUERY",
        "alias": alias,
        "sample": None,
        "subquery": {"node": query, "named_param_map": []},
        "column_name_alias": names,
    }


def read_as(table: Node, name: str) -> Node:
    """A table of FROM read by another name; in the query it is called what it was called."""
    if name == table["table_name"]:
        return table
    rest = {k: v for k, v in table.items() if k != "qualified_name"}
    return {**rest, "table_name": name, "alias": table["alias"] or table["table_name"]}


def over(block: Node, table: Node, names: Mapping[Column, Node], where: Node | None) -> Node:
    """The block over another FROM, in which its columns have other names."""
    outputs = [
        tree.named(e, e["column_names"][-1]) if _is_column(e) and not e["alias"] else e
        for e in block["select_list"]
    ]
    kept = {part: block[part] for part in EXPRESSIONS} | {"select_list": outputs}
    renamed = tree.map_expressions(kept, lambda e: substituted(e, names))
    return {**block, **renamed, "from_table": table, "where_clause": where}


def limit(count: int) -> Node:
    """A LIMIT as a modifier of a block."""
    count_node = tree.cast(tree.integer(count), tree.type_node("BIGINT"))
    return {
        "type": "LIMIT_MODIFIER",
        "limit": count_node,
        "offset": None,
        "limit_type": "ROW_COUNT",
    }


def is_fence(modifier: Node) -> bool:
    """A LIMIT that lets every row through."""
    return (
        modifier["type"] == "LIMIT_MODIFIER"
        and modifier.get("offset") is None
        and modifier.get("limit") is not None
        and tree.constant_integer(modifier["limit"]) == NO_LIMIT
    )


def below(
    block: Node, where: Node | None, above: Node | None, alias: str
) -> tuple[Node, dict[Column, Node]]:
    """The block's FROM and part of its WHERE as a query of its own.

    It gives the columns that the rest of the block reads, `above` with it. Returns the query and
    what each of the columns is called over it.
    """
    read = columns_in([above, *(block[part] for part in EXPRESSIONS)])
    source = block["from_table"]
    outputs = [tree.named(tree.column(*c), f"c{i}") for i, c in enumerate(read)]
    names = {c: tree.column(alias, f"c{i}") for i, c in enumerate(read)}
    if not outputs:  # rows are all that is asked for
        outputs = [tree.named(tree.TRUE, "c0")]
    return tree.select(outputs, source, where), names
