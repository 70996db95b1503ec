"""The errors of DB-API, and which of them an error of HeliumQL or DuckDB is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from heliumql.errors import (
    BindError,
    BudgetError,
    CatalogError,
    EngineError,
    HeliumQLError,
    ParseError,
)
from heliumql.errors import InternalError as OwnInternalError


class Warning(Exception):
    """Never raised; PEP 249 names it."""


class Error(Exception):
    """Base of all errors. `__cause__` is HeliumQL's or DuckDB's own."""


class InterfaceError(Error):
    """The interface was used wrongly: a closed cursor, rows of a statement that has none."""


class DatabaseError(Error):
    """An error of the database."""


class DataError(DatabaseError):
    """A value does not fit: a cast, a division, a number out of range."""


class OperationalError(DatabaseError):
    """Nobody's mistake: an engine, a budget, a file, a transaction, an interrupt."""


class IntegrityError(DatabaseError):
    """A constraint of a table does not hold."""


class InternalError(DatabaseError):
    """A bug in HeliumQL or DuckDB."""


class ProgrammingError(DatabaseError):
    """A mistake in the statement: its grammar, a name, the number of parameters."""


class NotSupportedError(DatabaseError):
    """The database does not do that."""


_OF_DUCKDB: tuple[tuple[type[Exception], type[DatabaseError]], ...] = (
    (duckdb.InterruptException, OperationalError),
    (duckdb.PermissionException, OperationalError),
    (duckdb.IntegrityError, IntegrityError),
    (duckdb.DataError, DataError),
    (duckdb.ProgrammingError, ProgrammingError),
    (duckdb.NotSupportedError, NotSupportedError),
    (duckdb.InternalError, InternalError),
    (duckdb.FatalException, InternalError),
    (duckdb.OperationalError, OperationalError),
)


@contextmanager
def translated() -> Iterator[None]:
    """What is raised inside comes out as an error of DB-API, with the same message."""
    try:
        yield
    except (HeliumQLError, duckdb.Error) as error:
        raise _kind(error)(str(error)) from error


def _kind(error: Exception) -> type[DatabaseError]:
    match error:
        case duckdb.Error():
            return next((k for of, k in _OF_DUCKDB if isinstance(error, of)), DatabaseError)
        case ParseError() | BindError() | CatalogError():
            return ProgrammingError
        case BudgetError() | EngineError():
            return OperationalError
        case OwnInternalError():
            return InternalError
    below = error.__cause__ or error.__context__
    return _kind(below) if isinstance(below, duckdb.Error) else OperationalError
