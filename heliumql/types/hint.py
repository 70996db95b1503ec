"""How a prompt tells a model which form its answer must have."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heliumql.types.sql_type import SqlType


def hint(returns: SqlType) -> str:
    """The sentence that ends a prompt so that a model knows the form asked for; '' for text."""
    match returns.name:
        case "VARCHAR":
            return ""
        case "ENUM":
            return "Answer with one of: " + ", ".join(returns.values) + "."
        case "BOOLEAN":
            return "Answer true or false."
        case "DOUBLE":
            return "Answer with a number."
        case "JSON":
            return "Answer with JSON."
        case "LIST":
            return f"Answer with a JSON array: {_shape(returns)}."
        case "STRUCT":
            return f"Answer with a JSON object: {_shape(returns)}."
        case _:
            return "Answer with an integer."


def _shape(returns: SqlType) -> str:
    match returns.name:
        case "VARCHAR":
            return "string"
        case "BOOLEAN":
            return "true | false"
        case "DOUBLE":
            return "number"
        case "ENUM":
            return " | ".join(json.dumps(v, ensure_ascii=False) for v in returns.values)
        case "LIST":
            assert returns.item is not None
            return f"[{_shape(returns.item)}, ...]"
        case "STRUCT":
            inner = ", ".join(
                f"{json.dumps(n, ensure_ascii=False)}: {_shape(t)}" for n, t in returns.fields
            )
            return "{" + inner + "}"
        case "JSON":
            return "any JSON"
        case _:
            return "integer"
