"""A relation: the rows of a statement, evaluated when they are asked for."""

from __future__ import annotations

import typing
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, Protocol

import duckdb
import pyarrow as pa

from heliumql.errors import BindError, HeliumQLError
from heliumql.physical.snapshot import no_rows
from heliumql.relations.composable import Composable
from heliumql.relations.installed import check_installed
from heliumql.relations.preview import Preview
from heliumql.stats import Stats
from heliumql.syntax import ExplainFormat

if TYPE_CHECKING:
    import pandas  # type: ignore[import-untyped]
    import polars


class Run(Protocol):
    """One evaluation of a statement."""

    def batches(self) -> Generator[pa.RecordBatch, None, None]: ...

    def stats(self) -> Stats: ...


class Relation(Composable):
    """The rows of one statement. Lazy: each reader evaluates it, answers are remembered.

    >>> import heliumql
    >>> con = heliumql.connect()
    >>> con.sql("SELECT 42 AS answer").fetchall()
    [(42,)]

    `filter`, `select`, `limit` and their like make another one of it, `to_table`, `to_parquet`
    and their like write it. Whatever takes Arrow streams takes it: `pyarrow.table(relation)`,
    `polars.DataFrame(relation)`, `con.register("name", relation)`.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        schema: Callable[[], pa.Schema],
        run: Callable[[], Run],
        python_rows: Callable[[pa.Table], list[tuple[Any, ...]]],
        explained: Callable[[], str],
        types: Callable[[], Sequence[str]] | None = None,
    ) -> None:
        """`types`: those of DuckDB; None where the Arrow types say them."""
        self._names = names
        self._types = types
        self._schema = schema
        self._run = run
        self._python_rows = python_rows
        self._explained = explained
        self._last: Run | None = None
        self.preview: Preview | None = None  # of the rows as they were read last
        self.notes: tuple[str, ...] = ()  # lines that a notebook shows below the rows
        self._reading: Generator[pa.RecordBatch, None, None] | None = None
        self._left: list[tuple[Any, ...]] = []

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self._names)

    @property
    def types(self) -> list[str]:
        """The types of the columns, as DuckDB writes them; asks no model.

        >>> import heliumql
        >>> con = heliumql.connect()
        >>> con.sql("SELECT 1.5 AS price, ['a'] AS tags").types
        ['DECIMAL(2,1)', 'VARCHAR[]']
        """
        if self._types is not None:
            return list(self._types())
        with duckdb.connect() as connection:
            empty = pa.Table.from_batches([no_rows(self.schema)])
            return [str(t) for t in connection.from_arrow(empty).types]

    @property
    def schema(self) -> pa.Schema:
        """Names and Arrow types; asks no model."""
        return self._schema()

    @property
    def stats(self) -> Stats:
        """What the last evaluation did: calls, tokens, seconds."""
        return Stats() if self._last is None else self._last.stats()

    def batches(self) -> Generator[pa.RecordBatch, None, None]:
        """Arrow record batches in order, each as soon as its answers are there.

        >>> import heliumql
        >>> con = heliumql.connect()
        >>> [batch.num_rows for batch in con.sql("FROM range(5000)").batches()]
        [2048, 2048, 904]
        """
        run = self._last = self._run()
        self.preview = preview = Preview()
        yield from preview.watching(run.batches())

    def arrow(self) -> pa.Table:
        """All rows as an Arrow table."""
        return pa.Table.from_batches(list(self.batches()))

    def df(self) -> pandas.DataFrame:
        """All rows as a pandas data frame. Raises ExecutionError where pandas is not installed."""
        check_installed("pandas")
        return self.arrow().to_pandas()

    def pl(self) -> polars.DataFrame:
        """All rows as a polars data frame. Raises BindError where polars lacks a column's type."""
        from heliumql.relations import to_polars

        check_installed("polars")
        to_polars.check(self.schema)
        return to_polars.frame(self.arrow())

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

    def explain(self, format: str = "text") -> str:
        """How the statement is going to be evaluated; asks no model.

        `format`: text, json, html or mermaid, as in EXPLAIN (FORMAT ..).
        """
        if format == "text":
            return self._explained()
        form = explain_format(format)
        query = self._query("explain")
        rows = self._rows(*query.between(f"EXPLAIN (FORMAT {form}) ")).fetchall()
        return str(rows[0][1])

    def close(self) -> None:
        """Ends the reading that `fetchone` or `fetchmany` began: calls not needed are aborted.

        Answers that came are kept. The relation can be read again, from its start.
        """
        reading, self._reading, self._left = self._reading, None, []
        if reading is not None:
            reading.close()

    def __arrow_c_schema__(self) -> object:
        """Names and types for any library that knows the Arrow PyCapsule interface."""
        return self.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The rows for any library that knows the Arrow PyCapsule interface."""
        batches = self.batches()
        first = next(batches)

        def all_batches() -> Iterator[pa.RecordBatch]:
            yield first
            yield from batches

        reader = pa.RecordBatchReader.from_batches(first.schema, all_batches())
        return reader.__arrow_c_stream__(requested_schema)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """The rows as tuples, as they come, from the first one."""
        with closing(self.batches()) as batches:
            for batch in batches:
                yield from self._python_rows(pa.Table.from_batches([batch]))

    def __repr__(self) -> str:
        return f"<heliumql relation ({', '.join(self._names)})>"

    def _repr_html_(self) -> str:
        """What a notebook shows: the rows, where they were read already, else the columns.

        Looking at a relation never asks a model. DuckDB's own relations show their first rows.
        """
        return self._repr_mimebundle_()["text/html"]

    def _repr_mimebundle_(self, **options: object) -> dict[str, str]:
        """The same as HTML and as text."""
        from heliumql.relations import shown

        try:
            return shown.bundle(self, self._previewed())
        except (HeliumQLError, duckdb.Error) as error:  # a closed connection, a query that fails
            return shown.plain_bundle(f"{self!r}\n{error}")

    def _previewed(self) -> Preview | None:
        """Rows that can be shown without asking a model; None where there are none."""
        return self.preview if self.preview is not None and self.preview.complete else None

    def _continued(self) -> Generator[pa.RecordBatch, None, None]:
        if self._reading is None:
            self._reading = self.batches()
        return self._reading


def explain_format(name: str) -> str:
    """The name of a format of EXPLAIN. Raises BindError where there is none of that name."""
    known: tuple[str, ...] = typing.get_args(ExplainFormat)
    if name.lower() not in known:
        raise BindError(f"EXPLAIN has no format {name!r}", hint="formats: " + ", ".join(known))
    return name.lower()
