"""The type of an answer, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from heliumql.types import accept, hint, schema

INTEGERS = {
    "TINYINT": 8,
    "SMALLINT": 16,
    "INTEGER": 32,
    "BIGINT": 64,
    "HUGEINT": 128,
    "UTINYINT": 8,
    "USMALLINT": 16,
    "UINTEGER": 32,
    "UBIGINT": 64,
}
"""The integers and their widths in bits."""


@dataclass(frozen=True)
class SqlType:
    """The type of an answer: a scalar, an ENUM, a list, or a struct of them."""

    name: str  # VARCHAR, BOOLEAN, INTEGER .., DECIMAL, DATE .., JSON, ENUM, LIST, STRUCT
    values: tuple[str, ...] = ()  # ENUM
    item: SqlType | None = None  # LIST
    fields: tuple[tuple[str, SqlType], ...] = field(default=())  # STRUCT
    distinct: bool = False  # LIST of ENUM: every value once, in the order of the ENUM
    width: int = 0  # DECIMAL: digits in all
    scale: int = 0  # DECIMAL: digits behind the point
    nullable: bool = False  # of a field or an item: null is an answer

    @property
    def is_text(self) -> bool:
        """Free text: the answer is taken as it is."""
        return self.name == "VARCHAR"

    @property
    def is_nested(self) -> bool:
        """The answer is a JSON document rather than a bare value."""
        return self.name in ("LIST", "STRUCT", "JSON")

    @property
    def bounds(self) -> tuple[int, int]:
        """The smallest and the largest value of an integer type."""
        bits = INTEGERS[self.name]
        if self.name.startswith("U"):
            return 0, (1 << bits) - 1
        return -(1 << (bits - 1)), (1 << (bits - 1)) - 1

    @property
    def required(self) -> SqlType:
        """The type without null."""
        return replace(self, nullable=False) if self.nullable else self

    def sql(self) -> str:
        """The type as DuckDB writes it; a type of DuckDB does not say whether it is nullable."""
        return self._written(nulls=False)

    def hql(self) -> str:
        """The type as it is written in HQL: `parse_type` gives it back."""
        return self._written(nulls=True)

    def _written(self, *, nulls: bool) -> str:
        match self.name:
            case "ENUM":
                text = "ENUM(" + ", ".join(_quoted(v) for v in self.values) + ")"
            case "LIST":
                assert self.item is not None
                text = self.item._written(nulls=nulls) + "[]"
            case "STRUCT":
                pairs = (f'"{_dq(n)}" {t._written(nulls=nulls)}' for n, t in self.fields)
                text = "STRUCT(" + ", ".join(pairs) + ")"
            case "DECIMAL":
                text = f"DECIMAL({self.width},{self.scale})"
            case name:
                text = name
        return text + " NULL" if nulls and self.nullable else text

    def choices(self) -> tuple[str, ...] | None:
        """All possible answers where they are few (ENUM, BOOLEAN), else None."""
        match self.name:
            case "ENUM":
                return self.values
            case "BOOLEAN":
                return ("true", "false")
            case _:
                return None

    def json_schema(self) -> dict[str, Any]:
        """JSON schema of the value (for a bare scalar too)."""
        return schema.json_schema(self)

    def hint(self) -> str:
        """The sentence that ends a prompt so that a model knows the form asked for; '' for text."""
        return hint.hint(self)

    def shape(self) -> str:
        """The form of the value as a prompt shows it: `{"year": integer | null}`."""
        return hint.shape(self)

    def accept(self, text: str) -> str:
        """The answer in canonical form: as DuckDB prints the scalar, or compact JSON.

        In JSON a DECIMAL is a string, so that it keeps its digits. Raises ValueError that says why
        where the answer does not fit the type.
        """
        return text if self.is_text else accept.acceptor(self)(text)


TEXT = SqlType("VARCHAR")
BOOLEAN = SqlType("BOOLEAN")


def _dq(name: str) -> str:
    return name.replace('"', '""')


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
