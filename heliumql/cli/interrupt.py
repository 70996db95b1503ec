"""Ctrl-C and SIGTERM: stop the running statement at once, close what is open, tell the status.

Python runs signal handlers between two bytecodes only, so not while DuckDB computes. A thread
that is woken by the signal itself interrupts the statement; the handler raises afterwards.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


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

    @contextmanager
    def interrupting(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Calls `interrupt` from another thread as soon as a signal arrives."""
        reading, writing = os.pipe()
        os.set_blocking(writing, False)

        def watch() -> None:
            # An empty read is the end of the pipe: the statement is through.
            while os.read(reading, 1):
                if not done.is_set():
                    interrupt()

        done = threading.Event()
        watcher = threading.Thread(target=watch, name="heliumql-interrupts", daemon=True)
        watcher.start()
        before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        try:
            yield
        finally:
            done.set()
            signal.set_wakeup_fd(before)
            os.close(writing)
            watcher.join()
            os.close(reading)


def listen() -> Interrupts:
    """From here on SIGINT and SIGTERM raise KeyboardInterrupt in the main thread."""
    interrupts = Interrupts()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupts.handle)
    return interrupts
