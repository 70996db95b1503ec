"""Source texts, spans in them, and the drawing of a line with a caret; everybody uses it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """Characters `start` (inclusive) to `end` (exclusive) of a source text."""

    start: int
    end: int

    def shifted(self, offset: int) -> Span:
        return Span(self.start + offset, self.end + offset)


@dataclass(frozen=True)
class Source:
    """A text that statements come from: a file, or what was typed (`name` None)."""

    text: str
    name: str | None = None
    parts: tuple[Part, ...] = ()  # of a text that was put together: where each piece is from

    def origin(self, span: Span) -> tuple[Source, Span] | None:
        """Where a place of this text was written; None for what nobody wrote."""
        if not self.parts:
            return self, span
        for part in self.parts:
            if part.start <= span.start <= part.end:
                end = max(span.start, min(span.end, part.end))
                there = Span(span.start, end).shifted(part.place.start - part.start)
                return part.source.origin(there)
        return None


@dataclass(frozen=True)
class Part:
    """A piece of a text that was put together: it begins at `start` and stands in `source`."""

    start: int
    source: Source
    place: Span

    @property
    def end(self) -> int:
        return self.start + self.place.end - self.place.start


def joined(*pieces: str | tuple[Source, Span]) -> Source:
    """One text of several: those that are excerpts of others keep their places there."""
    text, parts = "", list[Part]()
    for piece in pieces:
        match piece:
            case str():
                text += piece
            case source, place:
                parts.append(Part(len(text), source, place))
                text += source.text[place.start : place.end]
    return Source(text, parts=tuple(parts))


def render(message: str, source: Source | None, span: Span | None, hint: str | None) -> str:
    """The message; then file, line and a caret under the place, where known; then the hint."""
    lines = [message]
    if source is not None and span is not None:
        start = min(span.start, len(source.text))
        first = source.text.rfind("\n", 0, start) + 1
        last = source.text.find("\n", start)
        last = len(source.text) if last < 0 else last
        line = source.text[first:last].replace("\t", " ")
        number = source.text.count("\n", 0, start) + 1
        where = f"{source.name}:{number}" if source.name else f"line {number}"
        margin = " " * len(str(number))
        indent = " " * display_width(line[: start - first])
        carets = "^" * max(1, display_width(line[start - first : max(start, span.end) - first]))
        lines += [f"  at {where}", f"{number} | {line}", f"{margin} | {indent}{carets}"]
    if hint:
        lines.append(f"hint: {hint}")
    return "\n".join(lines)


def display_width(text: str) -> int:
    """Columns the text takes in a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.east_asian_width(character) in "WF":
        return 2
    return 0 if unicodedata.category(character) in ("Mn", "Me", "Cf") else 1
