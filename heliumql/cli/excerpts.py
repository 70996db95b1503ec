"""The line with a caret below it, made to fit a terminal.

A line that the terminal breaks would stand between the place and its caret.
"""

from __future__ import annotations

import re

from heliumql.source import display_width

_EXCERPT = re.compile(
    r"^(\d+ \| )(.*)\n( +\| )( *)(\^+)$", re.MULTILINE
)  # as source.render draws it
_CUT = "…"
_LEAST = 20  # columns; with fewer nothing is readable anyhow


def fitted(text: str, columns: int) -> str:
    """The same message; of lines that are too long the part around the caret is left."""

    def cut(found: re.Match[str]) -> str:
        margin, line, below, indent, carets = found.groups()
        room = columns - len(margin)
        if room < _LEAST or display_width(line) <= room:
            return found[0]
        place = len(indent)
        first = 0 if place + len(carets) < room else max(0, place - room // 3)
        dropped = _columns_into(line, first)
        rest = line[dropped:]
        shown = _CUT + rest[1:] if dropped else rest
        place -= display_width(line[:dropped])
        if dropped:  # the dots are narrower than what they stand for, where that is wide
            place -= display_width(rest[:1]) - 1
        if display_width(shown) > room:
            shown = shown[: _columns_into(shown, room - 1)] + _CUT
        marks = "^" * max(1, min(len(carets), room - place))
        return f"{margin}{shown}\n{below}{' ' * place}{marks}"

    return _EXCERPT.sub(cut, text)


def _columns_into(line: str, columns: int) -> int:
    """How many of its characters fit there."""
    taken = 0
    for index, character in enumerate(line):
        taken += display_width(character)
        if taken > columns:
            return index
    return len(line)
