"""Keys and values as they are written: `{'prompt': ..}`, `{"temperature": 1}`, `model := ..`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from heliumql.dialects.mistakes import mistake
from heliumql.source import Span
from heliumql.syntax.constants import by_comma, constant
from heliumql.syntax.literals import LITERAL_TYPES, decode, quoted, quoted_name
from heliumql.syntax.mistakes import suggestion
from heliumql.syntax.statements import Value
from heliumql.syntax.tokens import Token, identifier
from heliumql.syntax.tree import Element, Group


@dataclass(frozen=True)
class Field:
    """A key, in lower case, and the value that is written behind it."""

    key: str
    place: Span  # of the key
    items: tuple[Element, ...]
    source: str

    @property
    def span(self) -> Span:
        return span_of(self.items)

    def value(self, what: str) -> Value:
        """The value as a constant of SQL or of JSON; raises BindError where it is none."""
        found = constant(self.items)
        if found is not None:
            return found.value
        try:
            read: Value = json.loads(self.source[self.span.start : self.span.end])
        except ValueError:
            raise mistake(f"{what} must be a constant", self.span, None) from None
        return read

    def text(self, what: str) -> str:
        found = self.value(what)
        if not isinstance(found, str):
            raise mistake(f"{what} must be a text", self.span, None)
        return found


class Fields:
    """The fields of a struct, or the named arguments of a call; each is taken once."""

    def __init__(self, what: str, place: Span, fields: Iterable[Field]) -> None:
        self.what = what
        self.place = place
        self._known: list[str] = []
        self._left: dict[str, Field] = {}
        for field in fields:
            if field.key in self._left:
                raise mistake(f"{field.key} is there twice", field.place, None)
            self._left[field.key] = field

    def take(self, name: str) -> Field | None:
        """The field of that name; one that is NULL counts as not there."""
        self._known.append(name)
        found = self._left.pop(name, None)
        return None if found is None or is_word(found.items, "NULL") else found

    def need(self, name: str) -> Field:
        found = self.take(name)
        if found is None:
            raise mistake(f"{self.what} needs {name}", self.place, None)
        return found

    def ignore(self, *names: str) -> None:
        """Where and how calls are sent, not what they say."""
        for name in names:
            self.take(name)

    def refuse(self, hint: str, *names: str) -> None:
        """Raises BindError where one of them is there."""
        for name in names:
            found = self._left.pop(name, None)
            if found is not None:
                raise mistake(f"{name} of {self.what} cannot be carried over", found.place, hint)

    def rest(self) -> Iterator[Field]:
        """Those that nobody has taken."""
        yield from self._left.values()

    def finished(self) -> None:
        """Raises BindError where a field is left that nobody has asked for."""
        for field in self.rest():
            hint = suggestion(field.key, self._known, "its keys")
            raise mistake(f"{self.what} has no {field.key}", field.place, hint)


def struct(what: str, items: Sequence[Element], source: str) -> Fields:
    """The fields of `{..}`; raises BindError where it is no such struct."""
    match items:
        case [Group(open=Token(type="LBRACE")) as group]:
            parts = by_comma(group.items)
            return Fields(what, span_of(items), (_field(p, group, source) for p in parts))
        case _:
            hint = "{'key': value, ..}"
            raise mistake(f"{what} must be written out as a struct", span_of(items), hint)


def structs(what: str, field: Field) -> list[Fields]:
    """The structs of `[{..}, ..]`."""
    match field.items:
        case [Group(open=Token(type="LSQB")) as group]:
            return [struct(what, part, field.source) for part in filled(group)]
        case _:
            hint = "[{'data': column}, ..]"
            raise mistake(f"{field.key} must be written out as a list", field.span, hint)


def filled(group: Group) -> list[tuple[Element, ...]]:
    """What stands between the commas; raises BindError where nothing does."""
    parts = by_comma(group.items)
    if not all(parts):
        raise mistake("there is nothing between two commas", span_of([group]), None)
    return parts


def _field(part: Sequence[Element], group: Group, source: str) -> Field:
    match part:
        case [Token() as key, Token(type="OPERATOR", text=":"), first, *more]:
            return Field(_name(key), key.span, (first, *more), source)
        case _:
            place = span_of(part or [group])
            raise mistake("this is no key with its value", place, "{'key': value, ..}")


def _name(key: Token) -> str:
    text = decode(key).text if key.type in LITERAL_TYPES else identifier(key)
    return text.lower()


def span_of(items: Sequence[Element]) -> Span:
    return Span(items[0].start, items[-1].end)


def is_word(items: Sequence[Element], word: str) -> bool:
    return len(items) == 1 and isinstance(items[0], Token) and items[0].word == word


# What is written --------------------------------------------------------------------------------


def written(value: Value) -> str:
    """The constant as SQL."""
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).upper()
        case str():
            return quoted(value)
        case list():
            return "[" + ", ".join(map(written, value)) + "]"
        case dict():
            pairs = (f"{quoted(key)}: {written(item)}" for key, item in value.items())
            return "{" + ", ".join(pairs) + "}"
        case _:
            return repr(value)


def named(name: str) -> str:
    """The name, in quotes where it needs them."""
    is_plain = name.isidentifier() and name.isascii() and name == name.lower()
    return name if is_plain else quoted_name(name)


def call(
    verb: str, arguments: Sequence[str], options: Mapping[str, Value], behind: str = ""
) -> str:
    """`LLM_GENERATE('..', x, model => 'm')`; options that are None are left out."""
    after = [f"{key} => {written(value)}" for key, value in options.items() if value is not None]
    return f"{verb}({', '.join([*arguments, *after])}{behind})"
