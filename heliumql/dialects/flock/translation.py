"""The map of this room: tokens -> statements -> those of Flock replaced -> calls replaced.

What is not replaced is copied, character by character.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from heliumql.dialects.flock.calls import FUNCTIONS, Called, Translate
from heliumql.dialects.flock.fields import span_of
from heliumql.dialects.flock.motherduck import prompt
from heliumql.dialects.flock.prompts import Prompts
from heliumql.dialects.flock.statements import own_statement
from heliumql.dialects.mistakes import mistake
from heliumql.source import Span
from heliumql.syntax import Token, parse_soup, tokenize
from heliumql.syntax.constants import by_comma
from heliumql.syntax.tree import Element, Group

_Replaced = tuple[Span, str]

# Before these a name in front of parentheses is no call.
_NAMING = {"INTO", "TABLE", "VIEW", "MACRO", "FUNCTION", "EXISTS", "WITH", "RECURSIVE"}
# `prompt` is also a name that tables have: it is a function where an expression begins.
_BEGINNING = {
    *("SELECT", "ALL", "DISTINCT", "WHERE", "AND", "OR", "NOT", "CASE", "WHEN", "THEN", "ELSE"),
    *("BY", "HAVING", "QUALIFY", "RETURNING", "IN", "LIKE", "ILIKE", "BETWEEN", "IS", "ON", "AS"),
}


def translated(text: str) -> str:
    """The statements as HQL. Raises ParseError and BindError with the place in the text."""
    prompts = Prompts()
    found: list[_Replaced] = []
    for tokens, end in _statements(text):
        made = own_statement(tokens, text, prompts)
        if made is None:
            # LLM_FILTER is a verb of HQL, too; here all functions are names before a group.
            plain = [t._replace(type="NAME") if t.type == "VERB" else t for t in tokens]
            found += _Walk(text, prompts).replaced(parse_soup(plain))
        else:
            found.append((Span(tokens[0].start, tokens[-1].end if made else end), made))
    return _spliced(text, Span(0, len(text)), found)


def _statements(text: str) -> Iterator[tuple[list[Token], int]]:
    """The tokens of each statement, and where its semicolon ends."""
    tokens: list[Token] = []
    for token in tokenize(text):
        if token.type != "SEMICOLON":
            tokens.append(token)
        elif tokens:
            yield tokens, token.end
            tokens = []
    if tokens:
        yield tokens, tokens[-1].end


@dataclass(frozen=True)
class _Walk:
    """Looks for calls in the tree of a statement."""

    source: str
    prompts: Prompts

    def replaced(self, items: Sequence[Element]) -> Iterator[_Replaced]:
        """Calls and what is written for them, in order."""
        done = -1
        for index, item in enumerate(items):
            if index <= done:
                continue
            called = self._called(items, index)
            if called is not None:
                yield called.span, _function(called.name)(called)
                done = index + 1
            elif isinstance(item, Group):
                yield from self.replaced(item.items)

    def written(self, items: Sequence[Element]) -> str:
        """The text of an expression with the calls in it replaced."""
        return _spliced(self.source, span_of(items), self.replaced(items))

    def _called(self, items: Sequence[Element], index: int) -> Called | None:
        match items[index : index + 2]:
            case [Token(type="NAME") as name, Group(open=Token(type="LPAR")) as group]:
                before = items[index - 1] if index else None
                after = items[index + 2 : index + 4]
                if not _is_call(name, group, before, after):
                    return None
                return Called(name, group, self.source, self.written, self.prompts)
            case _:
                return None


def _function(name: Token) -> Translate:
    if name.word == "PROMPT":
        return prompt
    found = FUNCTIONS[name.word]
    if isinstance(found, str):
        raise mistake(f"{name.text} of Flock cannot be carried over", name.span, found)
    return found


def _is_call(name: Token, group: Group, before: Element | None, after: Sequence[Element]) -> bool:
    """Whether the name before the group is one of our functions, called."""
    word = before.word if isinstance(before, Token) else ""
    if isinstance(before, Token) and before.text == ".":
        return False
    if name.word != "PROMPT":
        return name.word in FUNCTIONS and word not in _NAMING and not _is_own(name, group)
    names = all(
        len(p) == 1 and isinstance(p[0], Token) and p[0].type in ("NAME", "QUOTED_NAME")
        for p in by_comma(group.items)
    )
    if not isinstance(before, Token | None) or (
        names and (word in ("ON", "AS") or _is_query(after))
    ):
        return False
    return before is None or before.type != "NAME" or word in _BEGINNING


def _is_own(name: Token, group: Group) -> bool:
    """Whether it is HQL's LLM_FILTER: Flock's takes structs."""
    first = group.items[0] if group.items else None
    is_struct = isinstance(first, Group) and first.open.type == "LBRACE"
    return name.word == "LLM_FILTER" and not is_struct


def _is_query(after: Sequence[Element]) -> bool:
    """Whether `AS (..)` follows: then the name was that of a common table."""
    match after:
        case [Token() as word, *rest] if word.word == "AS":
            return any(isinstance(item, Group) for item in rest) or any(
                isinstance(item, Token) and item.word in ("MATERIALIZED", "NOT") for item in rest
            )
        case _:
            return False


def _spliced(text: str, within: Span, replaced: Iterator[_Replaced] | Sequence[_Replaced]) -> str:
    """The text within the span, what was found in it replaced."""
    parts, position = [], within.start
    for span, made in replaced:
        parts += [text[position : span.start], made]
        position = span.end
    return "".join([*parts, text[position : within.end]])
