"""Where a statement names `messages`, `llm` or `sample`: columns of a call, made only then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from heliumql.errors import ParseError
from heliumql.source import Span
from heliumql.syntax.message import Template, read_message
from heliumql.syntax.template import Placeholder
from heliumql.syntax.tokens import Token, identifier
from heliumql.syntax.tree import Call, Element, Group, starts_query

_NAMES = ("messages", "llm", "sample")


@dataclass(frozen=True)
class _Use:
    name: str
    qualifier: str | None  # lower case
    start: int
    block: int  # where the query that it stands in begins


class Uses:
    """The places that name one of the columns."""

    def __init__(self, elements: Sequence[Element]) -> None:
        self._uses = tuple(_uses(elements, 0))

    def named(self, name: str, alias: str | None, block: Span, hidden: Span) -> bool:
        """Whether the query at `block` names the column of the call with this alias.

        Without a qualifier only this query itself is looked at, and not what stands between the
        FROM of the call and its end (`hidden`): the call is not in scope there.
        """
        for use in self._uses:
            if use.name != name or not block.start <= use.start < block.end:
                continue
            if use.qualifier is not None:
                if alias is not None and use.qualifier == alias.lower():
                    return True
            elif use.block == block.start and not hidden.start <= use.start < hidden.end:
                return True
        return False


def _uses(elements: Sequence[Element], block: int) -> Iterator[_Use]:
    for index, element in enumerate(elements):
        match element:
            case Group():
                inner = element.open.end if starts_query(element) else block
                yield from _uses(element.items, inner)
            case Call():
                for argument in (*element.arguments, *element.order):
                    yield from _in_template(argument.items, block)
                    yield from _uses(argument.items, block)
                yield from _uses(element.filter.items if element.filter else (), block)
            case Token(type="NAME" | "QUOTED_NAME"):
                name = identifier(element).lower()
                if name in _NAMES and _is_column(elements, index):
                    yield _Use(name, _qualifier(elements, index), element.start, block)
            case Token():
                pass


def _in_template(items: tuple[Element, ...], block: int) -> Iterator[_Use]:
    if len(items) != 1 or not isinstance(items[0], Token):
        return
    try:
        message = read_message(items)
    except ParseError:  # no template here; where it is to be one, the call says what is wrong
        return
    if isinstance(message, Template):
        for part in message.parts:
            if not isinstance(part, Placeholder) or not part.path:
                continue
            first, *rest = [name.lower() for name in part.path]
            if rest and rest[0] in _NAMES:
                yield _Use(rest[0], first, part.span.start, block)
            if first in _NAMES:
                yield _Use(first, None, part.span.start, block)


def _is_column(elements: Sequence[Element], index: int) -> bool:
    """Not an alias, not a function."""
    before = elements[index - 1] if index else None
    after = elements[index + 1] if index + 1 < len(elements) else None
    if isinstance(before, Token) and before.word == "AS":
        return False
    return not (isinstance(after, Group) and after.open.type == "LPAR")


def _qualifier(elements: Sequence[Element], index: int) -> str | None:
    dot = elements[index - 1] if index > 1 else None
    table = elements[index - 2] if index > 1 else None
    if isinstance(dot, Token) and dot.text == "." and isinstance(table, Token):
        return identifier(table).lower()
    return None
