"""HeliumQL: an SQL dialect and query engine for workflows of LLM calls, on DuckDB.

connect()       a Connection: `sql` gives relations, `sql_async` those for an event loop
Relation        the rows of a statement: Arrow, pandas, polars, tuples, files, other relations
load(con)       the verbs as functions of a DuckDB connection
dbapi           a driver of DB-API 2.0 (import heliumql.dbapi)
HeliumQLError   the base of all errors
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, overload

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
    from typing import Literal

    import duckdb
    from IPython.core.interactiveshell import InteractiveShell

    from heliumql.connection import Connection
    from heliumql.explain.foreseen import Estimate
    from heliumql.extensions.duckdb import LoadedConnection
    from heliumql.extensions.flight.remote import RemoteConnection
    from heliumql.relations.asynchronous import AsyncRelation
    from heliumql.relations.relation import Relation
    from heliumql.stats import Progress, Stats

__version__ = "0.1.0"

_LATER = {  # what takes a while to import, and where it is
    "AsyncRelation": "heliumql.relations.asynchronous",
    "Connection": "heliumql.connection",
    "Estimate": "heliumql.explain.foreseen",
    "Progress": "heliumql.stats",
    "Relation": "heliumql.relations.relation",
    "Stats": "heliumql.stats",
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module 'heliumql' has no attribute {name!r}")
    return getattr(importlib.import_module(_LATER[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})


@overload
def connect(
    database: str | Path | duckdb.DuckDBPyConnection = ":memory:", *, read_only: bool = False
) -> Connection: ...


@overload
def connect(
    database: str, *, token: str | None, tls_root: bytes | None = None
) -> RemoteConnection: ...


def connect(
    database: str | Path | duckdb.DuckDBPyConnection = ":memory:",
    *,
    read_only: bool = False,
    token: str | None = None,
    tls_root: bytes | None = None,
) -> Connection | RemoteConnection:
    """A connection to a database file, to a new database in memory, or over one of DuckDB's.

    Or, of an address (grpc://127.0.0.1:8815, grpc+tls://..), a session of the server there, which
    `heliumql serve` starts: `token` is the server's (else that of the variable HELIUMQL_TOKEN),
    `tls_root` the certificates in PEM that the server's is checked by.

    >>> import heliumql
    >>> with heliumql.connect() as con:
    ...     con.sql("SELECT 'Helium' AS name").fetchall()
    [('Helium',)]
    """
    import duckdb

    from heliumql.connection import Connection
    from heliumql.shared import opened

    if isinstance(database, str) and database.startswith(("grpc://", "grpc+tls://")):
        from heliumql.extensions.flight.remote import RemoteConnection

        return RemoteConnection(database, token=token, tls_root=tls_root)
    if isinstance(database, duckdb.DuckDBPyConnection):
        return Connection(database, owns=False)
    if not isinstance(database, str | os.PathLike):  # str() of None would be a file of that name
        raise TypeError(f"a database is a path or a connection, not {type(database).__name__}")
    return Connection(opened(str(database), read_only=read_only), owns=True)


def load(
    con: duckdb.DuckDBPyConnection,
    *,
    model: str | None = None,
    placeholders: Literal["refuse", "keep"] = "refuse",
    **settings: object,
) -> LoadedConnection:
    """Makes llm_generate, llm_filter .. functions in plain statements of a DuckDB connection.

    Returns a HeliumQL connection over it, with the same models and answers. `model`: the one of
    calls that name none. `placeholders`: whether a text like 'About {name}', which nobody can fill
    in there, is refused or kept as it is. `settings`: any of `SET llm_..`. Loading the same
    connection again gives the same, with the settings changed. Raises CatalogError where a setting
    does not exist.

    >>> import duckdb, heliumql
    >>> con = duckdb.connect()
    >>> hq = heliumql.load(con)
    >>> _ = hq.execute("CREATE TEMP MODEL invented WITH (engine = 'simulated')")
    >>> con.sql("SELECT llm_score('How wet is water? 0 to 10') IS NULL").fetchall()
    [(False,)]
    >>> hq.close()
    """
    from heliumql.extensions.duckdb import load

    return load(con, model=model, placeholders=placeholders, **settings)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext heliumql`: from then on `%hql` and `%%hql` run statements."""
    from heliumql.extensions.jupyter import load_ipython_extension

    load_ipython_extension(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """`%unload_ext heliumql`: closes the connections that cells opened."""
    from heliumql.extensions.jupyter import unload_ipython_extension

    unload_ipython_extension(shell)


__all__ = [
    "AsyncRelation",
    "BindError",
    "BudgetError",
    "CatalogError",
    "Connection",
    "EngineError",
    "Estimate",
    "ExecutionError",
    "HeliumQLError",
    "InternalError",
    "ParseError",
    "Progress",
    "Relation",
    "Stats",
    "connect",
    "load",
]
