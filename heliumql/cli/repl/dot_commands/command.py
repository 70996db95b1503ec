"""What a dot command is, and how its arguments are read."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliumql.cli.repl.preferences import CommandError

if TYPE_CHECKING:
    from heliumql.cli.repl.shell import Shell


@dataclass(frozen=True)
class Command:
    """A dot command; `run` has the arguments, as many as `least` to `most`."""

    name: str
    usage: str
    what: str
    run: Callable[[Shell, list[str]], None]
    least: int = 0
    most: int = 1
    other_names: tuple[str, ...] = ()
    takes_text: bool = False  # all that follows is one argument, as it was typed


def words_of(text: str) -> list[str]:
    """Arguments: blanks divide, quotes hold together. Raises CommandError at an open quote."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars="")
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError:
        raise CommandError(f"a quote is never closed: {text}") from None
    if words and words[-1].endswith(";") and len(words[-1]) > 1:  # by habit
        words[-1] = words[-1].removesuffix(";")
    return words
