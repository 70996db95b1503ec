"""DuckDB's serialized syntax tree: small helpers to read and build its JSON nodes.

`json_serialize_sql` gives the tree, `json_deserialize_sql` prints it back. Nodes are plain
dictionaries and are never changed in place: a rewritten tree shares what stayed the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

Node = dict[str, Any]

COPY = "__hql_copy_"  # begins the name of a copy of a Python object: a number, _, its name

_CONTAINERS = (dict, list)
_NOT_MEANING = ("query_location", "query_location_length", "alias")


def shown_table(name: str) -> str:
    """The name of a table as its user knows it."""
    return name.removeprefix(COPY).partition("_")[2] if name.startswith(COPY) else name


def is_expression(value: object) -> bool:
    """Expressions have a class and a type; table references and query nodes only a type."""
    return isinstance(value, dict) and "class" in value and "type" in value


def map_expressions(node: Node, change: Callable[[Node], Node]) -> Node:
    """The node with every expression directly below it replaced by `change(expression)`."""

    def inside(value: Any) -> Any:
        if is_expression(value):
            return change(value)
        if isinstance(value, dict):
            return {k: inside(v) for k, v in value.items()}
        if isinstance(value, list):
            return [inside(v) for v in value]
        return value

    return {key: value if key == "type_expr" else inside(value) for key, value in node.items()}


def walk(node: Any) -> Iterator[Node]:
    """All dictionaries of the tree that have a type, top down."""
    left = [node]  # a stack, not recursion: plans are walked often
    while left:
        value = left.pop()
        if value.__class__ is dict:
            if "type" in value:
                yield value
            left += [
                v
                for k, v in reversed(value.items())
                if v and v.__class__ in _CONTAINERS and k != "type_expr"
            ]
        elif value.__class__ is list:
            left += value[::-1]


def meaning(node: Node) -> str:
    """A text that is equal for expressions that mean the same (positions and aliases aside)."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: clean(v) for k, v in value.items() if k not in _NOT_MEANING}
        if isinstance(value, list):
            return [clean(v) for v in value]
        return value

    return json.dumps(clean(node), sort_keys=True)


def type_key(node: Node) -> str:
    """A type node as text: equal for equal types, and to be loaded back."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: clean(v) for k, v in value.items() if not k.startswith("query_location")}
        if isinstance(value, list):
            return [clean(v) for v in value]
        return value

    return json.dumps({**clean(node), "alias": ""}, sort_keys=True)


def column(*names: str) -> Node:
    return {
        "class": "COLUMN_REF",
        "type": "COLUMN_REF",
        "alias": "",
        "column_names": list(names),
    }


def integer(value: int) -> Node:
    return {
        "class": "CONSTANT",
        "type": "VALUE_CONSTANT",
        "alias": "",
        "literal": {"kind": "INTEGER", "text": str(value)},
    }


def text(value: str) -> Node:
    return {
        "class": "CONSTANT",
        "type": "VALUE_CONSTANT",
        "alias": "",
        "literal": {"kind": "STRING", "text": value},
    }


def type_node(name: str) -> Node:
    """A type without parameters, such as VARCHAR or BOOLEAN."""
    return {
        "class": "TYPE",
        "type": "TYPE",
        "alias": "",
        "catalog": "",
        "schema": "",
        "type_name": name,
        "children": [],
        "qualified_name": {"path": [name]},
    }


def cast(child: Node, target: Node) -> Node:
    return {
        "class": "CAST",
        "type": "OPERATOR_CAST",
        "alias": "",
        "child": child,
        "try_cast": False,
        "type_expr": target,
    }


TRUE = cast(text("true"), type_node("BOOLEAN"))
FALSE = cast(text("false"), type_node("BOOLEAN"))


def function(name: str, *arguments: Node) -> Node:
    return {
        "class": "FUNCTION",
        "type": "FUNCTION",
        "alias": "",
        "function_name": name,
        "schema": "",
        "catalog": "",
        "filter": None,
        "order_bys": {"type": "ORDER_MODIFIER", "orders": []},
        "distinct": False,
        "is_operator": False,
        "export_state": False,
        "arguments": [{"name": "", "expression": a} for a in arguments],
        "qualified_name": {"path": [name]},
    }


def case(*checks: tuple[Node, Node], otherwise: Node | None = None) -> Node:
    """CASE WHEN .. THEN .. ELSE otherwise END; DuckDB evaluates a branch only for its rows."""
    null: Node = {
        "class": "CONSTANT",
        "type": "VALUE_CONSTANT",
        "alias": "",
        "literal": {"kind": "NULL_LITERAL", "text": ""},
    }
    return {
        "class": "CASE",
        "type": "CASE_EXPR",
        "alias": "",
        "case_checks": [{"when_expr": w, "then_expr": t} for w, t in checks],
        "else_expr": null if otherwise is None else otherwise,
    }


def negation(child: Node) -> Node:
    return {
        "class": "OPERATOR",
        "type": "OPERATOR_NOT",
        "alias": "",
        "children": [child],
    }


def conjunction(children: list[Node], kind: str = "CONJUNCTION_AND") -> Node | None:
    """AND (or OR) of the children; None where there are none."""
    if len(children) < 2:
        return children[0] if children else None
    return {"class": "CONJUNCTION", "type": kind, "alias": "", "children": children}


def select(columns: list[Node], source: Node, where: Node | None) -> Node:
    """SELECT columns FROM source WHERE where."""
    return {
        "type": "SELECT_NODE",
        "modifiers": [],
        "cte_map": {"map": []},
        "select_list": columns,
        "from_table": source,
        "where_clause": where,
        "group_expressions": [],
        "group_sets": [],
        "aggregate_handling": "STANDARD_HANDLING",
        "having": None,
        "sample": None,
        "qualify": None,
    }


def read(name: str, alias: str, columns: list[str]) -> Node:
    """FROM name AS alias(columns); the name of a CTE or of a temporary table."""
    return {
        "type": "BASE_TABLE",
        "alias": alias or name,
        "sample": None,
        "schema_name": "",
        "table_name": name,
        "column_name_alias": columns,
        "catalog_name": "",
        "at_clause": None,
    }


def named(node: Node, alias: str) -> Node:
    return {**node, "alias": alias}


def constant_text(node: Node) -> str | None:
    """The value of a string constant, also under a cast to VARCHAR, else None."""
    while node.get("class") == "CAST":
        node = node["child"]
    if node.get("class") == "CONSTANT" and node["literal"]["kind"] == "STRING":
        return str(node["literal"]["text"])
    return None


def constant_integer(node: Node) -> int | None:
    """The value of an integer constant, also under a cast, else None."""
    while node.get("class") == "CAST":
        node = node["child"]
    if node.get("class") == "CONSTANT" and node["literal"]["kind"] == "INTEGER":
        return int(node["literal"]["text"])
    return None


def arguments(node: Node) -> list[Node]:
    """The argument expressions of a function call."""
    return [a["expression"] for a in node["arguments"]]
