"""String literals and what they mean, with the way back from each character to the text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from heliumql.source import Span
from heliumql.syntax.tokens import Token, tokenize

LITERAL_TYPES = ("STRING", "ESCAPED_STRING", "DOLLAR_STRING")
_ESCAPE = re.compile(r"''|\\(x[\da-fA-F]{1,2}|[0-7]{1,3}|(?s:.))")
_CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True)
class Literal:
    """The text of a string literal; `shifts` are (offset in it, offset in the source), rising."""

    text: str
    shifts: tuple[tuple[int, int], ...]

    def span(self, start: int, end: int) -> Span:
        """Where the characters `start` to `end` of the text stand in the source."""
        return Span(self._source(start), self._source(max(end - 1, start)) + 1)

    def _source(self, offset: int) -> int:
        base = next(pair for pair in reversed(self.shifts) if pair[0] <= offset)
        return base[1] + offset - base[0]


def decode(token: Token) -> Literal:
    """The text that a string token means."""
    if token.type == "DOLLAR_STRING":
        tag = token.text.index("$", 1) + 1
        return Literal(token.text[tag:-tag], ((0, token.start + tag),))
    opening = 2 if token.type == "ESCAPED_STRING" else 1
    raw = token.text[opening:-1]
    start = token.start + opening
    parts: list[str] = []
    shifts = [(0, start)]
    length = position = 0
    escapes = _ESCAPE if token.type == "ESCAPED_STRING" else _DOUBLED
    for found in escapes.finditer(raw):
        parts.append(raw[position : found.start()])
        meant = "'" if found.group() == "''" else _meaning(found[1])
        parts.append(meant)
        length += found.start() - position + len(meant)
        position = found.end()
        shifts.append((length, start + position))
    parts.append(raw[position:])
    return Literal("".join(parts), tuple(shifts))


_DOUBLED = re.compile(r"''")


def constant_text(written: str) -> str:
    """The text that a string literal, as written, stands for."""
    return decode(tokenize(written)[0]).text


def quoted(text: str) -> str:
    """The text as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def quoted_name(name: str) -> str:
    """The name as an SQL identifier, whatever it is."""
    return '"' + name.replace('"', '""') + '"'


def _meaning(escape: str) -> str:
    if escape[0] == "x" and len(escape) > 1:
        return chr(int(escape[1:], 16))
    if escape[0] in "01234567":
        return chr(int(escape, 8) & 0xFF)
    return _CONTROL.get(escape, escape)
