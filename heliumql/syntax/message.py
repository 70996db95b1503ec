"""Messages of a call as written: templates, and any other expression."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from heliumql.errors import ParseError
from heliumql.source import Span
from heliumql.syntax.literals import LITERAL_TYPES, decode
from heliumql.syntax.template import Placeholder, parse_template
from heliumql.syntax.tokens import Token
from heliumql.syntax.tree import Element
from heliumql.types import SqlType


@dataclass(frozen=True)
class Expression:
    """Any SQL expression."""

    items: tuple[Element, ...]

    @property
    def span(self) -> Span:
        return Span(self.items[0].start, self.items[-1].end)


@dataclass(frozen=True)
class Gathered:
    """The texts of the rows of a group, joined; `order` are sort keys, `filter` begins with WHERE.

    Distinct texts are in their own order where no other is asked for: else it would be chance.
    """

    text: Message
    separator: str
    distinct: bool
    order: tuple[Expression, ...]
    filter: Expression | None
    span: Span


@dataclass(frozen=True)
class Template:
    """Parts that are joined; the spans of its placeholders point into the source.

    `text` is how it is written, with `{..}` where rows differ.
    """

    parts: tuple[Part, ...]
    text: str
    span: Span


Part: TypeAlias = str | Placeholder | Expression | Gathered
"""A piece of a message: text, a column or value, an expression that is cast to VARCHAR, an
aggregate of such."""

Message: TypeAlias = Template | Expression


def read_message(items: tuple[Element, ...]) -> Message:
    """A template where the whole argument is one string literal, else an expression."""
    if len(items) == 1 and isinstance(items[0], Token) and items[0].type in LITERAL_TYPES:
        return read_template(items[0])
    return Expression(items)


def read_template(token: Token) -> Template:
    """The template that the string literal holds."""
    literal = decode(token)
    try:
        parts = parse_template(literal.text)
    except ParseError as error:
        stray = error.span or Span(0, 1)
        place = literal.span(stray.start, stray.end)
        raise ParseError(error.message, span=place, hint=error.hint) from None
    placed = tuple(
        part
        if isinstance(part, str)
        else Placeholder(part.path, part.value, literal.span(part.span.start, part.span.end))
        for part in parts
    )
    return Template(placed, literal.text, token.span)


def with_hint(message: Message, returns: SqlType) -> Message:
    """The message with the sentence that tells a model the form of the answer."""
    hint = returns.hint()
    if not hint:
        return message
    match message:
        case Template(parts, text, span):
            return Template(joined([*parts, "\n" + hint]), text, span)
        case Expression():
            return Template((message, "\n" + hint), "", message.span)


def joined(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The parts, no two texts beside each other and none empty."""
    result: list[Part] = []
    for part in parts:
        before = result[-1] if result else None
        if isinstance(part, str) and isinstance(before, str):
            result[-1] = before + part
        elif part != "":
            result.append(part)
    return tuple(result)
