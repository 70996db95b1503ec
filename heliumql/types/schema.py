"""The JSON schema of an answer type; engines decode to it.

It says no more than what every server is known to take: OpenAI's strict schemas, xgrammar, the
grammars of llama.cpp. There a pattern begins with ^ and ends with $, and a format beside it adds
nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from heliumql.types.sql_type import SqlType

_DATE = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
PATTERNS = {
    "DATE": _DATE,
    "TIME": _TIME,
    "TIMESTAMP": f"{_DATE} {_TIME}",
    "UUID": "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
}
"""Regular expressions of the types that JSON has as strings; more may match than fits."""


def json_schema(returns: SqlType) -> dict[str, Any]:
    """The schema of a value of the type (of a bare scalar too)."""
    if returns.nullable:
        return {"anyOf": [json_schema(returns.required), {"type": "null"}]}
    match returns.name:
        case "VARCHAR":
            return {"type": "string"}
        case "BOOLEAN":
            return {"type": "boolean"}
        case "FLOAT" | "DOUBLE" | "DECIMAL":
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
        case name if name in PATTERNS:
            return {"type": "string", "pattern": f"^{PATTERNS[name]}$"}
        case _:
            return {"type": "integer"}
