"""How a statement of plain DuckDB is stopped while a function of ours waits for answers.

DuckDB leaves a function only when it returns, and does not tell it that the statement is to end.
So `con.interrupt()` is made to tell those who listen, as long as anybody does; and Ctrl-C, which
only the main thread hears of, is noticed by functions that run on others.
"""

from __future__ import annotations

import faulthandler
import functools
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

import duckdb

_HEARD_SECONDS = 0.2  # in which the main thread hears of Ctrl-C too, and DuckDB says so itself

Told = Callable[[duckdb.DuckDBPyConnection], None]

_listeners: list[Told] = []
_lock = threading.Lock()
_interrupt: Callable[[duckdb.DuckDBPyConnection], None] | None = None  # DuckDB's own


def listen(told: Told) -> None:
    """From now on `told` is called with every connection that is interrupted."""
    global _interrupt
    with _lock:
        _listeners.append(told)
        if _interrupt is None:
            _interrupt = duckdb.DuckDBPyConnection.interrupt
            kind: Any = duckdb.DuckDBPyConnection
            kind.interrupt = _telling(_interrupt)


def unlisten(told: Told) -> None:
    """No longer; after the last one `interrupt` is DuckDB's own again."""
    global _interrupt
    with _lock:
        if told in _listeners:
            _listeners.remove(told)
        if not _listeners and _interrupt is not None:
            kind: Any = duckdb.DuckDBPyConnection
            kind.interrupt, _interrupt = _interrupt, None


def _telling(
    interrupt: Callable[[duckdb.DuckDBPyConnection], None],
) -> Callable[[duckdb.DuckDBPyConnection], None]:
    @functools.wraps(interrupt)
    def told(self: duckdb.DuckDBPyConnection) -> None:
        interrupt(self)
        for listener in list(_listeners):
            listener(self)

    return told


class Stop(threading.Event):
    """Set when the statement is to end, also by Ctrl-C while `noticing_ctrl_c`."""

    def __init__(self) -> None:
        super().__init__()
        self.pressed: Callable[[], bool] | None = None

    def is_set(self) -> bool:
        if self.pressed is not None and self.pressed():
            self.set()
        return super().is_set()


@contextmanager
def noticing_ctrl_c(stop: Stop) -> Iterator[None]:
    """Inside, Ctrl-C sets the event too; what else it does stays as it is.

    On the main thread nothing is to be done: Python raises KeyboardInterrupt there.
    """
    if threading.current_thread() is threading.main_thread() or not _is_heard():
        yield
        return
    with _watch:
        pressed = stop.pressed = _watch.since_now()
        try:
            yield
        finally:
            if pressed():
                time.sleep(_HEARD_SECONDS)


def _is_heard() -> bool:
    """The program has not said that it wants nothing to do with Ctrl-C."""
    return callable(signal.getsignal(signal.SIGINT))


class _Watch:
    """Counts how often Ctrl-C is pressed, while anybody is inside.

    A handler that Python calls runs on the main thread, after what that waits for. faulthandler's
    runs at once: it writes a few lines to a file of ours and goes on to the handler there was.
    """

    def __init__(self) -> None:
        self._inside = 0
        self._file: IO[bytes] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._file = tempfile.TemporaryFile()
                faulthandler.register(signal.SIGINT, self._file, all_threads=False, chain=True)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._file is not None:
                faulthandler.unregister(signal.SIGINT)
                self._file.close()
                self._file = None

    def since_now(self) -> Callable[[], bool]:
        """Whether it was pressed after this; ask while inside."""
        assert self._file is not None
        descriptor = self._file.fileno()
        size = os.fstat(descriptor).st_size
        return lambda: os.fstat(descriptor).st_size > size


_watch = _Watch()
