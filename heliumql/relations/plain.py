"""Rows of DuckDB's own: relations of statements without calls, and their readings."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from heliumql.errors import ExecutionError
from heliumql.physical.snapshot import batches_of
from heliumql.relations.preview import ROWS, Preview
from heliumql.relations.relation import Relation
from heliumql.stats import Stats


class Plain(Protocol):
    """What reads rows of DuckDB's own on a connection: `begin` before, `hold` while it is open."""

    def begin(self) -> None: ...

    def hold(self, run: PlainRun) -> None: ...

    def let_go(self, run: PlainRun) -> None: ...


class PlainRelation(Relation):
    """The rows of a statement without calls: DuckDB's own relation, under the same methods."""

    def __init__(self, relation: duckdb.DuckDBPyRelation, connection: Plain) -> None:
        super().__init__(
            tuple(relation.columns),
            lambda: self._begun().limit(0).to_arrow_table().schema,
            lambda: PlainRun(relation, connection),
            lambda table: [],
            lambda: str(self._begun().explain()),
            lambda: [str(t) for t in relation.types],
        )
        self._relation = relation
        self._connection = connection
        self._unread: Iterator[tuple[Any, ...]] | None = None  # by fetchmany

    def arrow(self) -> pa.Table:
        return self._begun().to_arrow_table()

    def fetchall(self) -> list[tuple[Any, ...]]:
        unread, self._unread = self._unread, None
        return list(self._begun().fetchall() if unread is None else unread)

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        if size < 0:
            raise ValueError("fetchmany takes a number of rows")
        if self._unread is None:
            self._unread = iter(self._begun().fetchall())
        return list(itertools.islice(self._unread, size))

    def close(self) -> None:
        self._unread = None

    def _previewed(self) -> Preview | None:
        first = self._begun().limit(ROWS + 1).to_arrow_table()
        return Preview.of(first.to_batches(), complete=first.num_rows <= ROWS)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._begun().fetchall())

    def _begun(self) -> duckdb.DuckDBPyRelation:
        """DuckDB's relation, when nothing else is being read on its connection."""
        self._connection.begin()
        return self._relation


class PlainRun:
    """One reading of DuckDB's relation. While it is open, the connection can do nothing else."""

    def __init__(self, relation: duckdb.DuckDBPyRelation, connection: Plain) -> None:
        self._relation = relation
        self._connection = connection
        self._source: Generator[pa.RecordBatch, None, None] | None = None
        self._ahead: deque[pa.RecordBatch] = deque()
        self._error: Exception | None = None  # to be told when the rows before are read

    def batches(self) -> Generator[pa.RecordBatch, None, None]:
        self._connection.begin()
        self._source = batches_of(self._relation, 2048)
        self._connection.hold(self)
        try:
            while True:
                batch = self._ahead.popleft() if self._ahead else next(self._source, None)
                if batch is None:
                    break
                yield batch
            if self._error is not None:
                raise self._error
        finally:
            self._source.close()
            self._connection.let_go(self)

    def read_ahead(self) -> None:
        """Reads to the end, so that the connection is free for another statement."""
        assert self._source is not None
        try:
            self._ahead.extend(self._source)
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            self._error = error
        self._connection.let_go(self)

    def stop(self, interrupt: Callable[[], None]) -> None:
        """Ends the reading; whoever goes on with it is told."""
        self._error = ExecutionError("the connection was closed while rows were being read")
        interrupt()
        with suppress(ValueError):  # a thread is in the middle of it, and ends it
            assert self._source is not None
            self._source.close()

    def stats(self) -> Stats:
        return Stats()
