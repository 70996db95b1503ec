"""Core SQL while it is written: text, and where each piece of it came from."""

from __future__ import annotations

from heliumql.source import Span
from heliumql.syntax.core import Piece, SourceMap


class Writer:
    """Appends copies of the user's text and text of our own; keeps the source map."""

    def __init__(self, source: str, offset: int) -> None:
        self._source = source
        self._offset = offset  # of the source in its file: spans in the map count from there
        self._parts: list[str] = []
        self._pieces: list[Piece] = []
        self._length = 0

    def copy(self, start: int, end: int) -> None:
        """Append the user's text from `start` to `end`, unchanged."""
        if start >= end:
            return
        span = Span(start + self._offset, end + self._offset)
        self._pieces.append(Piece(self._length, span, exact=True))
        self._append(self._source[start:end])

    def put(self, text: str, span: Span) -> None:
        """Append text of our own that stands for what is at `span` of the source."""
        self._pieces.append(Piece(self._length, span.shifted(self._offset), exact=False))
        self._append(text)

    def text(self) -> str:
        return "".join(self._parts)

    def source_map(self) -> SourceMap:
        return SourceMap(tuple(self._pieces))

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
