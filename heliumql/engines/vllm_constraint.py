"""The form of an answer as vLLM's decoding takes it; vllm.py sends it along with the calls."""

from __future__ import annotations

from typing import Any

from heliumql.types import INTEGERS, PATTERNS, SqlType

_NUMBER = r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?([eE]-?[0-9]{1,2})?"
"""Long enough for every double, and ends: a bare JSON number may go on for ever."""
_FLOAT = r"-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,8})?([eE]-?[0-9])?"
_MOST = (1 << 63) - 1  # the largest bound that xgrammar takes
_EXACT_DIGITS = 15  # of a number that is a bound


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
        case "FLOAT":
            return {"regex": _FLOAT}
        case "DECIMAL":
            return {"regex": _decimal(returns)}
        case "JSON":
            return {"json_object": True}
        case name if name in PATTERNS:
            return {"regex": PATTERNS[name]}
        case name if name in INTEGERS and returns.bounds[1] > _MOST:
            low, high = returns.bounds
            sign = "-?" if low else ""
            return {"regex": f"{sign}(0|[1-9][0-9]{{0,{len(str(high)) - 1}}})"}
        case _:
            return {"json": _schema(returns)}


def _decimal(returns: SqlType) -> str:
    whole = returns.width - returns.scale
    before = f"(0|[1-9][0-9]{{0,{whole - 1}}})" if whole else "0"
    behind = rf"(\.[0-9]{{1,{returns.scale}}})?" if returns.scale else ""
    return f"-?{before}{behind}"


def _schema(returns: SqlType) -> dict[str, Any]:
    """The type's JSON schema with the range of each number: decoding can keep to it."""
    if returns.nullable:
        return {"anyOf": [_schema(returns.required), {"type": "null"}]}
    match returns.name:
        case "LIST":
            assert returns.item is not None
            most = {"maxItems": len(returns.item.values)} if returns.distinct else {}
            return {"type": "array", "items": _schema(returns.item), **most}
        case "STRUCT":
            fields = {name: _schema(item) for name, item in returns.fields}
            return {**returns.json_schema(), "properties": fields}
        case "DECIMAL" if returns.width <= _EXACT_DIGITS:
            most = (10**returns.width - 1) / 10**returns.scale
            return {"type": "number", "minimum": -most, "maximum": most}
        case name if name in INTEGERS:
            low, high = returns.bounds
            bounds = {"minimum": low, "maximum": high}
            return {"type": "integer", **{k: v for k, v in bounds.items() if abs(v) <= _MOST + 1}}
        case _:
            return returns.json_schema()
