"""A limit on how long DuckDB may take."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb


@contextmanager
def interrupted_after(
    seconds: float, connection: duckdb.DuckDBPyConnection, late: Callable[[], None] | None = None
) -> Iterator[None]:
    """Interrupts what the connection does inside after so many seconds; `late` is told first."""
    lock, over = threading.Lock(), False

    def interrupt() -> None:
        with lock:
            if not over:
                if late is not None:
                    late()
                connection.interrupt()

    timer = threading.Timer(seconds, interrupt)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        with lock:  # from here on nothing is interrupted
            over = True
