"""The pager: for what is higher than the terminal, once all of it is there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress

import pyarrow as pa

from heliumql.cli.repl.screen import Screen
from heliumql.cli.standard_output import OutputClosedError

_HELD_BYTES = 1_000_000  # of a result; a longer one goes to the pager while it is read
_DEFAULT = ("less", "-SRFX")


def pager_command() -> str | None:
    """What the shell of the system is to run; None where there is no pager."""
    chosen = os.environ.get("PAGER")
    if chosen is not None:
        return chosen.strip() or None
    return " ".join(_DEFAULT) if shutil.which(_DEFAULT[0]) else None


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C is for the program that has the terminal now."""
    # Not SIG_IGN, which the program would inherit.
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Paged:
    """Takes the bytes of one result and shows them: in a pager, where that is needed and wanted.

    `when` is as `.pager` has it. What has been held back is written by `pause` (more will come, but
    not soon) and by `finish`.
    """

    def __init__(self, screen: Screen, when: str) -> None:
        self._screen = screen
        self._command = pager_command() if when != "off" else None
        self._held: list[bytes] = []
        self._bytes = self._lines = 0
        self._direct = self._command is None
        self._pager: subprocess.Popen[bytes] | None = None
        if when == "always" and self._command is not None:
            self._open()

    def write(self, data: bytes) -> int:
        """Raises OutputClosedError once the pager has been left."""
        if self._pager is not None:
            self._feed(data)
        elif self._direct:
            self._screen.write(data)
        else:
            self._held.append(data)
            self._bytes += len(data)
            self._lines += data.count(b"\n")
            if self._bytes > _HELD_BYTES:
                self._open()
        return len(data)

    @property
    def is_open(self) -> bool:
        """The terminal is the pager's."""
        return self._pager is not None

    def pause(self) -> None:
        """Rows come slowly: they are shown as they come, and stay in the terminal's memory."""
        if self._pager is None:
            self._direct = True
            self._write_held()

    def finish(self) -> None:
        """All is there. Waits until the pager is left."""
        if self._pager is None and not self._direct and self._lines >= self._screen.height:
            self._open()
        if self._pager is None:
            self._write_held()
        else:
            assert self._pager.stdin is not None
            with suppress(BrokenPipeError):  # left before its end
                self._pager.stdin.close()
            with uninterrupted():
                self._pager.wait()

    def _open(self) -> None:
        self._screen.clear_status()
        assert self._command is not None
        environment = {"LESSCHARSET": "utf-8", "LESS": "FRSX", **os.environ}
        self._pager = subprocess.Popen(
            self._command, shell=True, stdin=subprocess.PIPE, env=environment
        )
        held, self._held = b"".join(self._held), []
        self._feed(held)

    def _feed(self, data: bytes) -> None:
        assert self._pager is not None
        assert self._pager.stdin is not None
        try:
            self._pager.stdin.write(data)
            self._pager.stdin.flush()
        except BrokenPipeError:
            raise OutputClosedError from None

    def _write_held(self) -> None:
        held, self._held = b"".join(self._held), []
        if held:
            self._screen.write(held)


def noting_pauses(
    items: Generator[pa.RecordBatch | None, None, None], paged: Paged
) -> Generator[pa.RecordBatch | None, None, None]:
    """The same; what was held back for a pager is shown when rows come slowly."""
    with closing(items):
        for item in items:
            yield item
            if item is None:  # whoever draws has drawn by now
                paged.pause()
