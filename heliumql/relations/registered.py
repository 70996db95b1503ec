"""Python data as tables of a session: what `Connection.register` takes.

The rows are copied, once, into a temporary table: every pass of a statement reads the same ones,
and a stream that can be read only once is read only once.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa

from heliumql.binder.mistakes import without_excerpt
from heliumql.errors import BindError, ExecutionError
from heliumql.relations.relation import Relation
from heliumql.syntax.literals import quoted_name

_REGISTERED = "registered from Python"  # in the catalog, so that a rollback takes it away too
_TAKEN = (
    "a relation, an Arrow table, a pandas or polars frame, anything with __arrow_c_stream__ or"
    " __arrow_c_array__, a mapping of columns, or a list of mappings"
)


def registered(connection: duckdb.DuckDBPyConnection, name: str, data: object) -> None:
    """Makes a temporary table of the data, instead of one that was made before.

    Raises BindError where the data are no table, ExecutionError where they cannot be read or the
    name is that of something else.
    """
    if not isinstance(name, str):
        raise BindError(f"register: the name of a table is a text, not {name!r}")
    source = _readable(name, data)
    if _comment(connection, name) not in (None, _REGISTERED):
        raise BindError(
            f"register({name!r}): a temporary table has this name, which register did not make",
            hint=f"another name, or DROP TABLE {quoted_name(name)} first",
        )
    hidden, table = f"__hql_source_{name}", f"temp.{quoted_name(name)}"
    try:
        connection.register(hidden, source)
        try:
            made = f"CREATE OR REPLACE TEMP TABLE {quoted_name(name)} AS FROM {quoted_name(hidden)}"
            connection.execute(made).fetchall()
            connection.execute(f"COMMENT ON TABLE {table} IS '{_REGISTERED}'").fetchall()
        finally:
            connection.unregister(hidden)
    except duckdb.Error as error:
        raise ExecutionError(f"register({name!r}): {without_excerpt(error)}") from error


def unregistered(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Drops a table that `registered` made. Raises BindError where there is none."""
    if _comment(connection, name) != _REGISTERED:
        raise BindError(f"unregister: nothing is registered as {name!r}")
    connection.execute(f"DROP TABLE temp.{quoted_name(name)}").fetchall()


def _comment(connection: duckdb.DuckDBPyConnection, name: str) -> str | None:
    """That of the temporary table of a name; None where there is no such table."""
    query = (
        "SELECT coalesce(comment, '') FROM duckdb_tables()"
        " WHERE temporary AND lower(table_name) = lower(?)"
    )
    rows = connection.execute(query, [name]).fetchall()
    return str(rows[0][0]) if rows else None


def _readable(name: str, data: object) -> object:
    """The data as DuckDB reads them, without using the connection that reads."""
    try:
        match data:
            case Relation():
                return data.arrow()
            case duckdb.DuckDBPyRelation():
                return data.to_arrow_table()
            case Mapping():
                return pa.table(dict(data))
            case list() | tuple():
                return _of_records(name, data)
            case pa.Table() | pa.RecordBatchReader():
                return data
            case _ if _is_of(data, "pandas", "DataFrame"):  # DuckDB knows more of its objects
                return data
            case _ if _is_of(data, "polars", "LazyFrame"):
                return data.collect()  # type: ignore[attr-defined]
            case _ if hasattr(data, "__arrow_c_stream__"):
                return pa.RecordBatchReader.from_stream(data)
            case _ if hasattr(data, "__arrow_c_array__"):
                return pa.Table.from_batches([pa.record_batch(data)])
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise BindError(f"register({name!r}): {error}", hint=f"it takes {_TAKEN}") from error
    kind = type(data).__name__
    raise BindError(
        f"register({name!r}): a value of type {kind} is no table", hint=f"it takes {_TAKEN}"
    )


def _of_records(name: str, data: list[Any] | tuple[Any, ...]) -> pa.Table:
    """The table of a list of mappings; what one of them lacks is NULL."""
    odd = next((n for n, row in enumerate(data) if not isinstance(row, Mapping)), None)
    if odd is not None:
        kind = type(data[odd]).__name__
        raise BindError(
            f"register({name!r}): item {odd} of the list is of type {kind}, no mapping",
            hint=f"it takes {_TAKEN}",
        )
    columns = dict.fromkeys(str(key) for row in data for key in row)
    if not columns:
        raise BindError(
            f"register({name!r}): an empty list has no columns",
            hint="an Arrow table or a frame says what its columns are",
        )
    return pa.table({c: [row.get(c) for row in data] for c in columns})


def _is_of(data: object, module: str, kind: str) -> bool:
    """Whether it is of a class of a library; who has such a thing has imported that."""
    imported = sys.modules.get(module)
    return imported is not None and isinstance(data, getattr(imported, kind))
