"""One statement of the shell: evaluated in a thread, while the main thread stays awake.

The main thread takes its batches, draws progress, and hears Ctrl-C: the first one interrupts the
statement, the second one within two seconds leaves it to itself.
"""

from __future__ import annotations

import queue
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from types import FrameType

import pyarrow as pa

from heliumql.connection import Connection, Parsed

_TICK_SECONDS = 0.1
_PATIENCE_SECONDS = 0.4  # rows that come later than that after the first ones are not waited for
_AGAIN_SECONDS = 1.0  # after which a statement that goes on is interrupted once more
_SECOND_SECONDS = 2.0  # within which a second Ctrl-C gives the prompt back
_AHEAD = 8  # batches


class Abandoned(Exception):
    """The statement does not stop; it has been left to itself, and its connection with it."""


@dataclass(frozen=True)
class _Failed:
    error: BaseException


class _Done:
    pass


class Evaluation:
    """One statement, being evaluated."""

    def __init__(self, connection: Connection, parsed: Parsed, tick: Callable[[], None]) -> None:
        """`tick` is called in the main thread about ten times a second while it waits."""
        self.interrupted = False
        self._connection = connection
        self._tick = tick
        self._items: queue.Queue[pa.RecordBatch | _Failed | _Done] = queue.Queue(_AHEAD)
        self._left = threading.Event()  # nobody takes items any more
        self._over = False
        self._pressed: list[float] = []  # when Ctrl-C was
        self._asked = 0.0  # when it was interrupted last
        self._thread = threading.Thread(
            target=self._evaluate, args=(parsed,), name="heliumql-statement", daemon=True
        )

    # in the main thread -----------------------------------------------------------------------

    def items(self) -> Generator[pa.RecordBatch | None, None, None]:
        """The batches; None where the next one takes a while. Raises what ended the statement.

        Abandoned, where it does not stop. After `interrupt` no more batches come.
        """
        first: float | None = None
        with self._listening():
            self._thread.start()
            try:
                while True:
                    item = self._next()
                    match item:
                        case _Done():
                            self._over = True
                            return
                        case _Failed(error):
                            self._over = True
                            raise error
                        case None:
                            if first is not None and time.monotonic() - first > _PATIENCE_SECONDS:
                                yield None
                        case _ if not self.interrupted:
                            first = first or time.monotonic()
                            yield item
            finally:
                self._end()

    def interrupt(self) -> None:
        """Stops the statement; its answers are kept."""
        self.interrupted = True
        self._asked = time.monotonic()
        self._connection.interrupt()

    def _next(self) -> pa.RecordBatch | _Failed | _Done | None:
        try:
            return self._items.get(timeout=_TICK_SECONDS)
        except queue.Empty:
            self._tick()
            self._look_at_interrupts()
            return None

    def _look_at_interrupts(self) -> None:
        if len(self._pressed) > 1 and self._pressed[-1] - self._pressed[-2] <= _SECOND_SECONDS:
            raise Abandoned
        if self.interrupted and time.monotonic() - self._asked > _AGAIN_SECONDS:
            self.interrupt()  # the first one came too early to be heard

    def _end(self) -> None:
        """Whoever read has gone, maybe before the end: lets the statement stop, for a while."""
        if self._over:
            self._thread.join()
            return
        self._over = True
        if not any(map(self._is_double, range(1, len(self._pressed)))):
            self.interrupt()
            try:
                while not isinstance(self._next(), _Done | _Failed):
                    pass
                self._thread.join()
                return
            except Abandoned:
                self._left.set()
                raise
        self._left.set()

    def _is_double(self, index: int) -> bool:
        return self._pressed[index] - self._pressed[index - 1] <= _SECOND_SECONDS

    @contextmanager
    def _listening(self) -> Iterator[None]:
        def heard(number: int, frame: FrameType | None) -> None:
            self._pressed.append(time.monotonic())
            self.interrupt()

        before = signal.signal(signal.SIGINT, heard)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    # in its own thread ------------------------------------------------------------------------

    def _evaluate(self, parsed: Parsed) -> None:
        try:
            relation = self._connection.run(parsed)
            if relation is not None:
                # Closed at once, also on Ctrl-C: the stats are those of what ran until then.
                with closing(relation.batches()) as batches:
                    for batch in batches:
                        if self.interrupted or not self._put(batch):
                            break
            self._put(_Done())
        except BaseException as error:
            self._put(_Failed(error))
        if self._left.is_set():
            self._connection.close()  # nobody else has it

    def _put(self, item: pa.RecordBatch | _Failed | _Done) -> bool:
        """Hands an item over; False where nobody takes it any more."""
        while not self._left.is_set():
            try:
                self._items.put(item, timeout=_TICK_SECONDS)
                return True
            except queue.Full:
                continue
        return False
