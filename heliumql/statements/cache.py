"""SHOW CACHE and CLEAR CACHE: what the answer store holds, and forgetting it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from heliumql import syntax
from heliumql.binder.mistakes import without_excerpt
from heliumql.calls.answers import AnswerStore
from heliumql.errors import BindError
from heliumql.shared import Shared
from heliumql.source import Span

SHOWN = ("model", "answers", "bytes", "oldest", "newest", "last_used", "path", "reason")

_ANSWERS = "__hql_answers"
_NUMBER = "__hql_number"
_TIME = pa.timestamp("us", "UTC")

# What a condition may name: columns of an answer, as expressions over the tables of the store.
_COLUMNS = {
    "model": ("o.model", pa.string()),
    "operator": ("o.name", pa.string()),
    "created": ("a.created", _TIME),
    "last_used": ("a.used", _TIME),
    "bytes": ("a.bytes", pa.int64()),
    "prompt_tokens": ("a.prompt_tokens", pa.int64()),
    "output_tokens": ("a.output_tokens", pa.int64()),
    "finish_reason": ("a.finish_reason", pa.string()),
    "text": ("t.text", pa.string()),
}


def shown(store: AnswerStore) -> list[tuple[Any, ...]]:
    """A row for each model; of an empty store one that says where it is."""
    storage = store.storage
    place = (None if storage.path is None else str(storage.path), storage.reason or storage.delayed)
    rows: list[tuple[Any, ...]] = [
        (m.model, m.answers, m.bytes, *map(_moment, (m.oldest, m.newest, m.last_used)), *place)
        for m in store.models()
    ]
    return rows or [(None, 0, 0, None, None, None, *place)]


def cleared(
    statement: syntax.ClearCache, connection: duckdb.DuckDBPyConnection, shared: Shared
) -> int:
    """Forgets answers, those that meet the condition or all; how many they were.

    Raises BindError where DuckDB does not take the condition.
    """
    if statement.where is None or statement.where_span is None:
        count = shared.store.clear()
        shared.learnt.clear()
        return count
    return shared.store.forget(
        _matching(connection, shared.store, statement.where, statement.where_span)
    )


def _matching(
    connection: duckdb.DuckDBPyConnection, store: AnswerStore, condition: str, span: Span
) -> list[int]:
    """The row numbers of the answers for which the condition holds; DuckDB evaluates it."""
    named = [c for c in _COLUMNS if c != "text" or "text" in condition.lower()]  # it may be long
    before = f"SELECT {_NUMBER} FROM {_ANSWERS} WHERE ("
    query = f"{before}{condition}\n)"
    schema = pa.schema([(_NUMBER, pa.int64()), *((c, _COLUMNS[c][1]) for c in named)])

    def batches() -> Iterator[pa.RecordBatch]:
        for rows in store.rows([_COLUMNS[c][0] for c in named]):
            columns = zip(*rows, strict=True)
            arrays = [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    connection.register(_ANSWERS, pa.RecordBatchReader.from_batches(schema, batches()))
    try:
        return [number for (number,) in connection.execute(query).fetchall()]
    except duckdb.Error as error:
        offset = syntax.error_offset(str(error), query)
        if offset is not None and offset >= len(before):
            start = min(span.start + offset - len(before), span.end)
            span = Span(start, max(start + 1, _end_of_word(condition, offset - len(before), span)))
        raise BindError(
            without_excerpt(error).partition("\n")[0],
            span=span,
            hint="an answer has " + ", ".join(_COLUMNS),
        ) from None
    finally:
        connection.unregister(_ANSWERS)


def _end_of_word(condition: str, start: int, span: Span) -> int:
    end = start
    while end < len(condition) and (condition[end].isalnum() or condition[end] == "_"):
        end += 1
    return span.start + end


def _moment(microseconds: int) -> datetime:
    """Local time, as DuckDB shows it."""
    return datetime.fromtimestamp(microseconds / 1_000_000)
