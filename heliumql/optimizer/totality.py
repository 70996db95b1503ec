"""Which expressions raise no error whatever the rows are: only these may see rows they did not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from heliumql.binder import tree
from heliumql.binder.tree import Node
from heliumql.optimizer.blocks import Column, calls_in, column_of
from heliumql.optimizer.plan import Plan

_NEVER_FAILS = {
    "||", "concat", "concat_ws", "lower", "upper", "trim", "length", "contains", "starts_with",
    "prefix", "suffix", "ends_with", "~~", "!~~", "~~*", "!~~*", "struct_extract",
    "struct_pack", "list_value", "coalesce", "count", "count_star", "min", "max",
    "first", "last", "any_value", "list", "string_agg", "bool_and", "bool_or",
}  # fmt: skip

_TYPE_OF_ARGUMENT = {"min", "max", "first", "last", "any_value"}


TypeOf = Callable[[Column], str | None]

_INTEGERS = ["TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"]


def never_fails(expression: Any, plan: Plan, type_of: TypeOf = lambda column: None) -> bool:
    """Evaluating it raises no error, whatever the answers are.

    `type_of` gives the types of columns, where they can be had.
    """
    for node in tree.walk(expression):
        match node.get("class"):
            case "CAST":
                if not _cast_never_fails(node, plan, type_of):
                    return False
            case "FUNCTION":
                name = node["function_name"]
                if name in ("sum", "avg") and _adds_up(node, type_of):
                    continue
                if not name.startswith("__hql_llm") and name not in _NEVER_FAILS:
                    return False
            case (
                "COLLATE"
                | "COLUMN_REF"
                | "CONSTANT"
                | "COMPARISON"
                | "CONJUNCTION"
                | "BETWEEN"
                | "TYPE"
            ):
                continue
            case "OPERATOR":
                if node["type"] not in _OPERATORS:
                    return False
            case None:
                continue
            case _:
                return False
    return True


def _adds_up(aggregate: Node, type_of: TypeOf) -> bool:
    """A sum of numbers that cannot leave the type of sums."""
    (argument, *_) = tree.arguments(aggregate)
    if argument["class"] != "COLUMN_REF":
        return False
    return type_of(column_of(argument)) in (*_INTEGERS[:4], "FLOAT", "DOUBLE")


def _cast_never_fails(cast: Node, plan: Plan, type_of: TypeOf) -> bool:
    """To text, to a wider number, of a constant, or of an answer to the type it is held to.

    DuckDB writes a cast to its own type around what has the type of its argument; one of the user's
    stands around that.
    """
    target = str(cast["type_expr"].get("type_name", "")).upper()
    inner = cast["child"]
    if target == "VARCHAR" or inner["class"] == "CONSTANT" or cast["try_cast"]:
        return True
    if inner["class"] == "FUNCTION" and inner["function_name"] in _TYPE_OF_ARGUMENT:
        return True
    if inner["class"] == "COLUMN_REF":
        return _widens(type_of(column_of(inner)), target)
    asked = calls_in(inner) if inner["class"] == "FUNCTION" else []
    return bool(asked) and plan.generates[asked[0]].returns.upper().startswith(target)


def _widens(source: str | None, target: str) -> bool:
    """Every number of the one type is one of the other, about."""
    if source not in _INTEGERS:
        return source == "FLOAT" and target == "DOUBLE"
    wider = _INTEGERS[_INTEGERS.index(source) :]
    return target in wider or target == "DOUBLE"


_OPERATORS = {
    "OPERATOR_NOT", "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "COMPARE_IN", "COMPARE_NOT_IN",
    "OPERATOR_COALESCE",
}  # fmt: skip
