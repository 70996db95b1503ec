"""What is typed, piped or read from a file, as dot commands and statements.

A dot command is a line that begins with a dot where a statement could begin. Where statements end
is for the tokenizer of the language to say: a semicolon in quotes or comments ends nothing.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from heliumql.syntax import tokenize

_WITHOUT_DOT = ("help", "exit", "quit")  # none of them begins a statement


@dataclass(frozen=True)
class Entry:
    """A dot command, or a statement; `line` counts the lines of the text before it."""

    text: str
    line: int
    is_command: bool = False
    is_complete: bool = True  # it ends with a semicolon

    @property
    def is_broken(self) -> bool:
        """It holds bytes that are no text."""
        return any("\ud800" <= character <= "\udfff" for character in self.text)


def as_command(text: str) -> str | None:
    """The command that a word alone stands for: other shells have it without the dot."""
    word = text.strip().removesuffix(";").rstrip().lower()
    return f".{word}" if word in _WITHOUT_DOT else None


def entries(text: str) -> Iterator[Entry]:
    """The entries of a text, in order. What is between them (blanks, comments) is left out."""
    position: int | None = 0
    while position is not None:
        position = yield from _until_command(text, position)


def is_complete(text: str) -> bool:
    """Nothing is missing: all statements are ended."""
    return as_command(text) is not None or all(entry.is_complete for entry in entries(text))


def _until_command(text: str, position: int) -> Generator[Entry, None, int | None]:
    """Statements up to a dot command, and that one; the position behind it, or None at the end."""
    start: int | None = None
    for token in tokenize(text, position):
        if start is None:
            if token.text == "." and _begins_line(text, token.start):
                end = text.find("\n", token.start)
                end = len(text) if end < 0 else end
                yield Entry(text[token.start : end].rstrip(), _lines(text, token.start), True)
                return end
            start = token.start
        if token.type == "SEMICOLON":
            if token.start > start:
                yield Entry(text[start : token.end], _lines(text, start))
            start = None
    if start is not None:
        yield Entry(text[start:], _lines(text, start), is_complete=False)
    return None


def _begins_line(text: str, position: int) -> bool:
    return not text[text.rfind("\n", 0, position) + 1 : position].strip()


def _lines(text: str, position: int) -> int:
    return text.count("\n", 0, position)
