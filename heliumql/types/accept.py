"""The check of an answer on arrival: does it fit its type, and in which text it is kept."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heliumql.types.sql_type import SqlType

_INTEGERS = {
    "TINYINT": 8,
    "SMALLINT": 16,
    "INTEGER": 32,
    "BIGINT": 64,
}


def accept(returns: SqlType, text: str) -> str:
    """The answer in canonical form: as DuckDB prints the scalar, or compact JSON.

    Raises ValueError that says why where the answer does not fit the type.
    """
    if returns.name == "VARCHAR":
        return text
    stripped = text.strip()
    if returns.name == "ENUM":
        value: object = stripped
        if stripped not in returns.values and stripped[:1] == '"':
            value = _loads(stripped)
        return str(_checked(returns, value))
    if returns.name == "BOOLEAN" and stripped.lower() in ("true", "false"):
        return stripped.lower()
    value = _checked(returns, _loads(stripped))
    if value is None and returns.name != "JSON":
        raise ValueError(f"null is not {returns.sql()}")
    if returns.is_nested:
        return _encodable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _checked(returns: SqlType, value: object) -> object:
    if value is None:
        return None
    match returns.name:
        case "VARCHAR" if isinstance(value, str):
            return value
        case "BOOLEAN" if isinstance(value, bool):
            return value
        case "DOUBLE" if isinstance(value, int | float) and not isinstance(value, bool):
            if abs(value) <= sys.float_info.max:
                return float(value)
        case "ENUM" if isinstance(value, str):
            if value in returns.values:
                return value
        case "JSON":
            return value
        case "LIST" if isinstance(value, list):
            assert returns.item is not None
            items = [_checked(returns.item, v) for v in value]
            return [v for v in returns.item.values if v in items] if returns.distinct else items
        case "STRUCT" if isinstance(value, dict):
            missing = [n for n, _ in returns.fields if n not in value]
            if missing:
                raise ValueError(f"field {missing[0]!r} is missing")
            return {n: _checked(t, value[n]) for n, t in returns.fields}
        case name if name in _INTEGERS and isinstance(value, int | float):
            # abs(..) is compared first: floats cannot hold what a model may write
            if not isinstance(value, bool) and abs(value) < 1 << 64 and value == int(value):
                bound = 1 << (_INTEGERS[name] - 1)
                if -bound <= int(value) < bound:
                    return int(value)
    shown = json.dumps(value, ensure_ascii=False)
    raise ValueError(f"{_encodable(shown[:60])} is not {returns.sql()}")


def _loads(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:  # models at a loss write one bracket after another
        raise ValueError(f"{text[:60]!r} .. is nested too deeply") from None
    except ValueError as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise ValueError(f"{text[:60]!r} is not JSON ({reason})") from None


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is not a number of JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits} is too large")
    return number


def _encodable(text: str) -> str:
    """The text without halves of surrogate pairs, which JSON may hold but UTF-8 may not."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
