"""The form of an answer as vLLM's decoding takes it; vllm.py sends it along with the calls."""

from __future__ import annotations

from typing import Any

from heliumql.types import SqlType

_WIDTHS = {"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "BIGINT": 64}
_NUMBER = r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?([eE]-?[0-9]{1,2})?"
"""Long enough for every double, and ends: a bare JSON number may go on for ever."""


def constraint(returns: SqlType) -> dict[str, Any] | None:
    """Keyword arguments of vLLM's StructuredOutputsParams; None where any text will do."""
    choices = returns.choices()
    if choices is not None:
        return {"choice": list(choices)}
    match returns.name:
        case "VARCHAR":
            return None
        case "DOUBLE":
            return {"regex": _NUMBER}
        case "JSON":
            return {"json_object": True}
        case _:
            return {"json": _schema(returns)}


def _schema(returns: SqlType) -> dict[str, Any]:
    """The type's JSON schema with the range of each integer: decoding can keep to it."""
    match returns.name:
        case "LIST":
            assert returns.item is not None
            most = {"maxItems": len(returns.item.values)} if returns.distinct else {}
            return {"type": "array", "items": _schema(returns.item), **most}
        case "STRUCT":
            fields = {name: _schema(item) for name, item in returns.fields}
            return {**returns.json_schema(), "properties": fields}
        case name if name in _WIDTHS:
            bound = 1 << (_WIDTHS[name] - 1)
            return {"type": "integer", "minimum": -bound, "maximum": bound - 1}
        case _:
            return returns.json_schema()
