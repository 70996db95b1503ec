"""How statements read: batches of a relation; passes one snapshot of it, on one thread."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

_TRIES = 1000  # of a clean-up that is interrupted; each takes less than a millisecond


def batches_of(
    relation: duckdb.DuckDBPyRelation, rows: int
) -> Generator[pa.RecordBatch, None, None]:
    """The relation in batches of so many rows, at least one batch, with DuckDB's own errors.

    Arrow makes OSErrors of those that come after the first rows. Closed when the reader is done
    with it: an open result keeps the connection from anything else.
    """
    reader = relation.to_arrow_reader(rows)
    empty = True
    try:
        for batch in reader:
            empty = False
            yield batch
    except OSError as error:
        interrupted = str(error).startswith("INTERRUPT")
        raise (duckdb.InterruptException if interrupted else duckdb.Error)(str(error)) from None
    finally:
        reader.close()
    if empty:
        yield no_rows(reader.schema)


def no_rows(schema: pa.Schema) -> pa.RecordBatch:
    """An empty batch; also of unions, which Arrow makes of no Python values."""
    return pa.RecordBatch.from_arrays([pa.nulls(0, f.type) for f in schema], schema=schema)


@contextmanager
def reading(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """One snapshot for all passes: the user's transaction, else a read-only one of our own."""
    if in_transaction(connection):
        yield
        return
    try:
        connection.execute("BEGIN TRANSACTION READ ONLY")
        yield
    finally:
        clean_up(connection, "ROLLBACK")


def clean_up(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    """Runs a statement that must run, also while the user interrupts once more."""
    for _ in range(_TRIES):
        try:
            connection.execute(statement).fetchall()
            return
        except duckdb.InterruptException:
            continue
        except duckdb.Error:  # closed under us, or ended by an error: nothing is left to be done
            return


def begin_again(connection: duckdb.DuckDBPyConnection) -> None:
    """A new snapshot, after an error ended the one of `reading`."""
    clean_up(connection, "ROLLBACK")
    connection.execute("BEGIN TRANSACTION READ ONLY")


def in_transaction(connection: duckdb.DuckDBPyConnection) -> bool:
    """Outside of a transaction every statement has one of its own, with its own number."""
    numbers = {connection.execute("SELECT txid_current()").fetchall()[0][0] for _ in range(2)}
    return len(numbers) == 1


@dataclass
class OneThread:
    """DuckDB on one thread while any pass of this database runs, so that evaluating again gives

    the same rows in the same order (string_agg without ORDER BY, scans, joins). DuckDB has this
    setting for the database as a whole only: the first pass sets it, the last one sets it back.
    """

    _passes: int = 0
    _threads: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def during(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        with self._lock:
            if self._passes == 0:
                query = "SELECT current_setting('threads')"
                self._threads = connection.execute(query).fetchall()[0][0]
                _set_threads(connection, 1)
            self._passes += 1
        try:
            yield
        finally:
            with self._lock:
                self._passes -= 1
                if self._passes == 0:
                    _set_threads(connection, self._threads)


def _set_threads(connection: duckdb.DuckDBPyConnection, threads: int) -> None:
    """On a connection of its own: an error may have ended the transaction of the user's."""
    with connection.cursor() as own:
        own.execute(f"SET threads = {threads}")
