"""Being told of a signal while DuckDB computes; the command line and the notebook stop by it.

Python runs signal handlers between two bytecodes only, so not while a library computes. A thread
that is woken by the signal itself does what is to be done at once.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def told_at_once(tell: Callable[[], None]) -> Iterator[None]:
    """Calls `tell` from another thread as soon as a signal arrives that Python handles.

    To be entered in the main thread, as only that may say where signals wake somebody.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def watch() -> None:
        # An empty read is the end of the pipe: the statement is through.
        while os.read(reading, 1):
            if not done.is_set():
                tell()

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
