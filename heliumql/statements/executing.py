"""A connection as a cursor: `execute` runs, and the rows are fetched from the connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

from duckdb import ConnectionException, DuckDBPyConnection

from heliumql import frames, syntax
from heliumql.binder.mistakes import closed
from heliumql.binder.parameters import Parameters, check
from heliumql.errors import HeliumQLError
from heliumql.relations.relation import Relation
from heliumql.statements.mistakes import told_how_to_give_values
from heliumql.statements.parsed import Parsed
from heliumql.statements.sequences import with_parameters
from heliumql.statements.statements import Statements
from heliumql.statements.unfetched import Unfetched

if TYPE_CHECKING:
    from heliumql.statements.evaluations import Evaluations


class Executing:
    """The part of a connection that runs statements and holds their rows until they are fetched."""

    duckdb: DuckDBPyConnection
    _statements: Statements
    _evaluations: Evaluations

    def execute(self, text: str | Parsed, params: Parameters = None) -> Self:
        """Runs the text; rows of its last statement are fetched from the connection.

        >>> import heliumql
        >>> con = heliumql.connect()
        >>> con.execute("CREATE TABLE t AS SELECT 42 AS answer; FROM t").fetchone()
        (42,)
        """
        check(params)
        self._evaluations.result = None
        statements = (text,) if isinstance(text, Parsed) else self._statements.parsed(text)
        for parsed, given in with_parameters(statements, params):
            if isinstance(self.result, Relation):
                self.result.fetchall()
            plain = self._plain(parsed)
            if plain is not None:
                self._evaluations.begin()
                names = frames.seen(plain)
                try:
                    self._evaluations.result = frames.execute(self.duckdb, plain, given, names)
                except ConnectionException as error:
                    raise closed(error) from None
            else:
                with told_how_to_give_values():
                    self._evaluations.result = self._statements.run(parsed, given)
        return self

    def executemany(self, text: str | Parsed, rows: Sequence[Parameters]) -> Self:
        """Runs one statement once for each of the parameters.

        With calls in it that is one call after the other: `register` the values instead, and ask
        about all of them in one statement.
        """
        for parsed in (text,) if isinstance(text, Parsed) else self._statements.parsed(text):
            plain = self._plain(parsed)
            if plain is not None and rows:
                self._evaluations.begin()
                self._evaluations.result = self.duckdb.executemany(plain, list(rows))
                continue
            for params in rows:
                self.execute(parsed, params)
        return self

    def _plain(self, parsed: Parsed) -> str | None:
        """The text that DuckDB runs; None of a statement that is not for it alone."""
        try:
            statement = self._statements.with_settings(parsed.statement)
        except HeliumQLError as error:
            raise error.with_source(parsed.source) from None
        if isinstance(statement, syntax.Sql) and not self._statements.names_calls(statement.text):
            return statement.text
        return None

    @property
    def result(self) -> Relation | Unfetched | DuckDBPyConnection | None:
        """What `execute` left to be fetched."""
        return self._evaluations.result

    @property
    def rowcount(self) -> int:
        """How many rows the last statement of `execute` changed; -1 where it was a query."""
        if isinstance(self.result, DuckDBPyConnection | Unfetched):
            return self.result.rowcount
        return self._evaluations.changed

    def before_writing(self, call: Callable[[], None]) -> None:
        """Has this called when rows with answers are there and are going to be written."""
        self._evaluations.before_writing = call

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows of `execute` that have not been fetched yet."""
        return [] if self.result is None else list(self.result.fetchall())

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        """The next rows of `execute`, at most `size`."""
        return [] if self.result is None else list(self.result.fetchmany(size))

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row of `execute`, or None."""
        return None if self.result is None else self.result.fetchone()

    @property
    def description(self) -> list[tuple[Any, ...]] | None:
        """Name and type of each column, as in DB-API."""
        if isinstance(self.result, Relation):
            return [(f.name, str(f.type), *[None] * 5) for f in self.result.schema]
        return None if self.result is None else self.result.description
