"""Stopping a cell: interrupting the kernel stops the statement, and answers that came are kept."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from heliumql.signals import told_at_once


class Stopped:
    """Whether the user asked to stop."""

    def __init__(self) -> None:
        self.asked = False


@contextmanager
def stopping(interrupt: Callable[[], None]) -> Iterator[Stopped]:
    """Calls `interrupt` at Ctrl-C, also while DuckDB computes, and raises KeyboardInterrupt.

    What is raised may be what the code that was hit makes of it; `asked` tells.
    """
    stopped = Stopped()
    if threading.current_thread() is not threading.main_thread():
        yield stopped  # signals are not for this thread
        return

    def handle(number: int, frame: FrameType | None) -> None:
        stopped.asked = True
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, handle)
    try:
        with told_at_once(interrupt):
            yield stopped
    finally:
        signal.signal(signal.SIGINT, before)
