"""Statements for programs with an event loop: `Connection.sql_async` and the rows it gives.

DuckDB's connections take one call at a time, so each connection has one thread, and statements of
one connection run one after the other. Those of several cursors run at once.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from heliumql.errors import ExecutionError
from heliumql.relations.relation import Relation
from heliumql.stats import Stats

if TYPE_CHECKING:
    import pandas  # type: ignore[import-untyped]
    import polars

T = TypeVar("T")

_AGAIN_SECONDS = 0.05  # a statement that has not begun to listen yet is told once more


class Worker:
    """The thread of one connection; ends with it, or when nobody holds it any more."""

    def __init__(self, interrupt: Callable[[], None], listen: Callable[[], None]) -> None:
        """`interrupt()` stops what the connection does; `listen()` forgets earlier ones."""
        self._interrupt = interrupt
        self._listen = listen
        self._executor = ThreadPoolExecutor(1, "heliumql")
        self._state = threading.Condition()
        self._running: object | None = None  # the ticket of the job that runs
        self._thread: int | None = None
        self._closed = False

    async def run(self, job: Callable[[], T]) -> T:
        """What the job returns, or its error; the event loop is free meanwhile.

        A task that is cancelled stops its job, and only that one, and waits until it has stopped.
        """
        loop = asyncio.get_running_loop()
        done, ticket = asyncio.Event(), object()

        def tell(_: object) -> None:
            with suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(done.set)

        future = self._submit(job, ticket)
        future.add_done_callback(tell)
        try:
            await done.wait()
        except asyncio.CancelledError:
            future.cancel()
            while not future.done():
                self._stop(ticket)
                with suppress(TimeoutError, asyncio.CancelledError):
                    await asyncio.wait_for(done.wait(), _AGAIN_SECONDS)
            raise
        if future.cancelled():
            raise ExecutionError("the connection is closed")
        return future.result()

    def post(self, job: Callable[[], object]) -> None:
        """Has a job done before those that come later; nobody waits for it."""
        with suppress(ExecutionError):  # closed: there is nothing left to be done
            self._submit(job, object())

    def close(self) -> None:
        """Stops what runs and takes no more; returns when the thread has ended. Idempotent."""
        own = threading.get_ident() == self._thread
        with self._state:
            self._closed = True
            self._executor.shutdown(wait=False, cancel_futures=True)
            while self._running is not None and not own:
                self._interrupt()
                self._state.wait(_AGAIN_SECONDS)
        self._executor.shutdown(wait=not own)

    def _submit(self, job: Callable[[], T], ticket: object) -> Future[T]:
        with self._state:
            if self._closed:
                raise ExecutionError("the connection is closed")
            return self._executor.submit(self._do, job, ticket)

    def _do(self, job: Callable[[], T], ticket: object) -> T:
        with self._state:
            self._running, self._thread = ticket, threading.get_ident()
            self._listen()
        try:
            return job()
        finally:
            with self._state:
                self._running = None
                self._state.notify_all()

    def _stop(self, ticket: object) -> None:
        """Interrupts, if that is what runs."""
        with self._state:
            if self._running is ticket:
                self._interrupt()


class AsyncRelation:
    """The rows of one statement, for `async for`: Arrow batches, each as soon as it is there.

    >>> import asyncio, heliumql
    >>> async def main():
    ...     async with heliumql.connect() as con:
    ...         rows = await con.sql_async("SELECT 40 + ? AS answer", [2])
    ...         async for batch in rows:
    ...             print(batch.to_pylist())
    >>> asyncio.run(main())
    [{'answer': 42}]

    As a relation it is lazy: whoever reads it evaluates it, and answers are remembered. A reader
    that is cancelled, or leaves the loop, stops the statement and its calls.
    """

    def __init__(self, relation: Relation, worker: Worker) -> None:
        self._relation = relation
        self._worker = worker
        self._columns, self._types = relation.columns, relation.types

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self._columns)

    @property
    def types(self) -> list[str]:
        """The types of the columns, as DuckDB writes them."""
        return list(self._types)

    @property
    def stats(self) -> Stats:
        """What the last evaluation did, so far: calls, tokens, seconds."""
        return self._relation.stats

    def __aiter__(self) -> AsyncIterator[pa.RecordBatch]:
        return _Batches(self._relation, self._worker)

    async def schema(self) -> pa.Schema:
        """Names and Arrow types; asks no model."""
        return await self._worker.run(lambda: self._relation.schema)

    async def arrow(self) -> pa.Table:
        """All rows as an Arrow table."""
        return await self._worker.run(self._relation.arrow)

    async def df(self) -> pandas.DataFrame:
        """All rows as a pandas data frame."""
        return await self._worker.run(self._relation.df)

    async def pl(self) -> polars.DataFrame:
        """All rows as a polars data frame."""
        return await self._worker.run(self._relation.pl)

    async def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows (that have not been fetched yet) as tuples."""
        return await self._worker.run(self._relation.fetchall)

    async def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        """The next rows, at most `size`."""
        return await self._worker.run(lambda: self._relation.fetchmany(size))

    async def fetchone(self) -> tuple[Any, ...] | None:
        """The next row, or None."""
        return await self._worker.run(self._relation.fetchone)

    async def explain(self, format: str = "text") -> str:
        """How the statement is going to be evaluated; asks no model."""
        return await self._worker.run(lambda: self._relation.explain(format))

    async def aclose(self) -> None:
        """Ends the reading that `fetchone` or `fetchmany` began: calls not needed are aborted."""
        await self._worker.run(self._relation.close)

    def __repr__(self) -> str:
        return f"<heliumql async relation ({', '.join(self._columns)})>"


class _Batches:
    """One reading. It ends at the last batch, with an error, or when nobody holds it any more."""

    def __init__(self, relation: Relation, worker: Worker) -> None:
        self._worker = worker
        self._reading: Generator[pa.RecordBatch, None, None] | None = relation.batches()

    def __aiter__(self) -> _Batches:
        return self

    async def __anext__(self) -> pa.RecordBatch:
        reading = self._reading
        if reading is None:
            raise StopAsyncIteration
        try:
            batch = await self._worker.run(lambda: next(reading, None))
        except BaseException:
            self._end()
            raise
        if batch is None:
            self._reading = None
            raise StopAsyncIteration
        return batch

    async def aclose(self) -> None:
        """Stops reading; calls that are not needed are aborted."""
        reading, self._reading = self._reading, None
        if reading is not None:
            await self._worker.run(reading.close)

    def __del__(self) -> None:
        self._end()  # before the next statement of the connection: that would read on to the end

    def _end(self) -> None:
        reading, self._reading = self._reading, None
        if reading is not None:
            self._worker.post(reading.close)
