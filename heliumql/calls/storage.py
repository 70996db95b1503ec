"""The SQLite database that answers and statistics are kept in: a file, or memory.

`AnswerStore` and `Learnt` share one. Several threads and several processes may use a file at once.
What is written is safe from the death of this process at once (WAL), and from a loss of power
after `_SYNC_SECONDS`, or with the next synced transaction.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from heliumql.errors import ExecutionError

_APPLICATION = 0x48514C41  # says in the file's header whose it is
_VERSION = 1  # of the tables below
_PATIENCE_SECONDS = 60.0  # for another process to end its transaction
_SYNC_SECONDS = 1.0
_HINT = "delete the file to begin anew (its calls are asked again), or SET llm_cache_path"

# The texts stand apart, so that what is read of all answers (use, bytes) lies close together.
_TABLES = """
CREATE TABLE operators (
    id INTEGER PRIMARY KEY,
    template BLOB NOT NULL, kind BLOB NOT NULL, model TEXT NOT NULL, name TEXT NOT NULL,
    answers INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,
    calls INTEGER NOT NULL DEFAULT 0, prompt_bytes INTEGER NOT NULL DEFAULT 0,
    prompt_tokens INTEGER NOT NULL DEFAULT 0, output_tokens INTEGER NOT NULL DEFAULT 0,
    seconds REAL NOT NULL DEFAULT 0,
    UNIQUE (template, model)
);
CREATE TABLE answers (
    id INTEGER PRIMARY KEY, identity BLOB NOT NULL UNIQUE, operator INTEGER NOT NULL,
    created INTEGER NOT NULL, used INTEGER NOT NULL, bytes INTEGER NOT NULL,
    finish_reason TEXT NOT NULL, prompt_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL
);
CREATE INDEX answers_by_use ON answers (used);
CREATE TABLE deferred (identity BLOB PRIMARY KEY, final BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX deferred_by_final ON deferred (final);
CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT);
CREATE TABLE lengths (
    operator INTEGER, bucket INTEGER, calls INTEGER NOT NULL, PRIMARY KEY (operator, bucket)
) WITHOUT ROWID;
CREATE TABLE predicates (
    predicate BLOB PRIMARY KEY, tested INTEGER NOT NULL, passed INTEGER NOT NULL
) WITHOUT ROWID;
"""


class Storage:
    """One database, opened when it is first needed; a file is made with the first write.

    `fallback`: where the file may not be written, memory serves instead and `reason` says why.
    """

    def __init__(self, path: Path | None = None, *, fallback: bool = False) -> None:
        self.path = path
        self.reason: str | None = None
        self._fallback = fallback
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.RLock()
        self._synced = 0.0

    def open(self) -> None:
        """Opens or makes the database. Raises ExecutionError where that cannot be."""
        with self._lock, self._explaining():
            self._opened()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """The database for reading; None where there is none yet."""
        with self._lock, self._explaining():
            if self._connection is None and self.path is not None and not self.path.exists():
                yield None
            else:
                yield self._opened()

    @contextmanager
    def writing(self, *, synced: bool = False) -> Iterator[sqlite3.Connection]:
        """The database inside one transaction, kept as a whole or not at all."""
        with self._lock, self._explaining():
            connection = self._opened()
            synced = synced or time.monotonic() - self._synced > _SYNC_SECONDS
            connection.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            if synced:
                self._synced = time.monotonic()

    def shrink(self) -> None:
        """Gives what deleted rows took back to the file system."""
        with self._lock, self._explaining():
            connection = self._opened()
            connection.executescript("PRAGMA incremental_vacuum")  # execute would stop at one page
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Idempotent; of a database in memory nothing is left."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            try:
                self._connection = _connected(self.path)
            except sqlite3.Error as error:
                if not self._fallback or not _is_forbidden(error):
                    raise
                self.reason = f"{self.path} cannot be written: {error}"
                self.path = None
                self._connection = _connected(None)
        return self._connection

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _explained(self, error: sqlite3.Error) -> ExecutionError:
        """What went wrong with the file, and what can be done."""
        match getattr(error, "sqlite_errorname", "").split("_")[:2]:
            case ["SQLITE", "NOTADB"]:
                return _foreign(self.path)
            case ["SQLITE", "CORRUPT"]:
                return ExecutionError(f"the answer store {self.path} is damaged", hint=_HINT)
            case ["SQLITE", "FULL"]:
                hint = "make room, lower llm_cache_bytes, or SET llm_cache_path"
                return ExecutionError(f"no room for the answer store {self.path}", hint=hint)
            case ["SQLITE", "BUSY"]:
                return ExecutionError(
                    f"another process has held the answer store {self.path} for"
                    f" {_PATIENCE_SECONDS:.0f} s",
                    hint="wait for it, or SET llm_cache_path to a file of its own",
                )
            case _:
                hint = "is the folder there, and may it be written? SET llm_cache_path moves it"
                message = f"the answer store {self.path} cannot be used: {error}"
                return ExecutionError(message, hint=hint)


def _connected(path: Path | None) -> sqlite3.Connection:
    connection = sqlite3.connect(
        ":memory:" if path is None else path,
        timeout=_PATIENCE_SECONDS,
        isolation_level=None,  # transactions begin where we say so
        check_same_thread=False,  # a lock keeps threads apart
    )
    try:
        _made_ready(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _made_ready(connection: sqlite3.Connection, path: Path | None) -> None:
    """Checks that the file is ours; makes the tables where it is new."""
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA cache_size = -64000")  # 64 MB at most
    connection.execute("BEGIN")
    made = _is_made(connection, path)
    connection.execute("COMMIT")
    if path is not None:
        if not made:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # before there is any table
        _in_wal_mode(connection)
        connection.execute("PRAGMA journal_size_limit = 4000000")
    if made:
        return
    connection.execute("BEGIN IMMEDIATE")  # of several processes one makes the tables
    if not _is_made(connection, path):
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {_VERSION}")
    connection.execute("COMMIT")


def _is_made(connection: sqlite3.Connection, path: Path | None) -> bool:
    """The tables are there; inside a transaction. Raises ExecutionError where others are."""
    version = _number(connection, "user_version")
    if _number(connection, "application_id") != _APPLICATION:
        if version or connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise _foreign(path)
        return False
    if version != _VERSION:
        raise ExecutionError(
            f"the answer store {path} was made by another version of HeliumQL"
            f" (its tables have version {version}, this one knows {_VERSION})",
            hint=_HINT,
        )
    return True


def _in_wal_mode(connection: sqlite3.Connection) -> None:
    """Readers and a writer at once. SQLite does not wait for others here, so this does."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _is_forbidden(error: sqlite3.Error) -> bool:
    name = getattr(error, "sqlite_errorname", "")
    return name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH"))


def _foreign(path: Path | None) -> ExecutionError:
    hint = "name another file with SET llm_cache_path, or move this one away"
    return ExecutionError(f"{path} is not an answer store", hint=hint)
