"""HeliumQL as a driver of DB-API 2.0 (PEP 249).

>>> from heliumql import dbapi
>>> with dbapi.connect() as con:
...     cursor = con.cursor()
...     _ = cursor.execute("CREATE TABLE people (name VARCHAR, born INTEGER)")
...     _ = cursor.executemany("INSERT INTO people VALUES (?, ?)", [("Ada", 1815), ("Grace", 1906)])
...     con.commit()
...     cursor.execute("SELECT name FROM people WHERE born > ?", [1900]).fetchall()
[('Grace',)]
"""

from heliumql.extensions.dbapi.connection import Connection, connect
from heliumql.extensions.dbapi.cursor import Cursor
from heliumql.extensions.dbapi.errors import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,
)
from heliumql.extensions.dbapi.types import (
    BINARY,
    DATETIME,
    NUMBER,
    ROWID,
    STRING,
    Binary,
    Date,
    DateFromTicks,
    Time,
    TimeFromTicks,
    Timestamp,
    TimestampFromTicks,
)

apilevel = "2.0"
threadsafety = 2  # threads may share the module and connections
paramstyle = "qmark"  # and $name, with a mapping

__all__ = [
    "BINARY",
    "DATETIME",
    "NUMBER",
    "ROWID",
    "STRING",
    "Binary",
    "Connection",
    "Cursor",
    "DataError",
    "DatabaseError",
    "Date",
    "DateFromTicks",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "Warning",
    "apilevel",
    "connect",
    "paramstyle",
    "threadsafety",
]
