"""Shapes: what is known about the answers inside a column while a pass runs.

A deferred value is text that refers to a call without an answer (architecture: deferred values).
A shape says where such text may stand in a column, so that functions that only carry it can be
told from those that would read it. Unknown means: may not be carried.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from heliumql.binder.tree import Node, cast, type_node

_JSON = type_node("JSON")


@dataclass(frozen=True)
class Shape:
    """No answer can be inside: an ordinary value."""


@dataclass(frozen=True)
class RowNumber(Shape):
    """An ordinary value that no two rows of its relation share."""


@dataclass(frozen=True)
class Text(Shape):
    """VARCHAR in which references may stand anywhere."""


@dataclass(frozen=True)
class Answer(Shape):
    """Text that is exactly one answer (or one field of one), a reference, or NULL.

    To the query it is a value of SQL type `type_node`; the cast is made when it is inspected or
    comes out. `through_json`: the text is a JSON document of that type.
    """

    type_name: str
    type_json: str  # the serialized type node; a string so that shapes can be compared
    through_json: bool = False
    declared: str = "VARCHAR"  # of the bare text of a call: the type that its answers have

    @property
    def is_text(self) -> bool:
        return self.type_name == "VARCHAR"

    @property
    def is_as_printed(self) -> bool:
        """The text is what DuckDB prints of the value; of a FLOAT it may print more digits."""
        return not self.through_json and self.type_name not in ("JSON", "FLOAT")


@dataclass(frozen=True)
class List(Shape):
    """A list with answers inside its elements."""

    item: Shape


@dataclass(frozen=True)
class Struct(Shape):
    """A struct with answers inside its fields."""

    fields: tuple[tuple[str, Shape], ...]

    def field(self, name: str) -> Shape | None:
        for key, shape in self.fields:
            if key.lower() == name.lower():
                return shape
        return None


CLEAN = Shape()
TEXT = Text()


def is_clean(shape: Shape) -> bool:
    return type(shape) in (Shape, RowNumber)


def is_textual(shape: Shape) -> bool:
    """VARCHAR to the query: clean, carried text, or an answer of type VARCHAR."""
    return (
        is_clean(shape) or isinstance(shape, Text) or (isinstance(shape, Answer) and shape.is_text)
    )


def carried_inside(shape: Shape) -> bool:
    """May stand inside a list or struct as it is: only answers of other types may not."""
    return not isinstance(shape, Answer) or shape.is_text


def joined(a: Shape, b: Shape) -> Shape | None:
    """The shape of a column whose values come from both; None where no such shape exists."""
    if is_clean(a) and is_clean(b):
        return CLEAN  # row numbers of two relations may meet
    if a == b:
        return a
    match a, b:
        case (List(x), List(y)):
            item = joined(x, y)
            return None if item is None else List(item)
        case (Struct(x), Struct(y)) if [n for n, _ in x] == [n for n, _ in y]:
            pairs = [(n, joined(s, t)) for (n, s), (_, t) in zip(x, y, strict=True)]
            if any(s is None for _, s in pairs):
                return None
            return Struct(tuple((n, s) for n, s in pairs if s is not None))
        case (List() | Struct(), _) if is_clean(b):
            return a
        case (_, List() | Struct()) if is_clean(a):
            return b
        case _ if is_textual(a) and is_textual(b):
            return TEXT
    return None


def realized(expression: Node, shape: Shape) -> Node:
    """The value as the query sees it; only to be evaluated where no reference is left in it."""

    if not isinstance(shape, Answer) or shape.is_text:
        return expression
    target = json.loads(shape.type_json)
    if shape.through_json:
        return cast(cast(expression, _JSON), target)
    return cast(expression, target)
