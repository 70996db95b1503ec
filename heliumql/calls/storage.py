"""The SQLite database that answers and statistics are kept in: a file, or memory.

`AnswerStore` and `Learnt` share one. Several threads and several processes may use a file at once.
What is written is safe from the death of this process at once (WAL), and from a loss of power
after `_SYNC_SECONDS`, or with the next synced transaction.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from heliumql.errors import ExecutionError

_APPLICATION = 0x48514C41  # says in the file's header whose it is
_VERSION = 3  # of the tables below
_PATIENCE_SECONDS = 60.0  # for another process to end its transaction
_SYNC_SECONDS = 1.0
_BESIDE = ("-wal", "-shm")  # ends of the names of the files that SQLite keeps beside it
_NO_ROOM = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE")

# The texts stand apart, so that what is read of all answers (use, bytes) lies close together.
# `state` has one row: `epoch` is raised whenever answers are replaced or forgotten, `next_answer`
# is the number of the next answer, which none had before.
_SPEEDS = "CREATE TABLE speeds (key TEXT PRIMARY KEY, sums TEXT NOT NULL) WITHOUT ROWID"
_TABLES = f"""
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
CREATE TABLE orders (
    block BLOB PRIMARY KEY, predicates BLOB NOT NULL, expected REAL
) WITHOUT ROWID;
CREATE TABLE predicates (
    predicate BLOB PRIMARY KEY, tested INTEGER NOT NULL, passed INTEGER NOT NULL
) WITHOUT ROWID;
{_SPEEDS};
CREATE TABLE state (epoch INTEGER NOT NULL, next_answer INTEGER NOT NULL);
INSERT INTO state VALUES (0, 1)
"""


_UPGRADES = {2: _SPEEDS}
"""What makes tables of an earlier version those of the next one: answers are paid for."""


class NoRoom(ExecutionError):
    """The disk is full, or the file may not become larger."""


class Storage:
    """One database, opened when it is first needed; a file is made with the first write.

    `fallback`: where the file may not be written, memory serves instead and `reason` says why.
    `delayed` says why what may be written later is not written yet. `generation` counts how often
    the file was found to be another, or gone.
    """

    def __init__(self, path: Path | None = None, *, fallback: bool = False) -> None:
        self.path = path
        self.reason: str | None = None
        self.delayed: str | None = None
        self.generation = 0
        self._fallback = fallback
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None  # which file is open, by device and inode
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
            self._leave_another_file()
            if self._connection is None and self.path is not None and _is_empty(self.path):
                yield None
            else:
                yield self._opened()

    @contextmanager
    def writing(
        self, *, synced: bool = False, patience: float | None = None
    ) -> Iterator[sqlite3.Connection]:
        """The database inside one transaction, kept as a whole or not at all.

        `patience`: seconds to wait for another process.
        """
        patience = _PATIENCE_SECONDS if patience is None else patience
        with self._lock, self._explaining(patience):
            self._leave_another_file()
            connection = self._opened()
            connection.execute(f"PRAGMA busy_timeout = {int(1000 * patience)}").fetchall()
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

    def write_soon(
        self, write: Callable[[sqlite3.Connection], None], patience: float, *, synced: bool = False
    ) -> bool:
        """Writes what may as well be written later; whether it was. `delayed` says why not."""
        try:
            with self.writing(synced=synced, patience=patience) as db:
                write(db)
        except ExecutionError as error:
            self.delayed = f"uses and statistics are not written yet: {error.message}"
            return False
        self.delayed = None
        return True

    def shrink(self) -> None:
        """Gives what deleted rows took back to the file system."""
        with self._lock, self._explaining():
            connection = self._opened()
            connection.executescript("PRAGMA incremental_vacuum")  # execute would stop at one page
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def remove(self) -> bool:
        """Removes the file, where nobody else has it open; whether that was so."""
        with self._lock, self._explaining():
            if self.path is None:
                return False
            self.close()
            with closing(sqlite3.connect(self.path, timeout=0, isolation_level=None)) as alone:
                try:
                    alone.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
                    alone.execute("SELECT count(*) FROM sqlite_master").fetchall()
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorname.startswith("SQLITE_BUSY"):
                        return False
                    raise
                for end in (*_BESIDE, ""):  # whoever opens it meanwhile waits for our lock
                    Path(f"{self.path}{end}").unlink(missing_ok=True)
            self.generation += 1
        return True

    def close(self) -> None:
        """Idempotent; of a database in memory nothing is left."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _leave_another_file(self) -> None:
        """Closes a file that was deleted or replaced: nobody else would see what is written."""
        if self._connection is None or self.path is None or self._connection.in_transaction:
            return
        now = _file_at(self.path)
        if now is None or now != self._file:
            self.close()
            self.generation += 1

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            try:
                self._connection = _connected(self.path)
                self._file = None if self.path is None else _file_at(self.path)
            except sqlite3.Error as error:
                if not self._fallback or not _is_forbidden(error):
                    raise
                self.reason = f"{self.path} cannot be written: {error}"
                self.path = None
                self._connection = _connected(None)
        return self._connection

    @contextmanager
    def _explaining(self, patience: float | None = None) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            patience = _PATIENCE_SECONDS if patience is None else patience
            raise self._explained(error, patience) from error

    def _explained(self, error: sqlite3.Error, patience: float) -> ExecutionError:
        """What went wrong with the file, and what can be done."""
        name = getattr(error, "sqlite_errorname", "")
        if name in _NO_ROOM:
            return NoRoom(
                f"no room for the answer store {self.path}",
                hint="make room on its disk, CLEAR CACHE, or SET llm_cache_path to another disk"
                " (':memory:' keeps answers for this session)",
            )
        match name.split("_")[:2]:
            case ["SQLITE", "NOTADB"]:
                return _foreign(self.path)
            case ["SQLITE", "CORRUPT"]:
                return ExecutionError(
                    f"the answer store {self.path} is damaged", hint=_anew(self.path)
                )
            case ["SQLITE", "BUSY"]:
                return ExecutionError(
                    f"another process has held the answer store {self.path} for {patience:g} s",
                    hint="wait for it, or SET llm_cache_path to a file of its own",
                )
            case _:
                hint = "is the folder there, and may it be written? SET llm_cache_path moves it"
                message = f"the answer store {self.path} cannot be used: {error}"
                return ExecutionError(message, hint=hint)


def _is_empty(path: Path) -> bool:
    """No file, or one that nobody has written to: reading makes no tables in it."""
    return not path.exists() or path.stat().st_size == 0


def _connected(path: Path | None) -> sqlite3.Connection:
    with _alone_where_new(path):
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


@contextmanager
def _alone_where_new(path: Path | None) -> Iterator[None]:
    """Where there is no file yet, one process at a time makes it, without what was beside another.

    SQLite would take the leftovers of a deleted file for those of the new one.
    """
    if path is None or path.exists():
        yield
        return
    try:
        folder = os.open(path.parent, os.O_RDONLY)
    except OSError:  # SQLite says what is wrong with the folder
        yield
        return
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if not path.exists() and os.access(path.parent, os.W_OK):
            for end in _BESIDE:
                Path(f"{path}{end}").unlink(missing_ok=True)
        yield
    finally:
        os.close(folder)


def _file_at(path: Path) -> tuple[int, int] | None:
    """Which file it is, by device and inode; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


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
    if made and _number(connection, "user_version") == _VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")  # of several processes one makes the tables
    if _is_made(connection, path):
        while (version := _number(connection, "user_version")) != _VERSION:
            connection.execute(_UPGRADES[version])
            connection.execute(f"PRAGMA user_version = {version + 1}")
    else:
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {_VERSION}")
    connection.execute("COMMIT")


def _is_made(connection: sqlite3.Connection, path: Path | None) -> bool:
    """The tables are there, of this version or one that can be upgraded; inside a transaction.

    Raises ExecutionError where others are.
    """
    version = _number(connection, "user_version")
    if _number(connection, "application_id") != _APPLICATION:
        if version or connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise _foreign(path)
        return False
    if version != _VERSION and version not in _UPGRADES:
        raise ExecutionError(
            f"the answer store {path} was made by another version of HeliumQL"
            f" (its tables have version {version}, this one knows {_VERSION})",
            hint=_anew(path),
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


def _anew(path: Path | None) -> str:
    files = ", ".join(f"{path}{end}" for end in ("", *_BESIDE))
    return f"delete its files to begin anew (calls are asked again): {files}; or SET llm_cache_path"


def _foreign(path: Path | None) -> ExecutionError:
    hint = "name another file with SET llm_cache_path, or move this one away"
    return ExecutionError(f"{path} is not an answer store", hint=hint)
