"""What the parser makes of the rules of the grammar: the values of `tree.py`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from lark import Lark, Transformer
from lark import Token as LarkToken

from heliumql.source import Span
from heliumql.syntax.grammar import keywords, make_parser
from heliumql.syntax.literals import decode
from heliumql.syntax.statements import Value
from heliumql.syntax.tokens import Token, identifier
from heliumql.syntax.tree import Argument, Call, Constant, Element, Group, number_value


@cache
def parser_and_keywords() -> tuple[Lark, dict[str, str]]:
    """The parser and its keywords, made once, when the first statement needs it."""
    parser = make_parser(Builder())
    return parser, keywords(parser)


class Builder(Transformer[LarkToken, Any]):
    """Makes the values of tree.py out of what the parser reduces."""

    def soup(self, items: list[Element]) -> tuple[Element, ...]:
        return tuple(items)

    def expression(self, items: list[Element]) -> tuple[Element, ...]:
        return tuple(items)

    def group(self, items: list[Any]) -> Group:
        return Group(*items)

    def call(self, items: list[Any]) -> Call:
        verb, _, distinct, *arguments, order, close, filter_ = items
        given = tuple(a for a in arguments if a is not None)
        return Call(verb, given, close, distinct, order or (), filter_)

    def order(self, items: list[Argument]) -> tuple[Argument, ...]:
        return tuple(items)

    def filter(self, items: list[Group]) -> Group:
        return items[0]

    def argument(self, items: list[Any]) -> Argument:
        name, _, expression, returns = items
        return Argument(name, expression, returns)

    def type(self, items: list[Any]) -> Span:
        return Span(items[0].start, items[-1].end)

    def word(self, items: list[Token]) -> Token:
        return items[0]

    def name(self, items: list[Token]) -> Token:
        return items[0]

    def text(self, items: list[Token]) -> Token:
        return items[0]

    def or_replace(self, _: list[Any]) -> bool:
        return True

    temp = if_not_exists = if_exists = or_replace

    def parameters(self, items: list[Any]) -> list[tuple[Token, Span | None]]:
        return [item for item in items if item is not None]

    def parameter(self, items: list[Any]) -> tuple[Token, Span | None]:
        name, type_span = items
        return name, type_span

    def options(self, items: list[Any]) -> list[tuple[Token, Constant]]:
        return [item for item in items if item is not None]

    def option(self, items: list[Any]) -> tuple[Token, Constant]:
        name, _, value = items
        return name, value

    def number(self, items: list[Any]) -> Constant:
        sign, digits = items
        start = digits.start if sign is None else sign.start
        value = number_value(digits.text)
        negative = sign is not None and sign.text == "-"
        return Constant(-value if negative else value, Span(start, digits.end))

    def value(self, items: list[Any]) -> Any:
        return items[0]

    def text_value(self, items: list[Token]) -> Constant:
        return Constant(decode(items[0]).text, items[0].span)

    def word_value(self, items: list[Token]) -> Constant:
        return Constant(identifier(items[0]), items[0].span)

    def true(self, items: list[Token]) -> Constant:
        return Constant(True, items[0].span)

    def false(self, items: list[Token]) -> Constant:
        return Constant(False, items[0].span)

    def null(self, items: list[Token]) -> Constant:
        return Constant(None, items[0].span)

    def list_value(self, items: list[Any]) -> Constant:
        open_, *values, close = items
        kept: list[Value] = [value.value for value in values if value is not None]
        return Constant(kept, Span(open_.start, close.end))

    def struct_value(self, items: list[Any]) -> Constant:
        open_, *pairs, close = items
        pairs = [item for item in pairs if item is not None]
        value: dict[str, Value] = {
            decode(key).text if "STRING" in key.type else identifier(key): constant.value
            for key, constant in zip(pairs[::2], pairs[1::2], strict=True)
        }
        return Constant(value, Span(open_.start, close.end))

    def hql(self, items: list[Any]) -> Any:
        return items[0]

    def create_model(self, items: list[Any]) -> Any:
        return "create_model", _named(
            ("or_replace", "temp", "if_not_exists", "name", "options"), items
        )

    def create_prompt(self, items: list[Any]) -> Any:
        return "create_prompt", _named(
            (
                "or_replace",
                "temp",
                "if_not_exists",
                "name",
                "parameters",
                "returns",
                "options",
                "body",
            ),
            items,
        )

    def drop_model(self, items: list[Any]) -> Any:
        return "drop_model", _named(("if_exists", "name"), items)

    def drop_prompt(self, items: list[Any]) -> Any:
        return "drop_prompt", _named(("if_exists", "name"), items)

    def show(self, items: list[Any]) -> Any:
        return "show", _named(("what",), items)

    def describe(self, items: list[Any]) -> Any:
        return "describe", _named(("what", "name"), items)

    def clear_cache(self, items: list[Any]) -> Any:
        return "clear_cache", _named(("where",), items)

    def set_option(self, items: list[Any]) -> Any:
        return "set_option", _named(("name", "value"), items)

    def reset_option(self, items: list[Any]) -> Any:
        return "reset_option", _named(("name",), items)


def _named(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(names, values, strict=True))
