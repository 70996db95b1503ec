"""Output columns: answers in the place of references, then the types that the query asked for."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from heliumql.binder.mistakes import without_excerpt
from heliumql.binder.shape import Answer, Shape, is_clean
from heliumql.calls.references import Reference, References
from heliumql.errors import ExecutionError

Value = Callable[[Reference], str | None]

# Decimals, texts, and fields with names are what Arrow makes of these.
_LOST_IN_ARROW = re.compile(r"\b(U?HUGEINT|UUID|TUPLE)\b")


class Void(Exception):
    """A value is made of an answer that is NULL; only DuckDB knows what comes of that."""


@dataclass(frozen=True)
class Column:
    """An output column: `type` as DuckDB writes it, `shape` what a pass puts there."""

    name: str
    type: str
    shape: Shape


def mentions(batch: pa.RecordBatch, columns: tuple[Column, ...], refs: References) -> list[bytes]:
    """The calls that each row refers to, each once a row, row after row."""
    touched = [batch.column(i) for i, c in enumerate(columns) if not is_clean(c.shape)]
    if not touched:
        return []
    result: list[bytes] = []
    if len(touched) == 1 and pa.types.is_string(touched[0].type):
        for text in touched[0].to_pylist():
            if text is not None and refs.nonce in text:
                result += refs.identities(text)
        return result
    for values in zip(*(c.to_pylist() for c in touched), strict=True):
        found: list[bytes] = []
        for value in values:
            for text in _texts(value):
                if refs.nonce in text:
                    found += refs.identities(text)
        result += dict.fromkeys(found)
    return result


def _texts(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [t for v in value.values() for t in _texts(v)]
        case list():
            return [t for v in value for t in _texts(v)]
        case _:
            return []


def resolved(array: pa.Array, shape: Shape, refs: References, value: Value) -> pa.Array:
    """The column with answers in it; text still where the query's type is another.

    Raises Void where a text holds a reference to an answer that is NULL.
    """

    def filled(text: str | None) -> str | None:
        if text is None or refs.nonce not in text:
            return text
        if isinstance(shape, Answer):
            whole = refs.whole(text)
            if whole is not None:
                return value(whole)

        def part(reference: Reference) -> str:
            found = value(reference)
            if found is None:
                raise Void
            return found

        return refs.substituted(text, part)

    def inside(item: Any) -> Any:
        match item:
            case str():
                return filled(item)
            case dict():
                return {k: inside(v) for k, v in item.items()}
            case list():
                return [inside(v) for v in item]
            case _:
                return item

    if is_clean(shape):
        return array
    return pa.array([inside(v) for v in array.to_pylist()], array.type)


class Caster:
    """Casts text to the types of the query, in a private DuckDB so that the cast is DuckDB's."""

    def __init__(self) -> None:
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._lock = threading.Lock()

    def cast(
        self, batch: pa.RecordBatch, columns: tuple[Column, ...], *, lossless: bool
    ) -> pa.RecordBatch:
        """The batch with its answers in the query's types; other columns are left alone.

        `lossless` is the user's `arrow_lossless_conversion`: how JSON and its like look in Arrow.
        """
        typed = [
            i for i, c in enumerate(columns)
            if isinstance(c.shape, Answer) and not c.shape.is_text
        ]  # fmt: skip
        arrays = list(batch.columns)
        if typed:
            texts = pa.table([arrays[i] for i in typed], names=[f"c{i}" for i in typed])
            casts = ", ".join(_cast(f"c{i}", columns[i]) + f" AS c{i}" for i in typed)
            with self._lock, self._private() as connection:
                connection.execute(f"SET arrow_lossless_conversion = {lossless}")
                connection.register("__hql_text", texts)
                result = connection.sql(f"SELECT {casts} FROM __hql_text").to_arrow_table()
                connection.unregister("__hql_text")
            for position, i in enumerate(typed):
                arrays[i] = result.column(position).combine_chunks()
        return pa.RecordBatch.from_arrays(
            [a.combine_chunks() if isinstance(a, pa.ChunkedArray) else a for a in arrays],
            names=[c.name for c in columns],
        )

    def python_rows(self, table: pa.Table, types: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        """The rows as DuckDB's Python values; `types` are the query's, where they are known."""
        table = table.rename_columns([f"c{i}" for i in range(table.num_columns)])
        lost = {i: t for i, t in enumerate(types) if _LOST_IN_ARROW.search(t)}
        columns = ", ".join(
            f"CAST(c{i} AS {lost[i]})" if i in lost else f"c{i}" for i in range(table.num_columns)
        )
        with self._lock, self._private() as connection:
            connection.register("__hql_rows", table)
            rows = connection.execute(f"SELECT {columns} FROM __hql_rows").fetchall()
            connection.unregister("__hql_rows")
        return list(rows)

    @contextmanager
    def _private(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The private DuckDB; after an error the next cast has a new one.

        What the error left open would keep this one from anything else.
        """
        connection = self._connection or duckdb.connect(":memory:", config={"threads": 1})
        self._connection = connection
        try:
            yield connection
        except Exception as error:
            self._connection = None
            connection.close()
            if isinstance(error, duckdb.Error):
                raise _told(error) from error
            raise

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def _told(error: duckdb.Error) -> ExecutionError:
    """What DuckDB says of a value that it cannot give, without its traceback."""
    message = without_excerpt(error).partition("\n")[0].partition(", due to")[0]
    hint = "pip install pytz" if "'pytz'" in message else None
    return ExecutionError(message, hint=hint)


def _cast(name: str, column: Column) -> str:
    assert isinstance(column.shape, Answer)
    if column.shape.through_json:
        return f"CAST(CAST({name} AS JSON) AS {column.type})"
    return f"CAST({name} AS {column.type})"


def schema_of(
    connection: duckdb.DuckDBPyConnection, names: tuple[str, ...], types: tuple[str, ...]
) -> pa.Schema:
    """The Arrow schema of columns of these DuckDB types."""
    columns = ", ".join(f"CAST(NULL AS {t}) AS c{i}" for i, t in enumerate(types))
    fields = connection.sql(f"SELECT {columns} LIMIT 0").to_arrow_table().schema
    return pa.schema([pa.field(n, f.type) for n, f in zip(names, fields, strict=True)])
