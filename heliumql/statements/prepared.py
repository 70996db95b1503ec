"""Prepared statements with calls, which DuckDB cannot hold: PREPARE, EXECUTE, DEALLOCATE."""

from __future__ import annotations

from dataclasses import replace

import duckdb

from heliumql import syntax
from heliumql.binder.parameters import Parameters
from heliumql.statements.parsed import Given
from heliumql.syntax import Statement


class Prepared:
    """The prepared statements of one connection, by name."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._duckdb = connection
        self._statements: dict[str, Statement] = {}

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._statements)

    def prepare(self, statement: syntax.Prepare) -> None:
        self._statements[statement.name.lower()] = statement.statement

    def deallocate(self, statement: syntax.Deallocate) -> None:
        self._statements.pop(statement.name.lower(), None)

    def executed(self, statement: Statement, given: Given) -> tuple[Statement, Given]:
        """The statement that EXECUTE runs, with its values; any other is itself."""
        if not isinstance(statement, syntax.Execute):
            return statement, given
        given = replace(given, parameters=self._values(statement.arguments))
        return self._statements[statement.name.lower()], given

    def read_by(self, statement: Statement) -> str:
        """The text of what is run, whose names may be variables of the caller."""
        prepared = None
        if isinstance(statement, syntax.Execute):
            prepared = self._statements.get(statement.name.lower())
        return statement.text + (" " + prepared.text if prepared is not None else "")

    def _values(self, arguments: str) -> Parameters:
        """The arguments of EXECUTE, evaluated."""
        if not arguments.strip():
            return None
        named = ":=" in arguments or "=>" in arguments
        maker = "struct_pack" if named else "row"
        value = self._duckdb.execute(f"SELECT {maker}({arguments})").fetchall()[0][0]
        return (
            value
            if isinstance(value, dict) and named
            else list(value.values() if isinstance(value, dict) else value)
        )
