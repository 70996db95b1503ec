"""The cursor of DB-API: runs a statement and gives its rows."""

from __future__ import annotations

import itertools
import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import duckdb
from duckdb import ExpectedResultType, StatementType

from heliumql import syntax
from heliumql.extensions.dbapi.errors import InterfaceError, ProgrammingError, translated
from heliumql.relations.relation import Relation
from heliumql.stats import Stats

if TYPE_CHECKING:
    from heliumql.extensions.dbapi.connection import Connection
    from heliumql.statements.parsed import Parsed

Row = tuple[Any, ...]
Column = tuple[str, str, None, None, None, None, None]
Values = Sequence[Any] | Mapping[str, Any] | None

_CHANGES = {
    StatementType.INSERT, StatementType.UPDATE, StatementType.DELETE, StatementType.MERGE_INTO,
}  # fmt: skip
_WRITES = _CHANGES | {
    StatementType.CREATE, StatementType.DROP, StatementType.ALTER, StatementType.COPY,
    StatementType.COPY_DATABASE, StatementType.EXECUTE,
}  # fmt: skip


class Cursor:
    """Runs one statement after the other; rows are those of the last one.

    >>> from heliumql import dbapi
    >>> con = dbapi.connect()
    >>> cursor = con.cursor()
    >>> cursor.execute("SELECT $who AS who, 1906 AS born", {"who": "Grace"}).fetchone()
    ('Grace', 1906)
    >>> [(column[0], column[1] == dbapi.NUMBER) for column in cursor.description]
    [('who', False), ('born', True)]
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.arraysize = 1
        self.lastrowid: None = None  # tables have no identity of their own
        self._closed = False
        self._rows: Iterator[Row] = iter(())
        self._relation: Relation | None = None
        self._stats = Stats()
        self._description: list[Column] | None = None
        self._rowcount = -1

    @property
    def connection(self) -> Connection:
        """The connection it is of."""
        return self._connection

    @property
    def description(self) -> list[Column] | None:
        """Name and type of each column, as 7-tuples; None where the statement has no rows.

        The type is that of DuckDB, as a string; it is equal to STRING, NUMBER and their like.
        """
        return self._description

    @property
    def rowcount(self) -> int:
        """How many rows the statement changed; -1 for a query: rows come as they are read."""
        return self._rowcount

    @property
    def stats(self) -> Stats:
        """What the statement did: calls, tokens, seconds."""
        if self._relation is not None:
            return self._relation.stats
        return self._stats

    # running ------------------------------------------------------------------------------

    def execute(self, operation: str, parameters: Values = None) -> Cursor:
        """Runs a text; rows are those of its last statement, which has the parameters.

        `?` with a sequence, `$name` with a mapping.
        """
        with self._used(), translated():
            self._forget()
            statements = self._connection.hql.statements(operation)
            for number, parsed in enumerate(statements):
                last = number == len(statements) - 1
                self._run(parsed, _given(parameters) if last else None)
                if not last:
                    self._forget()
        return self

    def executemany(self, operation: str, seq_of_parameters: Iterable[Values]) -> Cursor:
        """Runs a statement that changes something once for each of the parameters.

        With calls in it that is one call after the other: a table of the values (`hql.register`)
        and one statement over it asks all at once.
        """
        with self._used(), translated():
            self._forget()
            statements = self._connection.hql.statements(operation)
            if len(statements) != 1:
                raise ProgrammingError("executemany takes one statement")
            [parsed] = statements
            given = [_given(p) for p in seq_of_parameters]
            if given and self._changes_only(parsed):  # prepared once
                self._connection._make_room(self)
                self._connection._open()
                self._rowcount = self._connection.hql.executemany(parsed, given).rowcount
                return self
            changed = 0
            for parameters in given:
                self._run(parsed, parameters)
                if self._description is not None:
                    self._forget()
                    raise ProgrammingError("executemany takes a statement without rows")
                changed = -1 if -1 in (changed, self._rowcount) else changed + self._rowcount
            self._rowcount = changed
        return self

    def _changes_only(self, parsed: Parsed) -> bool:
        """A statement of DuckDB's that changes rows and gives none."""
        hql, text = self._connection.hql, parsed.statement.text
        if not isinstance(parsed.statement, syntax.Sql) or hql.holds_calls(parsed):
            return False
        kind = _kind(hql.duckdb, text)
        returning = re.search(r"(?i)\breturning\b", text)
        return kind is not None and kind.type in _CHANGES and returning is None

    def _run(self, parsed: Parsed, parameters: list[Any] | dict[str, Any] | None) -> None:
        connection = self._connection
        hql = connection.hql
        connection._make_room(self)
        plain = isinstance(parsed.statement, syntax.Sql) and not hql.holds_calls(parsed)
        kind = _kind(hql.duckdb, parsed.statement.text) if plain else None
        if kind is not None and kind.type in _WRITES and not _copies_out(parsed):
            connection._open()
        connection._run(parsed, parameters)
        result = hql.result
        self._rowcount = hql.rowcount
        if isinstance(result, Relation):
            self._relation, self._rows = result, iter(result)
            self._describe(result.columns, result.types)
        elif result is not None and kind is not None and _has_rows(kind, self._rowcount):
            columns = result.description or []
            self._describe([c[0] for c in columns], [str(c[1]) for c in columns])
            connection._reading = self
        self._stats = hql.last_stats or Stats()

    def _describe(self, names: Sequence[str], types: Sequence[str]) -> None:
        pairs = zip(names, types, strict=True)
        self._description = [(n, t, None, None, None, None, None) for n, t in pairs]

    # reading ------------------------------------------------------------------------------

    def fetchone(self) -> Row | None:
        """The next row, or None."""
        return next(iter(self.fetchmany(1)), None)

    def fetchmany(self, size: int | None = None) -> list[Row]:
        """The next rows, at most `size`, or `arraysize`."""
        wanted = self.arraysize if size is None else size
        if wanted < 0:
            raise ProgrammingError("fetchmany takes a number of rows")
        with self._used(), translated():
            return self._fetched(wanted)

    def fetchall(self) -> list[Row]:
        """All rows that are left."""
        with self._used(), translated():
            return self._fetched(None)

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        row = self.fetchone()
        if row is None:
            raise StopIteration
        return row

    def _fetched(self, wanted: int | None) -> list[Row]:
        """So many rows, or all: DuckDB's, of a relation, or those that were taken before."""
        if self._description is None:
            raise ProgrammingError("there are no rows: run a query with execute first")
        connection = self._connection
        if connection._reading is self:
            rows = connection.hql.duckdb
            return list(rows.fetchall() if wanted is None else rows.fetchmany(wanted))
        connection._make_room(None)  # a relation may go on to be evaluated
        return list(itertools.islice(self._rows, wanted))

    def _take_rest(self) -> None:
        """Another statement is going to run: takes what DuckDB still has."""
        self._rows = iter(self._connection.hql.duckdb.fetchall())

    def _forget(self) -> None:
        """The rows of the statement before; calls that only they needed are aborted."""
        rows, self._rows = self._rows, iter(())
        if isinstance(rows, Generator):
            rows.close()
        if self._connection._reading is self:
            self._connection._reading = None
        self._relation, self._stats = None, Stats()
        self._description, self._rowcount = None, -1

    # the rest of DB-API -------------------------------------------------------------------

    def setinputsizes(self, sizes: Sequence[object]) -> None:
        """Does nothing: values say what they are."""

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """Does nothing: values are fetched whole."""

    def close(self) -> None:
        """Ends the statement; the cursor cannot be used any more. Idempotent."""
        if not self._closed:
            with self._connection._lock:
                self._closed = True
                if not self._connection._closed:
                    self._forget()

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _used(self) -> Iterator[None]:
        """Has the connection for itself. Raises InterfaceError where the cursor is closed."""
        with self._connection._used():
            if self._closed:
                raise InterfaceError("the cursor is closed")
            yield


def _given(parameters: Values) -> list[Any] | dict[str, Any] | None:
    """Parameters as HeliumQL takes them."""
    match parameters:
        case None:
            return None
        case Mapping():
            return dict(parameters) or None
        case str() | bytes():
            raise ProgrammingError("parameters are a sequence or a mapping, this is a text")
        case Sequence():
            return list(parameters) or None
    raise ProgrammingError(
        f"parameters are a sequence or a mapping, this is of type {type(parameters).__name__}"
    )


def _kind(connection: duckdb.DuckDBPyConnection, text: str) -> duckdb.Statement | None:
    """What DuckDB says of a statement; None where it does not know it: running it says more."""
    try:
        found = connection.extract_statements(text)
    except duckdb.Error:
        return None
    return found[0] if len(found) == 1 else None


def _has_rows(kind: duckdb.Statement, changed: int) -> bool:
    """What it gives are rows, not how many it changed, or that it is done."""
    expected = kind.expected_result_type
    if kind.type == StatementType.CREATE or ExpectedResultType.QUERY_RESULT not in expected:
        return False
    return changed < 0 or ExpectedResultType.CHANGED_ROWS not in expected


def _copies_out(parsed: Parsed) -> bool:
    return syntax.shell(parsed.statement.text).kind == "copy_to"
