"""Rows of `Connection.execute` that nobody had fetched when the next statement came.

DuckDB drops them then, without a word: a loop over them would end early.
"""

from __future__ import annotations

import itertools
from typing import Any

import duckdb


class Unfetched:
    """Such rows, read to their end, for whoever goes on fetching."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.description: list[tuple[Any, ...]] | None = connection.description
        self.rowcount: int = connection.rowcount
        self._error: duckdb.Error | None = None
        try:
            self._rows = iter(connection.fetchall())
        except duckdb.Error as error:  # no mistake of the statement that comes
            self._rows, self._error = iter(()), error

    def fetchall(self) -> list[tuple[Any, ...]]:
        if self._error is not None:
            raise self._error
        return list(self._rows)

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        if self._error is not None:
            raise self._error
        return list(itertools.islice(self._rows, size))

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(iter(self.fetchmany(1)), None)
