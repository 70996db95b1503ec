"""Prompt templates: text with placeholders.

Desugaring makes an SQL expression of the parts; EXPLAIN shows them. The rules: `{name}`,
`{t.name}`, `{"Odd Name"}` are columns, `{0}` a value argument, `{{` and `}}` braces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from heliumql.errors import ParseError
from heliumql.source import Span

_NAME = r'(?:(?:[^\W\d]|[^\x00-\x7f\s])[\w$]*|"[^"]*(?:""[^"]*)*")'
_PIECE = re.compile(
    rf"\{{\{{|\}}\}}|\{{(?P<path>{_NAME}(?:\.{_NAME})*)\}}|\{{(?P<value>\d+)\}}|\{{"
)
_WORD = re.compile(_NAME)


@dataclass(frozen=True)
class Placeholder:
    """A column (`path`) or a value argument (`value`); the span is relative to the template."""

    path: tuple[str, ...]  # quotes taken off
    value: int | None
    span: Span


def parse_template(text: str) -> tuple[str | Placeholder, ...]:
    """The parts in order, no two texts beside each other; raises ParseError at a stray `{`."""
    parts: list[str | Placeholder] = []
    pending = ""
    position = 0
    for found in _PIECE.finditer(text):
        pending += text[position : found.start()]
        position = found.end()
        if found.group() in ("{{", "}}"):
            pending += found.group()[0]
            continue
        span = Span(found.start(), found.end())
        if found["path"] is not None:
            path = tuple(_unquoted(name) for name in _WORD.findall(found["path"]))
            placeholder = Placeholder(path, None, span)
        elif found["value"] is not None:
            placeholder = Placeholder((), int(found["value"]), span)
        else:
            raise ParseError(
                "'{' begins no placeholder here",
                span=span,
                hint='write {{ for a brace; placeholders are {name}, {t.name}, {"Odd Name"}, {0}',
            )
        if pending:
            parts.append(pending)
            pending = ""
        parts.append(placeholder)
    pending += text[position:]
    if pending:
        parts.append(pending)
    return tuple(parts)


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name[0] == '"' else name
