"""Core SQL: plain DuckDB SQL in which every LLM call is one internal function call.

`desugar` makes it, the binder binds it. `__hql_llm(site, prompt, system, history)` stands where a
call stood; the site number leads to its `CallSite`, a position leads back to the user's text
through the `SourceMap`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from heliumql.source import Span, display_width
from heliumql.types import SqlType

CALL_FUNCTION = "__hql_llm"  # (BIGINT, VARCHAR, VARCHAR, HISTORY_TYPE) -> VARCHAR
INFO_FUNCTION = "__hql_llm_info"  # the same arguments -> VARCHAR, JSON with every key of INFO_TYPE
HISTORY_TYPE = "STRUCT(role VARCHAR, content VARCHAR)[]"
INFO_TYPE = (
    "STRUCT(status INTEGER, error VARCHAR, finish_reason VARCHAR, prompt_tokens INTEGER, "
    "cached_tokens INTEGER, output_tokens INTEGER, source VARCHAR)"
)


@dataclass(frozen=True)
class CallSite:
    """One LLM call as written: everything about it but the messages, which are SQL."""

    number: int  # unique in the session
    verb: str  # LLM_GENERATE, LLM_FILTER ..
    returns: SqlType
    span: Span  # the whole call in the user's text
    name: str  # for display: the alias, or LLM_GENERATE#1
    template: str | None  # the prompt as one text: a template as written, or a verb's own
    model: str | None = None
    model_span: Span | None = None
    max_tokens: int | None = None  # None: not given, here and below
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] | None = None
    thinking: Literal["auto", "on", "off"] | None = None
    sample: int = 0  # which of the samples of one prompt, from 0
    retries: int | None = None
    on_error: Literal["null", "fail"] | None = None
    cache: Literal["use", "refresh", "off"] | None = None
    version: int = 1  # of the verb's prompt
    task: Literal["generate", "embed"] = "generate"
    diagnostics: bool = False  # the statement asks for g.llm of this call


@dataclass(frozen=True)
class Piece:
    """Core text from `start` came from `span`; where `exact`, character by character."""

    start: int
    span: Span
    exact: bool


@dataclass(frozen=True)
class SourceMap:
    """From offsets in core text to spans in the user's text."""

    pieces: tuple[Piece, ...]

    def span(self, offset: int, length: int = 1) -> Span | None:
        """The place in the user's text that the core text at `offset` came from."""
        first = self._one(offset)
        last = first if length == 1 else self._one(offset + length - 1)
        if first is None or last is None:
            return None
        return Span(first.start, max(first.end, last.end))

    def inserted(self, at: int, length: int) -> SourceMap:
        """That of the core text with text of nobody's put in."""
        pieces: list[Piece] = []
        for number, piece in enumerate(self.pieces):
            end = self.pieces[number + 1].start if number + 1 < len(self.pieces) else None
            if piece.start >= at:
                pieces.append(replace(piece, start=piece.start + length))
                continue
            pieces.append(piece)
            if end is None or end > at:
                skipped = at - piece.start if piece.exact else 0
                span = Span(min(piece.span.start + skipped, piece.span.end), piece.span.end)
                pieces.append(Piece(at + length, span, piece.exact))
        return SourceMap(tuple(pieces))

    def _one(self, offset: int) -> Span | None:
        index = bisect_right(self.pieces, offset, key=lambda piece: piece.start) - 1
        if index < 0:
            return None
        piece = self.pieces[index]
        if not piece.exact:
            return piece.span
        start = min(piece.span.start + offset - piece.start, piece.span.end)
        return Span(start, start + 1)


@dataclass(frozen=True)
class Core:
    """A statement without HQL in it."""

    text: str
    sites: tuple[CallSite, ...]
    source_map: SourceMap


@dataclass(frozen=True)
class PromptCore:
    """A prompt as two DuckDB macros of one name: a value and a table."""

    scalar: str
    table: str
    sites: tuple[CallSite, ...]
    source_map: SourceMap  # of `scalar`


@dataclass(frozen=True)
class DesugarContext:
    """What desugaring needs to know from outside the statement."""

    next_site: Callable[[], int]
    offset: int = 0  # where the statement begins in its file; spans count from there


@dataclass(frozen=True)
class Shell:
    """What kind of statement it is, and the query inside it that can be run by itself."""

    kind: Literal[
        "select",
        "create_table_as",
        "insert",
        "update",
        "delete",
        "merge",
        "copy_to",
        "other",
    ]
    span: Span | None = None  # of `query` in the statement's text
    query: str | None = None  # None where no query can be run by itself
    before: str = ""
    after: str = ""


_EXCERPT = re.compile(r"^LINE (\d+): (.*)\n( *)\^", re.MULTILINE)


def error_offset(message: str, text: str) -> int | None:
    """The offset in `text` that an error message of DuckDB (`LINE 1: ..` and a caret) points at."""
    found = _EXCERPT.search(message)
    if found is None:
        return None
    number, excerpt = int(found[1]), found[2]
    lines = text.split("\n")
    if number > len(lines):
        return None
    # DuckDB cuts long lines to an excerpt between dots, around the caret.
    left = len(found[3]) - len(f"LINE {number}: ")
    caret = 0
    while left > 0 and caret < len(excerpt):
        left -= display_width(excerpt[caret])
        caret += 1
    skipped = 3 if excerpt.startswith("...") else 0
    column = lines[number - 1].find(excerpt[skipped:].removesuffix("..."))
    if column < 0 or caret < skipped:
        return None
    return sum(len(line) + 1 for line in lines[: number - 1]) + column + caret - skipped
