"""SQL as a tree of tokens, balanced groups and LLM calls; desugaring walks it.

`parse_soup` and `parse_hql` feed tokens to the LALR parser. Whether a word is a keyword is decided
by what the parser could take at that place, so no word is reserved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from lark import Lark, Transformer
from lark import Token as LarkToken
from lark.exceptions import UnexpectedToken

from heliumql.errors import ParseError
from heliumql.source import Span
from heliumql.syntax.grammar import keywords, make_parser
from heliumql.syntax.literals import decode
from heliumql.syntax.mistakes import unexpected
from heliumql.syntax.statements import Value
from heliumql.syntax.tokens import QUERY_STARTS, Token, identifier

_AGGREGATE = "LLM_AGG"  # the verb that takes DISTINCT, ORDER BY and FILTER
_MAX_DEPTH = 200  # of parentheses; the walk over the tree is recursive


@dataclass(frozen=True)
class Group:
    """`(..)`, `[..]` or `{..}`."""

    open: Token
    items: tuple[Element, ...]
    close: Token

    @property
    def start(self) -> int:
        return self.open.start

    @property
    def end(self) -> int:
        return self.close.end

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)


@dataclass(frozen=True)
class Argument:
    """One argument of a call; `returns` is the type after RETURNS."""

    name: Token | None
    items: tuple[Element, ...]
    returns: Span | None

    @property
    def span(self) -> Span:
        return Span(self.items[0].start, self.items[-1].end)


@dataclass(frozen=True)
class Call:
    """An LLM call; DISTINCT, ORDER BY and FILTER only where the verb is LLM_AGG.

    `order` holds sort keys, and options that stand behind them.
    """

    verb: Token
    arguments: tuple[Argument, ...]
    close: Token
    distinct: Token | None = None
    order: tuple[Argument, ...] = ()
    filter: Group | None = None

    @property
    def start(self) -> int:
        return self.verb.start

    @property
    def end(self) -> int:
        return self.close.end if self.filter is None else self.filter.end

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)


Element: TypeAlias = Token | Group | Call


@dataclass(frozen=True)
class Constant:
    """A constant value and its place."""

    value: Value
    span: Span


def starts_query(group: Group) -> bool:
    """Whether a query stands in the parentheses."""
    if group.open.type != "LPAR" or not group.items:
        return False
    match group.items[0]:
        case Token() as token:
            return token.word in QUERY_STARTS
        case Group() as inner:
            return starts_query(inner)
        case _:
            return False


def parse_soup(tokens: Sequence[Token]) -> tuple[Element, ...]:
    """The tokens as a tree; raises ParseError where brackets do not match or a call is wrong."""
    elements: tuple[Element, ...] = _parse(tokens, "soup")
    return elements


def parse_hql(tokens: Sequence[Token]) -> tuple[str, dict[str, Any]]:
    """The rule that the tokens match and its parts by name (parse.py makes statements of them)."""
    rule, parts = _parse(tokens, "hql")
    return rule, parts


def _parse(tokens: Sequence[Token], start: str) -> Any:
    parser, fixed = _parser()
    machine: Any = parser.parse_interactive(start=start)
    state = machine.parser_state
    table = state.parse_conf.states
    feed = state.feed_token  # it takes whatever has a `type`
    opened: list[str] = []  # of each open bracket, the verb of the call that it belongs to, or ''
    closed = ""  # the same of the bracket that closed last
    for index, token in enumerate(tokens):
        kind = token.type
        if kind in ("NAME", "OPERATOR"):
            keyword = fixed.get(token.text.upper())
            # The table lists what may follow in any context that looks alike, so in the soup,
            # where few words are keywords, the table alone would take an alias for one.
            if keyword is not None and keyword in table[state.position]:
                verb = opened[-1] if opened else ""
                if start != "soup" or _is_keyword(tokens, index, verb, closed):
                    kind = keyword
        elif kind in ("LPAR", "LSQB", "LBRACE"):
            called = index > 0 and tokens[index - 1].type == "VERB"
            opened.append(tokens[index - 1].word if called else "")
            if len(opened) > _MAX_DEPTH:
                raise ParseError("the statement is nested too deeply", span=token.span)
        elif kind in ("RPAR", "RSQB", "RBRACE") and opened:
            closed = opened.pop()
        try:
            feed(token if kind is token.type else token._replace(type=kind))
        except UnexpectedToken:
            raise unexpected(tokens, index, machine.accepts()) from None
    try:
        return feed(LarkToken("$END", ""), True)
    except UnexpectedToken:
        raise unexpected(tokens, len(tokens), machine.accepts()) from None


def _is_keyword(tokens: Sequence[Token], index: int, verb: str, closed: str) -> bool:
    """Whether the word is a keyword in SQL: of a call of `verb` that it stands directly in, or
    behind a bracket that ended a call of `closed`."""
    before = tokens[index - 1] if index else None
    after = tokens[index + 1] if index + 1 < len(tokens) else None
    match tokens[index].word:
        case "RETURNS":  # before a type, and not a column's name
            return bool(verb) and after is not None and after.type == "NAME"
        case "DISTINCT":
            return verb == _AGGREGATE and before is not None and before.type == "LPAR"
        case "ORDER":
            return verb == _AGGREGATE and after is not None and after.word == "BY"
        case "BY":
            return verb == _AGGREGATE and before is not None and before.word == "ORDER"
        case "FILTER":
            ended = before is not None and before.type == "RPAR" and closed == _AGGREGATE
            return ended and after is not None and after.type == "LPAR"
        case _:
            return False


class _Builder(Transformer[LarkToken, Any]):
    """Makes the values of this module out of what the parser reduces."""

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


@cache
def _parser() -> tuple[Lark, dict[str, str]]:
    """The parser and its keywords, made once, when the first statement needs it."""
    parser = make_parser(_Builder())
    return parser, keywords(parser)


def number_value(text: str) -> int | float:
    """The value of a NUMBER token."""
    plain = text.replace("_", "")
    if plain[:2].lower() == "0x":
        return int(plain, 16)
    return int(plain) if plain.isdigit() else float(plain)


def _named(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(names, values, strict=True))
