"""The connection of DB-API: transactions that open by themselves, and one lock for its threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import duckdb

from heliumql.connection import Connection as HqlConnection
from heliumql.extensions.dbapi import errors
from heliumql.extensions.dbapi.cursor import Cursor
from heliumql.extensions.dbapi.errors import InterfaceError, ProgrammingError, translated
from heliumql.shared import opened

if TYPE_CHECKING:
    from heliumql.statements.parsed import Parsed


def connect(
    database: str | Path | HqlConnection = ":memory:",
    *,
    read_only: bool = False,
    autocommit: bool = False,
) -> Connection:
    """A connection to a database file, a new database in memory, or the one of a connection.

    Given a connection of HeliumQL it is another to the same database, with its models, settings,
    engines and answers.

    >>> from heliumql import dbapi
    >>> with dbapi.connect() as con:
    ...     cursor = con.cursor()
    ...     cursor.execute("SELECT 40 + ? AS answer", [2]).fetchall()
    [(42,)]
    """
    with translated():
        if isinstance(database, HqlConnection):
            return Connection(database.cursor(), autocommit=autocommit)
        own = opened(str(database), read_only=read_only)
        return Connection(HqlConnection(own, owns=True), autocommit=autocommit)


class Connection:
    """A connection to a database. Threads may share it: each call waits for those of others.

    A transaction opens before the first statement that changes something; `commit` keeps what it
    did, `rollback` and `close` undo it. Queries before it need none. `with` commits, or rolls back
    after an error, and closes.
    """

    Warning = errors.Warning
    Error = errors.Error
    InterfaceError = errors.InterfaceError
    DatabaseError = errors.DatabaseError
    DataError = errors.DataError
    OperationalError = errors.OperationalError
    IntegrityError = errors.IntegrityError
    InternalError = errors.InternalError
    ProgrammingError = errors.ProgrammingError
    NotSupportedError = errors.NotSupportedError

    def __init__(self, hql: HqlConnection, *, autocommit: bool) -> None:
        self._hql = hql
        self._lock = threading.RLock()
        self._reading: Cursor | None = None  # whose rows DuckDB still has
        self._autocommit = autocommit
        self._open_transaction = False
        self._closed = False
        hql.before_writing(self._begin)

    @property
    def hql(self) -> HqlConnection:
        """The connection of HeliumQL below: models, settings, stats, `register`."""
        return self._hql

    def cursor(self) -> Cursor:
        """A cursor for one statement at a time. Cursors of one connection share its transaction."""
        with self._used():
            return Cursor(self)

    def commit(self) -> None:
        """Keeps what the transaction did; nothing where none is open.

        Raises OperationalError where an error has ended it: nothing of it is kept.
        """
        with self._used(), translated():
            if not self._open_transaction:
                return
            self._make_room(None)
            try:
                self._hql.execute("SELECT 1")  # COMMIT would say nothing
                self._hql.execute("COMMIT")
            except duckdb.Error:
                self._end_failed()
                raise
            self._open_transaction = False

    def rollback(self) -> None:
        """Undoes what the transaction did; nothing where none is open."""
        with self._used(), translated():
            if self._open_transaction:
                self._make_room(None)
                self._open_transaction = False
                self._hql.execute("ROLLBACK")

    @property
    def autocommit(self) -> bool:
        """Every statement is kept by itself; set to True it commits what is open."""
        return self._autocommit

    @autocommit.setter
    def autocommit(self, value: bool) -> None:
        with self._used():
            if value:
                self.commit()
            self._autocommit = value

    def interrupt(self) -> None:
        """Stops the statement that another thread runs; answers that came are kept."""
        self._hql.interrupt()

    def close(self) -> None:
        """Undoes an open transaction and ends. Raises InterfaceError if it was closed before."""
        with self._used(), translated():
            self._closed = True
            self._hql.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._closed:
            return
        try:
            if kind is None:
                self.commit()
        finally:
            self.close()

    def __repr__(self) -> str:
        return f"<heliumql.dbapi connection over {self._hql!r}>"

    # for cursors --------------------------------------------------------------------------

    @contextmanager
    def _used(self) -> Iterator[None]:
        """Has it for this thread. Raises InterfaceError where it is closed."""
        with self._lock:
            if self._closed:
                raise InterfaceError("the connection is closed")
            yield

    def _open(self) -> None:
        """Before a statement that changes something."""
        if not self._autocommit and not self._open_transaction:
            self._hql.execute("BEGIN")
            self._open_transaction = True

    def _begin(self) -> None:
        """Before rows with answers are written: they were evaluated outside, with all means."""
        if not self._autocommit and not self._open_transaction:
            self._hql.duckdb.execute("BEGIN")
            self._open_transaction = True

    def _make_room(self, cursor: Cursor | None) -> None:
        """DuckDB has rows of one statement at a time: another cursor takes its own now."""
        reading, self._reading = self._reading, None
        if reading is not None and reading is not cursor:
            reading._take_rest()

    def _run(self, parsed: Parsed, parameters: list[Any] | dict[str, Any] | None) -> None:
        """Runs a statement; BEGIN and COMMIT are those of the transaction that opens by itself."""
        match parsed.statement.text.split(maxsplit=1)[0].upper():
            case "BEGIN" | "START":
                if self._open_transaction:
                    raise ProgrammingError("a transaction is open already: commit() first")
                self._hql.execute(parsed, parameters)
                self._open_transaction = True
            case "COMMIT" | "END":
                self.commit()
            case "ROLLBACK" | "ABORT":
                self.rollback()
            case _:
                self._hql.execute(parsed, parameters)

    def _end_failed(self) -> None:
        """After a COMMIT that failed nothing is open."""
        self._open_transaction = False
        with suppress(duckdb.TransactionException):  # DuckDB may have done so
            self._hql.duckdb.execute("ROLLBACK")
