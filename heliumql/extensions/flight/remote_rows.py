"""Rows on their way from a server: the stream of one result, and the relation that reads it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from heliumql.errors import EngineError, ExecutionError, HeliumQLError
from heliumql.extensions.flight import protocol
from heliumql.physical.dispatch import Interrupted
from heliumql.physical.output import Caster
from heliumql.physical.snapshot import no_rows
from heliumql.relations.installed import check_installed
from heliumql.stats import Stats

if TYPE_CHECKING:
    import pandas  # type: ignore[import-untyped]
    import polars

_PATIENCE_SECONDS = 3.0  # for a server to say what a stopped statement did


class Hearing(Protocol):
    """The connection, as a stream sees it."""

    caster: Caster
    last_stats: Stats | None

    def interrupt(self) -> None: ...

    def ask_stats(self) -> None: ...

    def heard(self, message: dict[str, Any]) -> None: ...

    def transport(self) -> contextlib.AbstractContextManager[None]: ...


@dataclass(frozen=True)
class Result:
    """A result that has begun: its rows are in the stream."""

    statement: str
    is_last: bool
    schema: pa.Schema
    stream: Stream


class Stream:
    """What the server sends for one command: messages, and maybe rows."""

    def __init__(self, connection: Hearing, writer: Any, reader: Any) -> None:
        self._writer = writer  # without it the stream would end
        self._connection = connection
        self._reader = reader
        self.is_over = False
        self._is_cancelled = False

    def result(self) -> Result | None:
        """The beginning of the next result; None where the text is through."""
        while (what := self._next()) is not None:
            match what:
                case {"rows": {"statement": statement, "last": last}}:
                    with self._connection.transport():
                        schema = self._reader.schema
                    return Result(str(statement), bool(last), schema, self)
        return None

    def next_batch(self) -> pa.RecordBatch | None:
        """None: there are no more. Raises what the statement raised."""
        while (what := self._next()) is not None:
            if isinstance(what, pa.RecordBatch):
                return what
        return None

    def _next(self) -> dict[str, Any] | pa.RecordBatch | None:
        """The next message or batch; None after the end."""
        if self._is_cancelled:
            raise Interrupted  # else rows that are missing would look like the end
        if self.is_over:
            return None
        try:
            with self._connection.transport():
                chunk = self._reader.read_chunk()
        except StopIteration:
            self.is_over = True
            raise EngineError("the server ended the rows too early") from None
        except HeliumQLError:
            self._finish()
            raise
        if chunk.data is not None:
            return chunk.data
        message = protocol.read_json(chunk.app_metadata.to_pybytes())
        assert isinstance(message, dict)
        self._connection.heard(message)
        self.is_over = "error" in message or "end" in message
        if "error" in message:
            raise protocol.error_of(message["error"])
        return message

    def stop(self) -> None:
        """The server stops the statement, and tells what it did until then."""
        if self.is_over:
            return
        late = threading.Timer(_PATIENCE_SECONDS, self._reader.cancel)
        late.start()
        try:
            self._connection.interrupt()
            while self._next() is not None:
                pass
        except Interrupted:
            pass
        except HeliumQLError:
            # A signal that came while the last message was being taken in has lost it.
            with contextlib.suppress(HeliumQLError):
                self._connection.ask_stats()
        finally:
            late.cancel()
            self._finish()

    def cancel(self) -> None:
        """Nobody listens any more; the server stops the statement."""
        self._is_cancelled = True
        self._reader.cancel()
        self._finish()

    def _finish(self) -> None:
        """Nothing comes any more. Left to itself, a broken stream would say so on our terminal."""
        self.is_over = True
        with contextlib.suppress(pa.ArrowException, OSError):
            self._writer.close()


class RemoteRelation:
    """The rows of one statement, which the server is evaluating.

    They come once: `batches` gives them as they come; all other readers keep them.
    """

    def __init__(self, connection: Hearing, result: Result) -> None:
        self.statement = result.statement
        self.schema: pa.Schema = result.schema
        self.is_last = result.is_last
        self._connection = connection
        self._stream = result.stream
        self._kept: pa.Table | None = None
        self._ahead: list[pa.RecordBatch] = []
        self._error: HeliumQLError | None = None
        self._begun = False
        self._stats = Stats()
        self._fetched = 0

    @property
    def columns(self) -> list[str]:
        return list(self.schema.names)

    @property
    def stats(self) -> Stats:
        """What the statement did; complete when its rows have been read."""
        return self._stats

    def batches(self) -> Generator[pa.RecordBatch, None, None]:
        """Arrow record batches in order, each as soon as the server has it. Closing it early stops
        the statement."""
        if self._kept is not None:
            yield from self._kept.to_batches() or [no_rows(self.schema)]
            return
        if self._begun:
            raise ExecutionError(
                "these rows have been read", hint="run the statement again, or use arrow()"
            )
        self._begun = True
        empty = True
        try:
            while (batch := self._next()) is not None:
                empty = False
                yield batch
            if empty:
                yield no_rows(self.schema)
        finally:
            self._stream.stop()
            self._note()

    def read_ahead(self) -> None:
        """Takes in what has not been read yet, so that the connection is free."""
        try:
            while (batch := self._stream.next_batch()) is not None:
                self._ahead.append(batch)
        except HeliumQLError as error:
            self._error = error  # for whoever goes on reading
        self._note()

    def _next(self) -> pa.RecordBatch | None:
        if self._ahead:
            return self._ahead.pop(0)
        if self._error is not None:
            raise self._error
        return self._stream.next_batch()

    def _note(self) -> None:
        self._stats = self._connection.last_stats or Stats()

    def arrow(self) -> pa.Table:
        """All rows as an Arrow table."""
        if self._kept is None:
            self._kept = pa.Table.from_batches(list(self.batches()), schema=self.schema)
        return self._kept

    def df(self) -> pandas.DataFrame:
        """All rows as a pandas data frame."""
        check_installed("pandas")
        return self.arrow().to_pandas()

    def pl(self) -> polars.DataFrame:
        """All rows as a polars data frame."""
        from heliumql.relations import to_polars

        check_installed("polars")
        to_polars.check(self.schema)
        return to_polars.frame(self.arrow())

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        """The next rows, at most `size`."""
        if size < 0:
            raise ValueError("fetchmany takes a number of rows")
        part = self.arrow().slice(self._fetched, size)
        self._fetched += part.num_rows
        return self._connection.caster.python_rows(part)

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(iter(self.fetchmany(1)), None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows (that have not been fetched yet) as tuples."""
        rows = self.fetchmany(self.arrow().num_rows - self._fetched)
        self._fetched = 0  # who asks again reads from the start
        return rows

    def show(self, max_rows: int = 40) -> None:
        """Prints the rows as a table."""
        import duckdb

        with duckdb.connect() as connection:
            connection.register("rows", self.arrow())
            connection.sql("FROM rows").show(max_rows=max_rows)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        reader = pa.RecordBatchReader.from_batches(self.schema, self.batches())
        return reader.__arrow_c_stream__(requested_schema)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """The rows as tuples, from the first one."""
        return iter(self._connection.caster.python_rows(self.arrow()))

    def __repr__(self) -> str:
        return f"<heliumql relation ({', '.join(self.columns)}) of a server>"
