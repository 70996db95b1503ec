"""Variables of the notebook in statements: values as $name, frames as tables in FROM."""

from __future__ import annotations

import datetime
import decimal
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from heliumql import syntax
from heliumql.completion.references import common_tables, references
from heliumql.connection import Connection
from heliumql.errors import BindError
from heliumql.relations.relation import Relation
from heliumql.source import Source

_PLAIN = (
    bool, int, float, str, bytes, datetime.date, datetime.time, datetime.timedelta,
    decimal.Decimal, uuid.UUID,
)  # fmt: skip


def parameters(
    text: str, given: Mapping[str, object], notebook: Mapping[str, Any]
) -> dict[str, object] | None:
    """The values of the $names in a statement: those given, else variables of these names.

    Raises BindError where a variable is nothing that SQL has values for.
    """
    found: dict[str, object] = {}
    for token in syntax.tokenize(text):
        name = token.text[1:]
        if token.type != "PARAMETER" or not name.isidentifier() or name in found:
            continue
        if name in given:
            found[name] = given[name]
        elif name in notebook and not name.startswith("_"):
            value = _as_value(notebook[name])
            if value is _NONE_OF_SQL:
                kind = type(notebook[name]).__name__
                raise BindError(
                    f"${name}: the variable {name} is of type {kind}, which is no value in SQL",
                    span=token.span,
                    hint=f"a frame is a table: FROM {name}",
                ).with_source(Source(text))
            found[name] = value
    return found or None


@contextmanager
def frames_as_tables(
    text: str, connection: Connection, notebook: Mapping[str, Any]
) -> Iterator[None]:
    """Frames of the notebook that the statement names are tables while it runs.

    A table of the database goes first. The rows are copied: a statement is evaluated in several
    passes, and all are to see the same ones.
    """
    with ExitStack() as made:
        for name in _table_names(text):
            if name in notebook and _is_frame(notebook[name]) and not _exists(connection, name):
                connection.register(name, notebook[name])
                made.callback(connection.unregister, name)
        yield


def _table_names(text: str) -> list[str]:
    tokens = syntax.tokenize(text)
    common = {c.name.lower() for c in common_tables(tokens)}
    names = (
        r.path[0]
        for r in references(tokens)
        if len(r.path) == 1 and r.inside is None and not r.is_changed
    )
    return [name for name in dict.fromkeys(names) if name.lower() not in common]


def _exists(connection: Connection, name: str) -> bool:
    query = (
        "SELECT 1 FROM (SELECT table_name AS name FROM duckdb_tables() UNION ALL "
        "SELECT view_name FROM duckdb_views()) WHERE lower(name) = lower(?)"
    )
    return bool(connection.duckdb.execute(query, [name]).fetchall())


def _is_frame(value: object) -> bool:
    """A table of a library that is loaded."""
    if isinstance(value, pa.Table | pa.RecordBatch | pa.RecordBatchReader | Relation):
        return True
    if isinstance(value, duckdb.DuckDBPyRelation):
        return True
    for library, kind in (
        ("pandas", "DataFrame"),
        ("polars", "DataFrame"),
        ("polars", "LazyFrame"),
    ):
        loaded = sys.modules.get(library)
        if loaded is not None and isinstance(value, getattr(loaded, kind)):
            return True
    return hasattr(value, "__arrow_c_stream__")


_NONE_OF_SQL = object()


def _as_value(value: object) -> object:
    """What DuckDB takes; `_NONE_OF_SQL` where there is nothing of the kind."""
    match value:
        case None:
            return None
        case list() | tuple():
            items = [_as_value(item) for item in value]
            return _NONE_OF_SQL if _NONE_OF_SQL in items else items
        case dict():
            fields = {key: _as_value(item) for key, item in value.items()}
            return _NONE_OF_SQL if _NONE_OF_SQL in fields.values() else fields
        case _ if isinstance(value, _PLAIN):
            return value
        case _ if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
            return value.item()  # type: ignore[attr-defined]
        case _:
            return _NONE_OF_SQL
