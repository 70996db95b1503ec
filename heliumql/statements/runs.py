"""Evaluations of statements as relations read them: rows, and what they cost."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from heliumql.calls.account import Account, Spent
from heliumql.errors import ExecutionError, HeliumQLError
from heliumql.source import Source
from heliumql.stats import CallTimes, Stats

if TYPE_CHECKING:
    from heliumql.physical.each import EachCall
    from heliumql.physical.passes import Passes

_PATIENCE_SECONDS = 10.0


class CallRun:
    """One evaluation of a query with calls: its rows, and what it cost."""

    def __init__(
        self,
        evaluation: Passes | EachCall,
        started: float,
        finished: Callable[[CallRun, bool], None],
        source: Source | None = None,
        lock: threading.RLock | None = None,
    ) -> None:
        """`finished(run, again)` is called when it is over, and again when its rows are read."""
        self._finished = finished
        self._text = source
        self._evaluation = evaluation
        self._started = started
        self._planning = time.monotonic() - started
        self._first: float | None = None
        self._seconds: float | None = None
        self._complete = False
        self._ahead: list[pa.RecordBatch] = []
        self._source: Iterator[pa.RecordBatch] | None = None
        self._lock = lock or threading.RLock()
        self._error: Exception | None = None
        self._reader: int | None = None  # the thread that evaluates at this moment
        self._over = threading.Event()

    def batches(self) -> Generator[pa.RecordBatch, None, None]:
        try:
            while True:
                batch = self._ahead.pop(0) if self._ahead else self._next()
                if batch is None:
                    break
                if self._first is None:
                    self._first = time.monotonic() - self._started
                yield batch
        except HeliumQLError as error:
            raise error if self._text is None else error.with_source(self._text) from None
        finally:
            self.close()

    def _next(self) -> pa.RecordBatch | None:
        with self._lock:
            if self._error is not None:
                raise self._error
            if self._complete:
                return None
            if self._over.is_set():  # these would be some of the rows, as if there were no more
                raise ExecutionError("the connection was closed while rows were being read")
            if self._source is None:
                self._started = time.monotonic() - self._planning
                self._source = self._evaluation.batches()
            self._reader = threading.get_ident()
            try:
                batch = next(self._source, None)
            except BaseException as error:
                self._error = error if isinstance(error, Exception) else _stopped()
                raise
            finally:
                self._reader = None
            self._complete = batch is None
            return batch

    def executed(self) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        from heliumql.physical.each import EachCall

        assert isinstance(self._evaluation, EachCall)
        self._reader = threading.get_ident()
        try:
            done = self._evaluation.execute()
            self._complete = True
            return done
        finally:
            self._reader = None
            self.close()

    def read_ahead(self) -> None:
        """Reads to the end, so that the connection is free for another statement.

        An error on the way is told to whoever goes on reading these rows.
        """
        from heliumql.physical.dispatch import Interrupted

        try:
            while (batch := self._next()) is not None:
                self._ahead.append(batch)
        except Interrupted:
            raise
        except HeliumQLError:
            self.close()
        self._finish()

    def stop(self, interrupt: Callable[[], None]) -> None:
        """Ends the evaluation, also where a thread is in the middle of it: that one ends it."""
        reader = self._reader
        if reader is None:
            self.close()
            return
        interrupt()
        if reader != threading.get_ident():
            self._over.wait(_PATIENCE_SECONDS)

    @property
    def is_over(self) -> bool:
        """Its rows are read, or will never be."""
        return self._seconds is not None

    @property
    def is_being_read(self) -> bool:
        return self._reader is not None

    def close(self) -> None:
        with self._lock:
            close = getattr(self._source, "close", None)
            if close is not None:
                close()
            self._evaluation.close()
            self._finish()
            self._over.set()

    def _finish(self) -> None:
        again = self._seconds is not None
        if self._seconds is None:
            self._seconds = time.monotonic() - self._started
        self._finished(self, again)

    def by_operator(self) -> list[Spent]:
        """What the engines did for each call site, in the order of the sites."""
        account = self._evaluation.account
        return [account.by_site.get(n, Spent()) for n in sorted(self._evaluation.context.sites)]

    def times(self) -> tuple[CallTimes, ...]:
        """When the calls ran, with their sites as `by_operator` numbers them."""
        place = {n: i for i, n in enumerate(sorted(self._evaluation.context.sites))}
        times = self._evaluation.account.times
        return tuple(replace(t, site=place[t.site]) for t in times if t.site in place)

    def stats(self) -> Stats:
        account = self._evaluation.account
        asked = account.asked
        if not self._complete:  # of a statement that was stopped: what had an answer by then
            wasted = self._evaluation.graph.wasted(account)
            asked = account.shared + account.cached + account.run - wasted
        return replace(
            stats_of(account),
            calls_asked=asked,
            calls_wasted=self._evaluation.graph.wasted(account),
            passes=self._evaluation.passes,
            planning_seconds=self._planning,
            first_row_seconds=self._first or 0.0,
            seconds=self._seconds or time.monotonic() - self._started,
        )


def _stopped() -> Exception:
    """What Ctrl-C is to those who read on: what came until then is not all."""
    from heliumql.physical.dispatch import Interrupted

    return Interrupted()


def stats_of(account: Account) -> Stats:
    """What an account says of calls, without times."""
    return Stats(
        calls_asked=account.asked,
        calls_shared=account.shared,
        calls_cached=account.cached,
        calls_run=account.run,
        calls_failed=account.failed,
        calls_refused=account.refused,
        requests_sent=account.requests,
        prompt_tokens=account.prompt_tokens,
        prefix_hit_tokens=account.prefix_hit_tokens,
        output_tokens=account.output_tokens,
        incidents=tuple(account.incidents),
        failures=tuple(
            f"{message} ({count:,} calls)" if count > 1 else message
            for message, count in itertools.islice(account.failures.items(), 5)
        ),
    )


@dataclass(frozen=True)
class HeldRows:
    """Rows that are there already."""

    table: pa.Table
    known: Stats

    def batches(self) -> Generator[pa.RecordBatch, None, None]:
        batches = self.table.to_batches()
        yield from batches or [pa.RecordBatch.from_pylist([], schema=self.table.schema)]

    def stats(self) -> Stats:
        return self.known
