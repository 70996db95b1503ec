"""The line that shows how far a running statement is; the session calls it now and then."""

from __future__ import annotations

import shutil
from typing import TextIO

from heliumql.progress import clock, describe, percent
from heliumql.source import display_width
from heliumql.stats import Progress

__all__ = ["ProgressLine", "clock", "describe", "percent"]

_FIRST_SHOWN_SECONDS = 0.5  # a quick statement shows nothing


class ProgressLine:
    """Redraws one line of a terminal in place; `clear` takes it away again."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._drawn = False

    def __call__(self, progress: Progress) -> None:
        if progress.seconds < _FIRST_SHOWN_SECONDS or not progress.calls_known:
            return
        draw_line(self._stream, describe(progress))
        self._drawn = True

    def clear(self) -> None:
        if self._drawn:
            take_line_away(self._stream)
            self._drawn = False


def draw_line(stream: TextIO, line: str) -> None:
    """Puts it in the place of the terminal's last line; cut at its dots where it is too long."""
    while display_width(line) >= shutil.get_terminal_size().columns and " · " in line:
        line = line.rpartition(" · ")[0]
    stream.write(f"\r{line}\x1b[K")
    stream.flush()


def take_line_away(stream: TextIO) -> None:
    stream.write("\r\x1b[K")
    stream.flush()
