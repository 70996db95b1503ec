"""What a call of Flock asks: its prompt and its context columns, and what HQL makes of them.

A column stands in place where the prompt refers to it, else as a line `name: value` below it.
As in Flock a NULL is the word NULL, and where all columns are NULL there is no call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from heliumql.dialects.calls import braced
from heliumql.dialects.flock.fields import Fields, is_word, structs
from heliumql.dialects.mistakes import mistake
from heliumql.syntax.literals import LITERAL_TYPES, decode, quoted
from heliumql.syntax.tokens import Token, identifier
from heliumql.syntax.tree import Element

Written = Callable[[Sequence[Element]], str]
"""What is written for an expression."""

_PLAIN = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_VALUES = {  # words that stand for a value and are no columns
    *("NULL", "TRUE", "FALSE", "DEFAULT", "USER", "CURRENT_USER", "SESSION_USER", "CURRENT_ROLE"),
    *("CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP"),
    *("CURRENT_SCHEMA", "CURRENT_CATALOG"),
}


@dataclass(frozen=True)
class Column:
    """A context column: how the model knows it, and its expression."""

    name: str
    sql: str
    literal: str | None  # the text, where it is a constant

    @property
    def is_plain(self) -> bool:
        """Whether it can be a placeholder."""
        return bool(_PLAIN.fullmatch(self.sql)) and self.sql.upper() not in _VALUES

    @property
    def text(self) -> str:
        """The expression as a text."""
        return self.sql if self.literal is not None else f"CAST({self.sql} AS VARCHAR)"

    @property
    def is_there(self) -> str:
        return f"{self.sql if self.is_plain else f'({self.sql})'} IS NOT NULL"


def context(fields: Fields, written: Written) -> list[Column]:
    """The columns in context_columns, each with a name of its own."""
    field = fields.take("context_columns")
    given = structs("a context column", field) if field else []
    columns: list[Column] = []
    for number, one in enumerate(given, start=1):
        made = _column(one, number, written)
        names = {column.name for column in columns}
        if made.name in names and made.is_plain:
            made = replace(made, name=made.sql)  # of two tables: a.name, b.name
        if made.name in names:
            raise mistake(f"two context columns are named {made.name}", one.place, "'name': '..'")
        columns.append(made)
    return columns


def _column(fields: Fields, number: int, written: Written) -> Column:
    data = fields.need("data")
    name = fields.take("name")
    kind = fields.take("type")
    if kind is not None and kind.text("type").lower() != "tabular":
        message = f"{kind.text('type')} in a context column cannot be carried over"
        raise mistake(message, kind.span, "texts and numbers are available")
    fields.refuse("texts and numbers are available", "detail", "transcription_model")
    fields.finished()
    said = name.text("name") if name else _own_name(data.items)
    return column(said or f"column {number}", data.items, written)


def column(name: str, items: Sequence[Element], written: Written) -> Column:
    """The column of an expression."""
    match items:
        case [Token(type=kind) as token] if kind in LITERAL_TYPES:
            return Column(name, written(items), decode(token).text)
        case _:
            return Column(name, written(items), None)


def _own_name(items: Sequence[Element]) -> str | None:
    """That of the column that an expression is."""
    for index, item in enumerate(items):
        is_name = isinstance(item, Token) and item.type in ("NAME", "QUOTED_NAME")
        is_dot = isinstance(item, Token) and item.text == "."
        if not (is_dot if index % 2 else is_name):
            return None
    match items:
        case [*_, Token() as last] if not any(is_word(items, word) for word in _VALUES):
            return identifier(last)
        case _:
            return None


def message(prompt: str, columns: Sequence[Column]) -> list[str]:
    """The prompt over the columns: a template, and its values, as arguments of a verb."""
    marks: dict[str, str] = {}
    values: list[str] = []
    for column, value in zip(columns, _values(columns), strict=True):
        if value == column.sql and column.is_plain:
            marks[column.name] = "{" + value + "}"
        else:
            marks[column.name] = "{" + str(len(values)) + "}"
            values.append(value)
    template, referred = _filled(prompt, marks)
    lines = [f"{braced(name)}: {mark}" for name, mark in marks.items() if name not in referred]
    return [quoted("\n".join([template, "", *lines] if lines else [template])), *values]


def _filled(prompt: str, marks: dict[str, str]) -> tuple[str, set[str]]:
    """The prompt as a template, and the names that it refers to: `{{name}}` or `{name}`."""
    names = "|".join(re.escape(name) for name in sorted(marks, key=len, reverse=True))
    if not names:
        return braced(prompt), set()
    parts, end, referred = [], 0, set()
    for found in re.finditer(rf"\{{\{{\s*({names})\s*\}}\}}|\{{({names})\}}", prompt):
        name = found[1] or found[2]
        parts += [braced(prompt[end : found.start()]), marks[name]]
        end = found.end()
        referred.add(name)
    return "".join([*parts, braced(prompt[end:])]), referred


def one_text(columns: Sequence[Column], between: str, *, with_names: bool) -> str:
    """The columns joined, as an expression; a constant text is a template that says it."""
    names = [f"{column.name}: " if with_names else "" for column in columns]
    if len(columns) == 1 and not with_names:
        literal = columns[0].literal
        return columns[0].sql if literal is None else quoted(braced(literal))
    pieces: list[str] = []
    values = [columns[0].text] if len(columns) == 1 else _values(columns)
    for number, (name, value) in enumerate(zip(names, values, strict=True)):
        before = (between if number else "") + name
        pieces += [quoted(before), value] if before else [value]
    return " || ".join(pieces)


def _values(columns: Sequence[Column]) -> list[str]:
    """The columns as values of which none is NULL; where all are, one of them is."""
    if len(columns) < 2:
        return [column.sql for column in columns]
    values = [
        column.sql if column.literal is not None else f"coalesce({column.text}, 'NULL')"
        for column in columns
    ]
    if any(column.literal is not None for column in columns):
        return values
    # Its expression is written once, those of the others twice: columns are read for nothing.
    asking = next((n for n, column in enumerate(columns) if not column.is_plain), 0)
    others = " OR ".join(c.is_there for n, c in enumerate(columns) if n != asking)
    values[asking] = f"coalesce({columns[asking].text}, CASE WHEN {others} THEN 'NULL' END)"
    return values


def refers(prompt: str, columns: Sequence[Column]) -> bool:
    """Whether the prompt names one of the columns in braces."""
    return bool(_filled(prompt, {column.name: "" for column in columns})[1])
