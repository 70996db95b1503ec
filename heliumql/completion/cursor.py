"""Where in a text the cursor is: in code, a string, a quoted name, or nowhere to complete."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from heliumql.syntax import Token, tokenize

_LINE_COMMENT = re.compile(r"--[^\r\n]*\Z")
_CLOSED_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_REST_OF_WORD = re.compile(r"[\w$]*")
_TAG = re.compile(r"\$(?:[^\W\d]\w*)?\$")
_WORDS = ("NAME", "VERB")

Where = Literal["code", "text", "name", "nowhere"]


@dataclass(frozen=True)
class Cursor:
    """The cursor in its statement.

    `text[start:position]` is what is typed of the word, the string (its content) or the quoted
    name (its quote included). `before` are the tokens of the statement up to there, `after` those
    that follow the cursor.
    """

    text: str
    position: int
    where: Where
    start: int
    before: tuple[Token, ...]
    after: tuple[Token, ...]

    @property
    def typed(self) -> str:
        return self.text[self.start : self.position]


def cursor_at(text: str, position: int) -> Cursor:
    """The place of a position; one outside the text is its nearest end."""
    position = min(max(position, 0), len(text))
    tokens = tokenize(text, 0, position)
    tokens, opened = _unclosed(tokens, text)
    if opened is None:
        where, start, tokens = _in_code(text, position, tokens)
        rest = _REST_OF_WORD.match(text, position)
        resume = rest.end() if rest else position
    else:
        where, start, closing = opened
        close = text.find(closing, position)
        resume = close + len(closing) if close >= 0 else position
    return Cursor(
        text,
        position,
        where,
        start,
        tuple(_since_semicolon(tokens)),
        tuple(_until_semicolon(tokenize(text, resume))),
    )


def _unclosed(tokens: list[Token], text: str) -> tuple[list[Token], tuple[Where, int, str] | None]:
    """The tokens before what is not closed at the cursor: what it is, its content, its end."""
    for i, token in enumerate(tokens):
        tag = _TAG.match(text, token.start) if token.type in ("OPERATOR", "PARAMETER") else None
        if tag is not None:  # a DOLLAR_STRING would be closed
            return tokens[:i], ("text", tag.end(), tag.group())
    last = tokens[-1] if tokens else None
    if last is None or last.type != "ERROR":
        return tokens, None
    before = tokens[:-1]
    match last.text[0]:
        case "'":
            # e'..: the letter before the quote is part of the string.
            if before and before[-1].word == "E" and before[-1].end == last.start:
                before = before[:-1]
            return before, ("text", last.start + 1, "'")
        case '"':
            return before, ("name", last.start, '"')
        case _:
            return before, ("nowhere", last.end, "*/")


def _in_code(text: str, position: int, tokens: list[Token]) -> tuple[Where, int, list[Token]]:
    last = tokens[-1] if tokens else None
    if last is not None and last.end == position:
        if last.type in _WORDS:
            return "code", last.start, tokens[:-1]
        if last.type in ("NUMBER", "PARAMETER", "STRING", "ESCAPED_STRING", "DOLLAR_STRING"):
            return "nowhere", position, tokens
        if last.type == "QUOTED_NAME":
            return "nowhere", position, tokens
    between = text[last.end if last else 0 : position]
    if _LINE_COMMENT.search(_CLOSED_COMMENT.sub(" ", between)):
        return "nowhere", position, tokens
    return "code", position, tokens


def _since_semicolon(tokens: list[Token]) -> list[Token]:
    ends = [i for i, token in enumerate(tokens) if token.type == "SEMICOLON"]
    return tokens[ends[-1] + 1 :] if ends else tokens


def _until_semicolon(tokens: list[Token]) -> list[Token]:
    ends = [i for i, token in enumerate(tokens) if token.type in ("SEMICOLON", "ERROR")]
    return tokens[: ends[0]] if ends else tokens
