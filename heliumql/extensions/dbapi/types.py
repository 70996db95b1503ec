"""Types in DB-API: what descriptions of columns are compared with, and what makes values."""

from __future__ import annotations

import datetime
import re

Date = datetime.date
Time = datetime.time
Timestamp = datetime.datetime
Binary = bytes


def DateFromTicks(ticks: float) -> datetime.date:  # noqa: N802 - PEP 249 names it
    """The local date of so many seconds since 1970."""
    return datetime.date.fromtimestamp(ticks)


def TimeFromTicks(ticks: float) -> datetime.time:  # noqa: N802
    """The local time of day of so many seconds since 1970."""
    return datetime.datetime.fromtimestamp(ticks).time()


def TimestampFromTicks(ticks: float) -> datetime.datetime:  # noqa: N802
    """The local time of so many seconds since 1970."""
    return datetime.datetime.fromtimestamp(ticks)


class TypeObject:
    """Equal to the types of DuckDB, as strings, that are of one kind.

    >>> NUMBER == "DECIMAL(10,2)", NUMBER == "VARCHAR", STRING == "ENUM('a', 'b')"
    (True, False, True)
    """

    def __init__(self, name: str, *types: str) -> None:
        self._name = name
        self._types = frozenset(types)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TypeObject):
            return self is other
        if not isinstance(other, str):
            return NotImplemented
        if other.endswith("]"):  # a list is none of these
            return False
        return re.sub(r"\(.*", "", other, flags=re.DOTALL) in self._types

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return f"heliumql.dbapi.{self._name}"


STRING = TypeObject("STRING", "VARCHAR", "ENUM", "JSON", "UUID", "BIT", "BIGNUM")
BINARY = TypeObject("BINARY", "BLOB")
NUMBER = TypeObject(
    "NUMBER", "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT",
    "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL",
)  # fmt: skip
DATETIME = TypeObject(
    "DATETIME", "DATE", "TIME", "TIME_NS", "TIME WITH TIME ZONE", "TIMESTAMP", "TIMESTAMP_S",
    "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE", "INTERVAL",
)  # fmt: skip
ROWID = TypeObject("ROWID", "BIGINT")
