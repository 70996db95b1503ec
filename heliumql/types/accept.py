"""The check of an answer on arrival: does it fit its type, and in which text it is kept.

What checks a type is made once; an answer then costs little more than reading its JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from heliumql.types.scalars import Check, Written, scalar

if TYPE_CHECKING:
    from heliumql.types.sql_type import SqlType

_SHOWN = 60  # characters of a value that does not fit
_TEXTS = ("ENUM", "DATE", "TIME", "TIMESTAMP", "UUID", "DECIMAL")  # in quotes inside JSON
_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@lru_cache(maxsize=1024)
def acceptor(returns: SqlType) -> Callable[[str], str]:
    """The function that gives the canonical text of an answer.

    It raises ValueError that says why where the answer does not fit the type.
    """
    read = _reader(digits=_holds_decimal(returns))
    if returns.name == "JSON":
        return lambda text: _written(read(text.strip()))
    check = _check(returns)
    if returns.is_nested:
        return lambda text: _written(check(read(text.strip())))
    if returns.name == "BOOLEAN":
        return lambda text: _boolean(text.strip().lower(), check, read)
    if returns.name in _TEXTS:
        return lambda text: _text(text, check, read)
    return lambda text: str(check(read(text.strip())))


def _boolean(text: str, check: Check, read: Callable[[str], object]) -> str:
    return text if text in ("true", "false") else str(check(read(text))).lower()


def _text(text: str, check: Check, read: Callable[[str], object]) -> str:
    """A bare value that is kept as a string in JSON; some models write the quotes."""
    stripped = text.strip()
    quoted = stripped[:1] == '"' and stripped[-1:] == '"' and len(stripped) > 1
    if not quoted:
        return str(check(stripped))
    try:
        return str(check(stripped))  # a label may have quotes of its own
    except ValueError:
        return str(check(read(stripped)))


def _check(returns: SqlType) -> Check:
    """The check of a value inside JSON; raises ValueError where it does not fit."""
    if returns.nullable:
        inner = _check(returns.required)
        return lambda value: None if value is None else inner(value)
    match returns.name:
        case "JSON":
            return lambda value: value
        case "LIST":
            return _list(returns)
        case "STRUCT":
            return _struct(returns)
    single = scalar(returns)

    def check(value: object) -> object:
        canonical = single(value)
        if canonical is None:
            raise _unfit(value, returns)
        return canonical

    return check


def _list(returns: SqlType) -> Check:
    assert returns.item is not None
    item, values, distinct = _check(returns.item), returns.item.values, returns.distinct

    def check(value: object) -> object:
        if not isinstance(value, list):
            raise _unfit(value, returns)
        items = [item(v) for v in value]
        return [v for v in values if v in items] if distinct else items

    return check


def _struct(returns: SqlType) -> Check:
    fields = [(name, kind.nullable, _check(kind)) for name, kind in returns.fields]

    def check(value: object) -> object:
        if not isinstance(value, dict):
            raise _unfit(value, returns)
        checked: dict[str, object] = {}
        for name, nullable, field in fields:
            if name not in value:
                if not nullable:
                    raise ValueError(f"field {name!r} is missing")
                checked[name] = None
                continue
            try:
                checked[name] = field(value[name])
            except ValueError as error:
                raise ValueError(f"field {name!r}: {error}") from None
        return checked

    return check


def _unfit(value: object, returns: SqlType) -> ValueError:
    try:
        shown = json.dumps(value, ensure_ascii=False)[:_SHOWN]
    except RecursionError:
        shown = "what is nested so deeply"
    return ValueError(f"{_encodable(shown)} is not {returns.sql()}")


def _holds_decimal(returns: SqlType) -> bool:
    inner = [kind for _, kind in returns.fields] + ([returns.item] if returns.item else [])
    return returns.name == "DECIMAL" or any(map(_holds_decimal, inner))


@cache
def _reader(*, digits: bool) -> Callable[[str], object]:
    """What reads JSON; `digits`: numbers remember theirs."""
    number = Written if digits else float

    def finite(text: str) -> float:
        value = number(text)
        if math.isinf(value):
            raise ValueError(f"{text} is too large")
        return value

    decode = json.JSONDecoder(parse_constant=_no_number, parse_float=finite).decode

    def read(text: str) -> object:
        try:
            return decode(text)
        except RecursionError:  # models at a loss write one bracket after another
            raise _too_deep(text) from None
        except ValueError as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            raise ValueError(f"{text[:_SHOWN]!r} is not JSON ({reason})") from None

    return read


def _written(value: object) -> str:
    try:
        return _encodable(_compact(value))
    except RecursionError:
        raise ValueError("the answer is nested too deeply") from None


def _too_deep(text: str) -> ValueError:
    return ValueError(f"{text[:_SHOWN]!r} .. is nested too deeply")


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is not a number of JSON")


def _encodable(text: str) -> str:
    """The text without halves of surrogate pairs, which JSON may hold but UTF-8 may not."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
