"""A relation: the rows of a statement, evaluated when they are asked for."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import duckdb
import pyarrow as pa

from heliumql.physical.snapshot import no_rows
from heliumql.stats import Stats

if TYPE_CHECKING:
    import pandas  # type: ignore[import-untyped]
    import polars


class Run(Protocol):
    """One evaluation of a statement."""

    def batches(self) -> Generator[pa.RecordBatch, None, None]: ...

    def stats(self) -> Stats: ...


class Relation:
    """The rows of one statement. Lazy: each reader evaluates it, answers are remembered.

    >>> import heliumql
    >>> with heliumql.connect() as con:
    ...     con.sql("SELECT 42 AS answer").fetchall()
    [(42,)]
    """

    def __init__(
        self,
        names: tuple[str, ...],
        schema: Callable[[], pa.Schema],
        run: Callable[[], Run],
        python_rows: Callable[[pa.Table], list[tuple[Any, ...]]],
        explained: Callable[[], str],
    ) -> None:
        self._names = names
        self._schema = schema
        self._run = run
        self._python_rows = python_rows
        self._explained = explained
        self._last: Run | None = None
        self._reading: Iterator[pa.RecordBatch] | None = None
        self._left: list[tuple[Any, ...]] = []

    @property
    def columns(self) -> list[str]:
        return list(self._names)

    @property
    def schema(self) -> pa.Schema:
        """Names and Arrow types; asks no model."""
        return self._schema()

    @property
    def stats(self) -> Stats:
        """What the last evaluation did."""
        return Stats() if self._last is None else self._last.stats()

    def batches(self) -> Generator[pa.RecordBatch, None, None]:
        """Arrow record batches in order, each as soon as its answers are there."""
        run = self._last = self._run()
        yield from run.batches()

    def arrow(self) -> pa.Table:
        """All rows as an Arrow table."""
        return pa.Table.from_batches(list(self.batches()))

    def df(self) -> pandas.DataFrame:
        """All rows as a pandas data frame."""
        return self.arrow().to_pandas()

    def pl(self) -> polars.DataFrame:
        """All rows as a polars data frame."""
        import polars

        frame = polars.from_arrow(self.arrow())
        assert isinstance(frame, polars.DataFrame)
        return frame

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows (that have not been fetched yet) as tuples."""
        rows = self._left
        try:
            for batch in self._continued():
                rows += self._python_rows(pa.Table.from_batches([batch]))
        finally:
            self._reading, self._left = None, []  # after an error too: no rows are passed over
        return rows

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        """The next rows, at most `size`."""
        if size < 0:
            raise ValueError("fetchmany takes a number of rows")
        reading = self._continued()
        try:
            while len(self._left) < size:
                batch = next(reading, None)
                if batch is None:
                    break
                self._left += self._python_rows(pa.Table.from_batches([batch]))
        except BaseException:
            self._reading, self._left = None, []  # who asks again reads from the start
            raise
        rows, self._left = self._left[:size], self._left[size:]
        return rows

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row, or None."""
        return next(iter(self.fetchmany(1)), None)

    def show(self, max_rows: int = 40) -> None:
        """Prints the rows as a table."""
        with duckdb.connect() as connection:
            connection.register("rows", self.arrow())
            connection.sql("FROM rows").show(max_rows=max_rows)

    def explain(self) -> str:
        """How the statement is going to be evaluated; asks no model."""
        return self._explained()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        batches = self.batches()
        first = next(batches)

        def all_batches() -> Iterator[pa.RecordBatch]:
            yield first
            yield from batches

        reader = pa.RecordBatchReader.from_batches(first.schema, all_batches())
        return reader.__arrow_c_stream__(requested_schema)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.fetchall())

    def __repr__(self) -> str:
        return f"<heliumql relation ({', '.join(self._names)})>"

    def _continued(self) -> Iterator[pa.RecordBatch]:
        if self._reading is None:
            self._reading = self.batches()
        return self._reading


class PlainRelation(Relation):
    """The rows of a statement without calls: DuckDB's own relation, under the same methods."""

    def __init__(self, relation: duckdb.DuckDBPyRelation) -> None:
        super().__init__(
            tuple(relation.columns),
            lambda: relation.limit(0).to_arrow_table().schema,
            lambda: _PlainRun(relation),
            lambda table: [],
            lambda: str(relation.explain()),
        )
        self._relation = relation
        self._unread: Iterator[tuple[Any, ...]] | None = None  # by fetchmany

    def arrow(self) -> pa.Table:
        return self._relation.to_arrow_table()

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._relation.fetchall())

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        if self._unread is None:
            self._unread = iter(self._relation.fetchall())
        return list(itertools.islice(self._unread, size))

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(iter(self.fetchmany(1)), None)


class _PlainRun:
    """One reading of DuckDB's relation."""

    def __init__(self, relation: duckdb.DuckDBPyRelation) -> None:
        self._relation = relation

    def batches(self) -> Generator[pa.RecordBatch, None, None]:
        reader = self._relation.to_arrow_reader(2048)
        empty = True
        for batch in reader:
            empty = False
            yield batch
        if empty:
            yield no_rows(reader.schema)

    def stats(self) -> Stats:
        return Stats()
