"""Texts as tokens; everything else in this room reads tokens, never characters.

The patterns are the terminals of the grammar. What lies between tokens (blanks, comments) is not
kept: spans lead back to it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from heliumql.source import Span
from heliumql.syntax.grammar import TOKEN_ORDER, terminals


class Token(NamedTuple):
    """A token; `type` is a terminal of the grammar, SEMICOLON, or ERROR (a quote never closed)."""

    type: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """The upper-case text of a word that is not quoted, else ''."""
        return self.text.upper() if self.type in ("NAME", "VERB") else ""

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)


QUERY_STARTS = {
    *("SELECT", "FROM", "WITH", "VALUES", "TABLE", "PIVOT", "UNPIVOT"),
    *("DESCRIBE", "SUMMARIZE", "SHOW"),
}
"""The words that a query, or a statement that can stand for one, begins with."""

_SKIPPED = re.compile(r"(?:[\s\u200b\ufeff]|--[^\r\n]*)*+")
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_PUNCTUATION = {
    "(": "LPAR",
    ")": "RPAR",
    "[": "LSQB",
    "]": "RSQB",
    "{": "LBRACE",
    "}": "RBRACE",
    ",": "COMMA",
    ";": "SEMICOLON",
}
# After these words, and after a dot, a name before `(` names a thing and calls nothing.
_NAMING = {"INTO", "VIEW", "MACRO", "FUNCTION", "REFERENCES", "EXISTS", "WITH", "RECURSIVE"}


def tokenize(text: str, start: int = 0, end: int | None = None) -> list[Token]:
    """The tokens of `text[start:end]`, positions counted from the beginning of `text`."""
    end = len(text) if end is None else end
    match = _master().match
    skip = _SKIPPED.match
    is_verb = terminals()["VERB"].fullmatch
    tokens: list[Token] = []
    position = start
    while True:
        skipped = skip(text, position, end)
        position = skipped.end() if skipped else position
        if position >= end:
            return tokens
        if text.startswith("/*", position):
            close = _comment_end(text, position, end)
            if close is None:
                tokens.append(Token("ERROR", text[position:end], position, end))
                return tokens
            position = close
            continue
        kind = _PUNCTUATION.get(text[position])
        if kind is not None:
            last = tokens[-1] if tokens and kind == "LPAR" else None
            if last and last.type == "NAME" and is_verb(last.text) and not _names_a_thing(tokens):
                tokens[-1] = last._replace(type="VERB")
            tokens.append(Token(kind, text[position], position, position + 1))
            position += 1
            continue
        found = match(text, position, end)
        if found is None:
            tokens.append(Token("ERROR", text[position:end], position, end))
            return tokens
        tokens.append(Token(_kind(found), found.group(), position, found.end()))
        position = found.end()


def split(tokens: list[Token]) -> list[list[Token]]:
    """The tokens of each statement; the semicolons between them are left out."""
    statements: list[list[Token]] = [[]]
    for token in tokens:
        if token.type == "SEMICOLON":
            statements.append([])
        else:
            statements[-1].append(token)
    return [statement for statement in statements if statement]


def identifier(token: Token) -> str:
    """The name that a word means: quotes taken off."""
    if token.type == "QUOTED_NAME":
        return token.text[1:-1].replace('""', '"')
    return token.text


def _names_a_thing(tokens: list[Token]) -> bool:
    before = tokens[-2] if len(tokens) > 1 else None
    if before is None:
        return False
    if before.text == ".":
        return True
    if before.word == "TABLE":  # CREATE TABLE llm_filter (..), not LLM_AGG(TABLE ..)
        return True
    if before.word == "EXISTS":  # IF NOT EXISTS llm_filter (..)
        return len(tokens) > 2 and tokens[-3].word in ("IF", "NOT")
    if before.word == "AS":  # FROM (VALUES ('a')) AS llm_score (c)
        return not _begins_a_body(tokens[:-1])
    return before.word in _NAMING


def _begins_a_body(tokens: list[Token]) -> bool:
    """Whether the last token is the AS of `CREATE MACRO f(x) AS LLM_SCORE(x)`, maybe of a later
    one of its bodies; in parentheses and behind the words of a query it is that of an alias."""
    depth = 0
    for token in reversed(tokens):
        if token.type == "SEMICOLON":
            break
        depth += {"LPAR": 1, "RPAR": -1}.get(token.type, 0)
        if depth > 0 or (depth == 0 and token.word in QUERY_STARTS):
            return False
    return True


def _comment_end(text: str, start: int, end: int) -> int | None:
    """Where the comment that begins at `start` is over; comments nest."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, start, end):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return None


_compiled: list[re.Pattern[str]] = []


def _master() -> re.Pattern[str]:
    if not _compiled:
        patterns = terminals()
        joined = "|".join(f"(?P<{name}>{patterns[name].pattern})" for name in TOKEN_ORDER)
        _compiled.append(re.compile(joined))
    return _compiled[0]


def _kind(found: re.Match[str]) -> str:
    kind = found.lastgroup
    assert kind is not None
    return kind
