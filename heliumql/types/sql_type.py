"""The type of an answer, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from heliumql.types import accept, hint, schema


@dataclass(frozen=True)
class SqlType:
    """The type of an answer: a scalar, an ENUM, a list, or a struct of them."""

    name: str  # VARCHAR, BOOLEAN, INTEGER .., DOUBLE, JSON, ENUM, LIST, STRUCT
    values: tuple[str, ...] = ()  # ENUM
    item: SqlType | None = None  # LIST
    fields: tuple[tuple[str, SqlType], ...] = field(default=())  # STRUCT
    distinct: bool = False  # LIST of ENUM: every value once, in the order of the ENUM

    @property
    def is_text(self) -> bool:
        """Free text: the answer is taken as it is."""
        return self.name == "VARCHAR"

    @property
    def is_nested(self) -> bool:
        """The answer is a JSON document rather than a bare value."""
        return self.name in ("LIST", "STRUCT", "JSON")

    def sql(self) -> str:
        """The type as DuckDB writes it."""
        match self.name:
            case "ENUM":
                return "ENUM(" + ", ".join(_quoted(v) for v in self.values) + ")"
            case "LIST":
                assert self.item is not None
                return self.item.sql() + "[]"
            case "STRUCT":
                return "STRUCT(" + ", ".join(f'"{_dq(n)}" {t.sql()}' for n, t in self.fields) + ")"
            case name:
                return name

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

    def accept(self, text: str) -> str:
        """The answer in canonical form: as DuckDB prints the scalar, or compact JSON.

        Raises ValueError that says why where the answer does not fit the type.
        """
        return accept.accept(self, text)


TEXT = SqlType("VARCHAR")
BOOLEAN = SqlType("BOOLEAN")


def _dq(name: str) -> str:
    return name.replace('"', '""')


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
