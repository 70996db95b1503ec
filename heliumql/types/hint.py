"""How a prompt tells a model which form its answer must have."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heliumql.types.sql_type import SqlType

_FORMS = {
    "DATE": "YYYY-MM-DD",
    "TIME": "HH:MM:SS",
    "TIMESTAMP": "YYYY-MM-DD HH:MM:SS",
}


def hint(returns: SqlType) -> str:
    """The sentence that ends a prompt so that a model knows the form asked for; '' for text."""
    match returns.name:
        case "VARCHAR":
            return ""
        case "ENUM":
            return "Answer with one of: " + ", ".join(returns.values) + "."
        case "BOOLEAN":
            return "Answer true or false."
        case "FLOAT" | "DOUBLE":
            return "Answer with a number."
        case "DECIMAL":
            return f"Answer with a number{_digits(returns)}."
        case "DATE" | "TIME" | "TIMESTAMP" as name:
            return f"Answer with a {name.lower()}: {_FORMS[name]}."
        case "UUID":
            return "Answer with a UUID."
        case "JSON":
            return "Answer with JSON."
        case "LIST":
            return f"Answer with a JSON array: {shape(returns)}."
        case "STRUCT":
            return f"Answer with a JSON object: {shape(returns)}."
        case _:
            return "Answer with an integer."


def _digits(returns: SqlType) -> str:
    match returns.scale:
        case 0:
            return " without decimals"
        case 1:
            return " with 1 decimal"
        case scale:
            return f" with {scale} decimals"


def shape(returns: SqlType) -> str:
    """The form of a value inside JSON."""
    if returns.nullable:
        return shape(returns.required) + " | null"
    match returns.name:
        case "VARCHAR":
            return "string"
        case "BOOLEAN":
            return "true | false"
        case "FLOAT" | "DOUBLE" | "DECIMAL":
            return "number"
        case "ENUM":
            return " | ".join(json.dumps(v, ensure_ascii=False) for v in returns.values)
        case "LIST":
            assert returns.item is not None
            return f"[{shape(returns.item)}, ...]"
        case "STRUCT":
            inner = ", ".join(
                f"{json.dumps(n, ensure_ascii=False)}: {shape(t)}" for n, t in returns.fields
            )
            return "{" + inner + "}"
        case "JSON":
            return "any JSON"
        case "UUID":
            return '"UUID"'
        case name if name in _FORMS:
            return f'"{_FORMS[name]}"'
        case _:
            return "integer"
