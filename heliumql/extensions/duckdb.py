"""`heliumql.load(con)`: the verbs as functions of an unmodified DuckDB connection.

Each verb is a temporary macro of the connection (`macros.py`) over one vectorized function of its
database, `__hql_ask`, which hands a vector of calls to the `Vectors` of the loaded connection.
"""

from __future__ import annotations

import itertools
import json
import threading
from contextlib import suppress
from typing import Any, Literal

import duckdb
import pyarrow as pa

from heliumql.connection import Connection
from heliumql.errors import ExecutionError
from heliumql.extensions import macros, stopping
from heliumql.extensions.spoken import value_type
from heliumql.extensions.vectors import Vectors
from heliumql.physical.functions import Function, are_registered, array, create
from heliumql.stats import Stats
from heliumql.syntax import HISTORY_TYPE

_numbers = itertools.count(1)
_loaded: dict[int, LoadedConnection] = {}  # by number, as the macros have it
_lock = threading.RLock()


class LoadedConnection(Connection):
    """A HeliumQL connection over one of DuckDB, whose plain statements may hold calls too.

    >>> import duckdb, heliumql
    >>> con = duckdb.connect()
    >>> hq = heliumql.load(con)
    >>> _ = hq.execute("CREATE TEMP MODEL invented WITH (engine = 'simulated')")
    >>> con.sql("SELECT llm_filter('Is water wet?') IS NULL").fetchall()
    [(False,)]
    >>> hq.close()
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        super().__init__(connection, owns=False)
        self.number = next(_numbers)
        self.vectors = Vectors(self._session, keep_placeholders=False)
        stopping.listen(self._interrupted)

    @property
    def plain_stats(self) -> Stats:
        """What calls of plain statements did so far, all statements together."""
        return self.vectors.total

    @property
    def last_plain_stats(self) -> Stats | None:
        """What the calls of the last plain statement did, as far as it is."""
        return self.vectors.last

    def make_functions(self) -> None:
        """Makes the verbs functions of the connection, again where they are there."""
        _register(self.duckdb)
        for statement in macros.macros(self.number):
            self.duckdb.execute(statement).fetchall()

    def interrupt(self) -> None:
        """Stops the running statement, of HeliumQL or plain; answers that came are kept."""
        self.vectors.stop()
        super().interrupt()

    def close(self) -> None:
        """Takes the functions away and ends what they share; DuckDB's connection stays open."""
        with _lock:
            if _loaded.pop(self.number, None) is None:
                return
        stopping.unlisten(self._interrupted)
        self.vectors.stop()
        with suppress(duckdb.Error):  # closed, busy, or in a transaction that was aborted
            for statement in macros.dropped():
                self.duckdb.execute(statement).fetchall()
        super().close()

    def _interrupted(self, connection: duckdb.DuckDBPyConnection) -> None:
        if connection is self.duckdb:
            self.vectors.stop()


def load(
    con: duckdb.DuckDBPyConnection,
    *,
    model: str | None = None,
    placeholders: Literal["refuse", "keep"] = "refuse",
    **settings: object,
) -> LoadedConnection:
    """As `heliumql.load`, which says what it does."""
    if not isinstance(con, duckdb.DuckDBPyConnection):
        raise TypeError(f"heliumql.load takes a connection of duckdb, not {type(con).__name__}")
    with _lock:
        found = [h for h in _loaded.values() if h.duckdb is con]
        handle = found[0] if found else LoadedConnection(con)
        _loaded[handle.number] = handle
        try:
            if model is not None:
                handle.set("llm_default_model", model)
            for name, value in settings.items():
                handle.set(name, value)
            handle.vectors.keep_placeholders = placeholders == "keep"
            handle.make_functions()
        except BaseException:
            if not found:
                handle.close()
            raise
    return handle


def _register(connection: duckdb.DuckDBPyConnection) -> None:
    """Registers the functions below the macros in the connection's database, once."""
    if are_registered(connection, macros.ASK):
        return
    asked = ("BIGINT", "BIGINT", "VARCHAR", "VARCHAR", "VARCHAR", HISTORY_TYPE)
    functions = [
        Function(macros.ASK, _ask, asked, "VARCHAR"),
        Function(macros.TYPE, _type, ("VARCHAR",), "VARCHAR"),
    ]
    create(connection, functions)


def _ask(
    handle: Any, transaction: Any, description: Any, text: Any, system: Any, history: Any
) -> pa.Array:
    if len(text) == 0:
        return pa.array([], pa.string())
    loaded = _loaded.get(handle[0].as_py())
    if loaded is None:
        raise ExecutionError("HeliumQL is not loaded any more", hint="heliumql.load(con)")
    return loaded.vectors.ask(
        transaction[0].as_py(), array(description), array(text), array(system), array(history)
    )


def _type(description: Any) -> pa.Array:
    return pa.array([json.dumps(value_type(d).sql()) for d in description.to_pylist()], pa.string())
