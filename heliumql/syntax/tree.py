"""SQL as a tree of tokens, balanced groups and LLM calls; desugaring walks it.

`parse_soup` and `parse_hql` feed tokens to the LALR parser. Whether a word is a keyword is decided
by what the parser could take at that place, so no word is reserved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from heliumql.errors import ParseError
from heliumql.source import Span
from heliumql.syntax.mistakes import unexpected
from heliumql.syntax.statements import Value
from heliumql.syntax.tokens import QUERY_STARTS, Token

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
    # Lark and its tables take a while, and a text without HQL never comes here.
    from lark import Token as LarkToken
    from lark.exceptions import UnexpectedToken

    from heliumql.syntax.builder import parser_and_keywords

    parser, fixed = parser_and_keywords()
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


def number_value(text: str) -> int | float:
    """The value of a NUMBER token."""
    plain = text.replace("_", "")
    if plain[:2].lower() == "0x":
        return int(plain, 16)
    return int(plain) if plain.isdigit() else float(plain)
