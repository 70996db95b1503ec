"""Where the shell writes: results and what commands show, messages, and the line of progress.

Results go to standard output or, after `.output` and `.once`, to a file; messages and progress go
to standard error. Only the main thread writes.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import BinaryIO

from heliumql.cli.progress import clock, describe, draw_line, take_line_away
from heliumql.cli.repl.preferences import CommandError, mode_of
from heliumql.cli.report import say_error
from heliumql.cli.standard_output import OutputClosedError
from heliumql.stats import Progress

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_TURNS_PER_SECOND = 10
_FIRST_SHOWN_SECONDS = 0.5  # a quick statement shows nothing
_PLAIN_SHOWN_SECONDS = 2.0  # one without calls


class Screen:
    """The terminal, or the pipes in its place."""

    def __init__(self, *, interactive: bool) -> None:
        self.interactive = interactive  # somebody types, and sees what is shown
        self.colour = interactive and not os.environ.get("NO_COLOR")
        self.file_mode: str | None = None  # that the name of the file says; `.mode` goes before it
        self.path: Path | None = None  # of the file that results go to
        self._file: BinaryIO | None = None
        self._entries: int | None = None  # that are run before the file is closed; None: all
        self._has_status = False

    # results --------------------------------------------------------------------------------

    @property
    def in_file(self) -> bool:
        """Results go to a file."""
        return self._file is not None

    def to_file(self, path: Path | None, *, once: bool = False) -> None:
        """Results go to this file from now on; None: to the terminal again. Raises CommandError."""
        self.close_file()
        if path is not None:
            mode = mode_of(path)
            try:
                self._file = path.expanduser().open("wb")
            except OSError as error:
                raise CommandError(f"cannot write {path}: {error.strerror}") from None
            self.path, self.file_mode = path, mode
            self._entries = 2 if once else None  # the command itself, and the next one

    def entry_done(self) -> None:
        """An entry has been run: a file of `.once` holds what it showed."""
        if self._entries is not None:
            self._entries -= 1
            if not self._entries:
                self.close_file()

    def close_file(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = self.path = self.file_mode = self._entries = None

    def write(self, data: bytes) -> int:
        """Raises OutputClosedError where nobody reads any more."""
        self.clear_status()
        try:
            if self._file is not None:
                self._file.write(data)
                self._file.flush()
            else:
                sys.stdout.flush()
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise OutputClosedError from None
        except OSError as error:
            self.close_file()
            raise CommandError(f"cannot write the result: {error.strerror}") from None
        return len(data)

    def show(self, text: str) -> None:
        """A line, or several, where results go."""
        self.write(f"{text}\n".encode())

    def tell(self, text: str) -> None:
        """What was asked about the shell itself: it is no result, and goes to no file."""
        file, self._file = self._file, None
        try:
            self.show(text)
        finally:
            self._file = file
        if self._entries is not None:
            self._entries += 1  # `.once` waits for a result

    # messages -------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        self.clear_status()
        sys.stdout.flush()
        print(text, file=sys.stderr, flush=True)

    def dim(self, text: str) -> None:
        """What is good to know and easily passed over."""
        self.say(f"\x1b[2m{text}\x1b[0m" if self.colour else text)

    def error(self, text: str) -> None:
        self.clear_status()
        sys.stdout.flush()
        say_error(text)

    # progress -------------------------------------------------------------------------------

    def status(self, progress: Progress | None, started: float, percent: float) -> None:
        """Redraws the line that says how far a statement is, begun at `started` (monotonic).

        `percent` is DuckDB's, negative where it does not know.
        """
        line = _status(progress, started, percent)
        if line:
            self.status_line(line)

    def status_line(self, line: str) -> None:
        """Shows this until something else is written; cut at its dots where it is too long."""
        draw_line(sys.stderr, line)
        self._has_status = True

    def clear_status(self) -> None:
        if self._has_status:
            take_line_away(sys.stderr)
            self._has_status = False

    def begin_line(self) -> None:
        """Takes away what the terminal has put there of a pressed Ctrl-C."""
        if self.interactive:
            self._has_status = True
            self.clear_status()

    @property
    def width(self) -> int:
        return shutil.get_terminal_size().columns

    @property
    def height(self) -> int:
        return shutil.get_terminal_size().lines


def _status(progress: Progress | None, started: float, percent: float) -> str:
    seconds = time.monotonic() - started
    if seconds < _FIRST_SHOWN_SECONDS:
        return ""
    turn = _SPINNER[int(seconds * _TURNS_PER_SECOND) % len(_SPINNER)]
    match progress:
        case Progress(starting=str() as what):
            return f"{turn} starting {what}  {seconds:.0f} s"
        case Progress(calls_known=known) if known:
            return f"{turn} {describe(progress)}"
    if seconds < _PLAIN_SHOWN_SECONDS:
        return ""
    done = f" · {percent:.0f} %" if percent >= 1 else ""
    return f"{turn} running {clock(seconds)}{done}"
