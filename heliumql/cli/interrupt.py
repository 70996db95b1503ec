"""Ctrl-C and SIGTERM: stop the running statement at once, close what is open, tell the status.

A thread that is woken by the signal itself interrupts the statement; the handler raises afterwards.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import FrameType

from heliumql.signals import told_at_once


class Interrupts:
    """The signal that asked to stop, if one came."""

    def __init__(self) -> None:
        self._received: int | None = None

    @property
    def exit_status(self) -> int | None:
        """128 + the signal, as shells count it (Ctrl-C: 130); None where no signal came."""
        return None if self._received is None else 128 + self._received

    def handle(self, number: int, frame: FrameType | None) -> None:
        self._received = number
        signal.signal(number, signal.SIG_DFL)  # the second one ends the program on the spot
        raise KeyboardInterrupt

    def interrupting(self, interrupt: Callable[[], None]) -> AbstractContextManager[None]:
        """Calls `interrupt` from another thread as soon as a signal arrives."""
        return told_at_once(interrupt)


def listen() -> Interrupts:
    """From here on SIGINT and SIGTERM raise KeyboardInterrupt in the main thread."""
    interrupts = Interrupts()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupts.handle)
    return interrupts
