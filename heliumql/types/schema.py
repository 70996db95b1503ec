"""The JSON schema of an answer type; engines decode to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from heliumql.types.sql_type import SqlType


def json_schema(returns: SqlType) -> dict[str, Any]:
    """The schema of a value of the type (of a bare scalar too)."""
    match returns.name:
        case "VARCHAR":
            return {"type": "string"}
        case "BOOLEAN":
            return {"type": "boolean"}
        case "DOUBLE":
            return {"type": "number"}
        case "ENUM":
            return {"type": "string", "enum": list(returns.values)}
        case "LIST":
            assert returns.item is not None
            return {"type": "array", "items": json_schema(returns.item)}
        case "STRUCT":
            return {
                "type": "object",
                "properties": {n: json_schema(t) for n, t in returns.fields},
                "required": [n for n, _ in returns.fields],
                "additionalProperties": False,
            }
        case "JSON":
            return {}
        case _:
            return {"type": "integer"}
