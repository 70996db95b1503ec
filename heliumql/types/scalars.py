"""Single values as JSON has them, checked against a type: what DuckDB makes of them, or None."""

from __future__ import annotations

import re
import struct
import sys
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heliumql.types.sql_type import SqlType

Check = Callable[[object], object]
"""Gives the canonical form of a JSON value, None where the value does not fit."""

_EXACT = Context(prec=200)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_LARGEST_WHOLE = 1 << 53  # from here on floats skip whole numbers
_DATE = r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"
_TIME = (
    r"(?P<hour>[01]?[0-9]|2[0-3]):(?P<minute>[0-5][0-9])"
    r"(:(?P<second>[0-5][0-9])(\.(?P<fraction>[0-9]{1,9}))?)?"
)
_FORMS = {
    "DATE": re.compile(_DATE),
    "TIME": re.compile(_TIME),
    "TIMESTAMP": re.compile(rf"{_DATE}([T ]{_TIME}Z?)?"),
    "UUID": re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
}


class Written(float):
    """A number of JSON that remembers its digits, of which a float has only the first few."""

    __slots__ = ("digits",)

    def __new__(cls, digits: str) -> Written:
        number = super().__new__(cls, digits)
        number.digits = digits
        return number

    digits: str


def scalar(returns: SqlType) -> Check:
    """The check of a type that is neither a list nor a struct."""
    match returns.name:
        case "VARCHAR":
            return lambda value: value if isinstance(value, str) else None
        case "BOOLEAN":
            return lambda value: value if isinstance(value, bool) else None
        case "DOUBLE":
            return _double
        case "FLOAT":
            return _float
        case "DECIMAL":
            return _decimal(returns.width, returns.scale)
        case "ENUM":
            values = {v.strip(): v for v in returns.values} | {v: v for v in returns.values}
            return lambda value: values.get(value) if isinstance(value, str) else None
        case "DATE" | "TIME" | "TIMESTAMP" as name:
            return _moment(_FORMS[name])
        case "UUID":
            return _uuid
        case _:
            return _integer(*returns.bounds)


def _double(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # compared as it is: a float cannot hold what a model may write
    return float(value) if abs(value) <= sys.float_info.max else None


def _float(value: object) -> float | None:
    """The nearest FLOAT, with the fewest digits that mean it."""
    wide = _double(value)
    single = None if wide is None else _single(wide)
    if single is None:
        return None
    narrow: float = struct.unpack("<f", single)[0]
    shorter = (float(f"{narrow:.{digits}g}") for digits in range(1, 9))
    return next((short for short in shorter if _single(short) == single), float(f"{narrow:.9g}"))


def _single(value: float) -> bytes | None:
    try:
        return struct.pack("<f", value)
    except OverflowError:
        return None


def _integer(low: int, high: int) -> Check:
    def check(value: object) -> int | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        if isinstance(value, float) and not (abs(value) <= _LARGEST_WHOLE and value.is_integer()):
            return None
        whole = int(value)
        return whole if low <= whole <= high else None

    return check


def _decimal(width: int, scale: int) -> Check:
    unit = Decimal(1).scaleb(-scale)
    most = Decimal(10) ** (width - scale)

    def check(value: object) -> str | None:
        match value:
            case bool():
                return None
            case int():
                text = str(value) if abs(value) <= most else ""
            case Written():
                text = value.digits
            case float():
                text = repr(value)
            case str():
                text = value.strip()
            case _:
                return None
        if not _NUMBER.fullmatch(text):
            return None
        exact = Decimal(text)
        if exact and exact.adjusted() > 40:
            return None
        rounded = exact.quantize(unit, ROUND_HALF_UP, _EXACT)
        if abs(rounded) >= most:
            return None
        shown = f"{rounded:f}" if rounded else f"{abs(rounded):f}"  # there is no -0.00
        return shown.replace("0.", ".", 1) if width == scale else shown

    return check


def _moment(form: re.Pattern[str]) -> Check:
    """Days and times of day; digits behind microseconds are cut off, as DuckDB does."""

    def check(value: object) -> str | None:
        found = form.fullmatch(value.strip()) if isinstance(value, str) else None
        if found is None:
            return None
        parts = found.groupdict()
        shown = []
        if parts.get("year"):
            try:
                day = date(int(parts["year"]), int(parts["month"]), int(parts["day"]))
            except ValueError:  # there is no such day
                return None
            shown.append(day.isoformat())
        if "hour" in parts:
            hour, second = int(parts["hour"] or 0), int(parts["second"] or 0)
            time = f"{hour:02}:{int(parts['minute'] or 0):02}:{second:02}"
            fraction = (parts["fraction"] or "")[:6].rstrip("0")
            shown.append(f"{time}.{fraction}" if fraction else time)
        return " ".join(shown)

    return check


def _uuid(value: object) -> str | None:
    if not isinstance(value, str) or not _FORMS["UUID"].fullmatch(value.strip()):
        return None
    return value.strip().lower()
