"""HeliumQL: an SQL dialect and query engine for workflows of LLM calls, on DuckDB."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING

from heliumql.errors import (
    BindError,
    BudgetError,
    CatalogError,
    EngineError,
    ExecutionError,
    HeliumQLError,
    InternalError,
    ParseError,
)

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from heliumql.connection import Connection

__version__ = importlib.metadata.version("heliumql")


def connect(
    database: str | Path | duckdb.DuckDBPyConnection = ":memory:", *, read_only: bool = False
) -> Connection:
    """A connection to a database file, to a new database in memory, or over one of DuckDB's.

    >>> import heliumql
    >>> with heliumql.connect() as con:
    ...     con.sql("SELECT 'Helium' AS name").fetchall()
    [('Helium',)]
    """
    import duckdb

    from heliumql.connection import Connection

    if isinstance(database, duckdb.DuckDBPyConnection):
        return Connection(database, owns=False)
    return Connection(duckdb.connect(str(database), read_only=read_only), owns=True)


__all__ = [
    "BindError",
    "BudgetError",
    "CatalogError",
    "EngineError",
    "ExecutionError",
    "HeliumQLError",
    "InternalError",
    "ParseError",
    "connect",
]
