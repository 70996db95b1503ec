"""Answers, and the store that keeps them under the names of their calls.

The dispatcher puts every answer there the moment it arrives; the call graph looks calls up in
bulk before it lets any of them run. `Shared` opens it (heliumql/shared.py).
"""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from heliumql.calls.deferred import (
    Epoch,
    Noted,
    epoch_number,
    finals_of,
    forget_names,
    write_names,
)
from heliumql.calls.operator import Operator, operator_id
from heliumql.calls.storage import NoRoom, Storage
from heliumql.errors import ExecutionError, HeliumQLError

_OVERHEAD = 150  # bytes that an answer takes beside its text, indexes included
_PATIENCE_SECONDS = 0.5  # of the end of a session, for another process
_KEYS = 1024  # identities of one query
_COARSE = 3600 * 1_000_000  # microseconds: how exactly uses are kept while there is room
_ROOM = 0.95  # evicted down to this share, so that not every answer evicts another


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call came to. `text` is None where it failed (`error` says why) or was a null."""

    text: str | None
    error: str | None = None
    finish_reason: str = "stop"
    prompt_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0

    def info(self, source: str) -> str:
        """JSON of `g.llm`; `source` is engine, cache or shared."""
        return json.dumps(
            {
                "status": 0 if self.error is None else 1,
                "error": self.error,
                "finish_reason": self.finish_reason,
                "prompt_tokens": self.prompt_tokens,
                "cached_tokens": self.cached_tokens,
                "output_tokens": self.output_tokens,
                "source": source,
            }
        )


@dataclass(frozen=True)
class ModelAnswers:
    """The answers of one model in the store. Times are microseconds since 1970."""

    model: str
    answers: int
    bytes: int
    oldest: int
    newest: int
    last_used: int


@dataclass(eq=False)
class _Arrived:
    """Answers that a thread waits to see written."""

    answers: list[tuple[bytes, Answer]]
    operator: Operator
    done: bool = False
    failure: HeliumQLError | None = field(default=None)


class AnswerStore:
    """Answers by identity, bounded in bytes; the least recently used go first.

    Safe for several threads, and for several processes on one file. Failed calls are never stored.
    """

    def __init__(
        self,
        storage: Storage | None = None,
        max_bytes: int = 10_000_000_000,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.storage = storage or Storage()
        self.max_bytes = max_bytes
        self._clock = clock
        self._arriving = threading.Lock()  # guards what waits to be written
        self._writing = threading.Lock()
        self._waiting: list[_Arrived] = []
        self._used: dict[bytes, int] = {}  # identity -> when; uses that are not written yet
        self._deferred: dict[bytes, Noted] = {}  # names that are not written yet

    def __len__(self) -> int:
        return self._sum("answers")

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._sum("bytes")

    # looking up ---------------------------------------------------------------------------

    def get(self, identities: Iterable[bytes], *, noted: bool = True) -> dict[bytes, Answer]:
        """Those of the calls that have been answered before; that they are used is noted."""
        found: dict[bytes, Answer] = {}
        wanted = list(identities)
        if not wanted or self._is_empty():
            return found
        now, before = 0, 0
        for start in range(0, len(wanted), _KEYS):
            keys = wanted[start : start + _KEYS]
            with self.storage.reading() as db:
                rows = [] if db is None else _looked_up(db, keys)
                if db is not None and rows and not before:
                    now = max(self._now(), _newest_use(db))
                    before = now if 2 * self.size > self.max_bytes else now - _COARSE
            for identity, _, text, finish, *tokens in rows:
                found[identity] = Answer(text, None, sys.intern(finish), *tokens)
            if noted:
                with self._arriving:
                    self._used |= {identity: now for identity, used, *_ in rows if used < before}
        return found

    def get_deferred(
        self, identities: Iterable[bytes], *, noted: bool = True
    ) -> dict[bytes, Answer]:
        """As `get`, by the names that the calls had when they waited for others (`note_deferred`).

        So a call is found while those that it reads are not answered, or not kept any more.
        """
        wanted = list(identities)
        if not wanted:
            return {}
        with self._arriving:
            waiting = {i: self._deferred[i] for i in wanted if i in self._deferred}
        with self.storage.reading() as db:
            epoch = Epoch(self.storage.generation, epoch_number(db))
            finals = {i: n.final for i, n in waiting.items() if n.epoch == epoch}
            finals |= {} if db is None else dict(finals_of(db, wanted))
        found = self.get(set(finals.values()), noted=noted)
        return {i: found[final] for i, final in finals.items() if final in found}

    def names(self) -> StatementNames:
        """The other names of a statement that begins now."""
        with self.storage.reading() as db:
            return StatementNames(self, Epoch(self.storage.generation, epoch_number(db)))

    def stored(self, templates: Iterable[bytes]) -> dict[bytes, int]:
        """How many answers each of these operators has; those without any are left out."""
        return self._answers_by("template", list(templates))

    def stored_kinds(self, kinds: Iterable[bytes]) -> dict[bytes, int]:
        """How many answers there are of each of these kinds, whichever operator they come from."""
        return self._answers_by("kind", list(kinds))

    def _answers_by(self, column: str, keys: list[bytes]) -> dict[bytes, int]:
        with self.storage.reading() as db:
            if db is None or not keys:
                return {}
            rows = db.execute(
                f"SELECT {column}, sum(answers) FROM operators"
                f" WHERE {column} IN ({_marks(keys)}) GROUP BY {column}",
                keys,
            ).fetchall()
        return {key: answers for key, answers in rows if answers}

    def models(self) -> list[ModelAnswers]:
        """What the store holds, model by model."""
        self.flush()
        with self.storage.reading() as db:
            if db is None:
                return []
            rows = db.execute(
                "SELECT model, count(*), sum(a.bytes), min(created), max(created), max(used)"
                " FROM answers a JOIN operators o ON o.id = a.operator"
                " GROUP BY model ORDER BY model"
            ).fetchall()
        return [ModelAnswers(*row) for row in rows]

    def rows(self, columns: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
        """These columns of all answers, some thousands at a time.

        `columns` are expressions over answers a, operators o, texts t.
        """
        self.flush()
        last = -1
        while True:
            with self.storage.reading() as db:
                if db is None:
                    return
                rows = db.execute(
                    f"SELECT a.id, {', '.join(columns)} FROM answers a"
                    " JOIN operators o ON o.id = a.operator JOIN texts t ON t.id = a.id"
                    " WHERE a.id > ? ORDER BY a.id LIMIT 5000",
                    [last],
                ).fetchall()
            if not rows:
                return
            last = rows[-1][0]
            yield rows

    # writing ------------------------------------------------------------------------------

    def put(self, answers: Mapping[bytes, Answer], operator: Operator) -> None:
        """Keeps answers of an operator's calls; durable when this returns.

        What several threads put at the same time is written in one transaction.
        """
        good = [(identity, a) for identity, a in answers.items() if a.error is None]
        if not good:
            return
        mine = _Arrived(good, operator)
        with self._arriving:
            self._waiting.append(mine)
        with self._writing:
            if not mine.done:  # else the thread that held the lock has written it
                with self._arriving:
                    batches, self._waiting = self._waiting, []
                self._write(batches)
        if mine.failure is not None:
            raise mine.failure
        if not mine.done:  # who had taken it was interrupted
            raise ExecutionError("writing answers was interrupted")

    def note_deferred(self, finals: Mapping[bytes, bytes], epoch: Epoch) -> None:
        """Other names of kept answers: what their calls were named when they waited for others.

        They are written with the next answers, or by `flush`, if it is still the same epoch.
        """
        with self._arriving:
            self._deferred |= {name: Noted(final, epoch) for name, final in finals.items()}
        if len(self._deferred) > 16 * _KEYS:
            self.flush()

    def flush(self, patience: float = 0) -> bool:
        """Writes which answers were used, and their other names; whether that could be done.

        If not, they are kept for later. `patience`: seconds to wait for another process.
        """
        used, deferred = self._taken_notes()
        if not used and not deferred:
            return True
        written = self.storage.write_soon(
            lambda db: self._write_notes(db, used, deferred), patience
        )
        if not written:
            self._give_back(used, deferred)
        return written

    def clear(self) -> int:
        """Forgets everything; how many answers that were.

        On a full disk the file is removed, with what was learnt.
        """
        count = 0
        try:
            count = len(self)
            if count:
                self._taken_notes()
                with self.storage.writing() as db:
                    forget_names(db)
                    db.execute("DELETE FROM answers")
                    db.execute("DELETE FROM texts")
                    db.execute("UPDATE operators SET answers = 0, bytes = 0")
                self.storage.shrink()
        except NoRoom as error:
            if not self.storage.remove():
                raise ExecutionError(
                    f"{error.message} to note what is forgotten",
                    hint="close the other programs that have it open, then CLEAR CACHE removes it",
                ) from error
        return count

    def forget(self, numbers: Sequence[int]) -> int:
        """Forgets the answers of these row numbers (`rows`); how many there were."""
        if not numbers:
            return 0
        count = 0
        with self.storage.writing() as db:
            forget_names(db)
            for start in range(0, len(numbers), _KEYS):
                keys = numbers[start : start + _KEYS]
                rows = db.execute(
                    f"SELECT id, operator, bytes FROM answers WHERE id IN ({_marks(keys)})", keys
                ).fetchall()
                _delete(db, rows)
                count += len(rows)
        self.storage.shrink()
        return count

    def close(self) -> None:
        """Idempotent. Notes that cannot be written are lost: answers are found without them."""
        self.flush(_PATIENCE_SECONDS)
        self.storage.close()

    def _write(self, batches: list[_Arrived]) -> None:
        used, deferred = self._taken_notes()
        failure: HeliumQLError | None = ExecutionError("writing answers was interrupted")
        try:
            with self.storage.writing() as db:
                for batch in batches:
                    self._insert(db, batch)
                self._write_notes(db, used, deferred)
                self._evict(db)
            failure = None
        except HeliumQLError as error:
            failure = error
        except Exception as error:
            failure = ExecutionError(f"answers could not be written: {error!r}")
            raise
        finally:
            if failure is not None:
                self._give_back(used, deferred)
            for batch in batches:
                batch.done, batch.failure = True, failure

    def _insert(self, db: sqlite3.Connection, batch: _Arrived) -> None:
        operator, now = operator_id(db, batch.operator), self._now()
        used = max(now, _newest_use(db))
        first = db.execute("SELECT next_answer FROM state").fetchone()[0]
        rows, texts, size = [], [], 0
        for number, (identity, a) in enumerate(batch.answers, first):
            cost = len((a.text or "").encode()) + _OVERHEAD
            size += cost
            rows.append(
                (number, identity, operator, now, used, cost, a.finish_reason, a.prompt_tokens,
                 a.cached_tokens, a.output_tokens)
            )  # fmt: skip
            texts.append((number, a.text))
        insert = f"INSERT INTO answers VALUES ({_marks(rows[0])})"
        try:
            db.executemany(insert, rows)
        except sqlite3.IntegrityError:  # some are there: asked again, or by two at the same time
            db.execute("DELETE FROM answers WHERE id >= ?", [first])
            _delete_named(db, [identity for identity, _ in batch.answers])
            forget_names(db)
            db.executemany(insert, rows)
        db.executemany("INSERT INTO texts VALUES (?, ?)", texts)
        db.execute("UPDATE state SET next_answer = ?", [first + len(rows)])
        db.execute(
            "UPDATE operators SET answers = answers + ?, bytes = bytes + ? WHERE id = ?",
            (len(rows), size, operator),
        )

    def _taken_notes(self) -> tuple[dict[bytes, int], dict[bytes, Noted]]:
        """What is to be written: when answers were used, and their other names."""
        with self._arriving:
            used, self._used = self._used, {}
            deferred, self._deferred = self._deferred, {}
            return used, deferred

    def _give_back(self, used: Mapping[bytes, int], deferred: Mapping[bytes, Noted]) -> None:
        """Notes that could not be written; what was noted since is newer."""
        with self._arriving:
            self._used = {**used, **self._used}
            self._deferred = {**deferred, **self._deferred}

    def _write_notes(
        self, db: sqlite3.Connection, used: Mapping[bytes, int], deferred: Mapping[bytes, Noted]
    ) -> None:
        db.executemany(
            "UPDATE answers SET used = max(used, ?) WHERE identity = ?",
            [(when, identity) for identity, when in used.items()],
        )
        epoch = Epoch(self.storage.generation, epoch_number(db))
        write_names(db, {i: n.final for i, n in deferred.items() if n.epoch == epoch})

    def _evict(self, db: sqlite3.Connection) -> None:
        """Forgets those that were not used for longest, down to a little below the bound."""
        held = db.execute("SELECT sum(bytes) FROM operators").fetchone()[0]
        if held <= self.max_bytes:
            return
        gone = []
        for row in db.execute("SELECT id, operator, bytes FROM answers ORDER BY used, id"):
            gone.append(row)
            held -= row[2]
            if held <= _ROOM * self.max_bytes:
                break
        _delete(db, gone)

    def _is_empty(self) -> bool:
        with self.storage.reading() as db:
            return db is None or db.execute("SELECT 1 FROM answers LIMIT 1").fetchone() is None

    def _sum(self, column: str) -> int:
        with self.storage.reading() as db:
            if db is None:
                return 0
            return int(db.execute(f"SELECT total({column}) FROM operators").fetchone()[0])

    def _now(self) -> int:
        return int(self._clock() * 1_000_000)


@dataclass(frozen=True)
class StatementNames:
    """The other names of one statement, or of those evaluated together: all hold in its epoch."""

    store: AnswerStore
    epoch: Epoch

    def get_deferred(self, identities: Iterable[bytes]) -> dict[bytes, Answer]:
        return self.store.get_deferred(identities)

    def note_deferred(self, finals: Mapping[bytes, bytes]) -> None:
        self.store.note_deferred(finals, self.epoch)


def _newest_use(db: sqlite3.Connection) -> int:
    """Answers are never used before it, though a clock goes back: else the newest went first."""
    return int(db.execute("SELECT max(used) FROM answers").fetchone()[0] or 0)


def _looked_up(db: sqlite3.Connection, keys: list[bytes]) -> list[tuple[Any, ...]]:
    # Few lengths, so that SQLite keeps the prepared statements.
    length = 1 << (len(keys) - 1).bit_length()
    keys = keys + keys[:1] * (length - len(keys))
    return db.execute(
        "SELECT identity, used, text, finish_reason, prompt_tokens, cached_tokens,"
        " output_tokens FROM answers a JOIN texts t ON t.id = a.id"
        f" WHERE identity IN ({_marks(keys)})",
        keys,
    ).fetchall()


def _delete(db: sqlite3.Connection, rows: Iterable[tuple[int, int, int]]) -> None:
    """Deletes answers given as (id, operator, bytes)."""
    answers, sizes = Counter[int](), Counter[int]()
    for _, operator, size in rows:
        answers[operator] += 1
        sizes[operator] += size
    numbers = [(number,) for number, _, _ in rows]
    db.executemany(
        "DELETE FROM deferred WHERE final = (SELECT identity FROM answers WHERE id = ?)", numbers
    )
    db.executemany("DELETE FROM answers WHERE id = ?", numbers)
    db.executemany("DELETE FROM texts WHERE id = ?", numbers)
    db.executemany(
        "UPDATE operators SET answers = answers - ?, bytes = bytes - ? WHERE id = ?",
        [(answers[o], sizes[o], o) for o in answers],
    )


def _delete_named(db: sqlite3.Connection, identities: Sequence[bytes]) -> None:
    for start in range(0, len(identities), _KEYS):
        keys = identities[start : start + _KEYS]
        query = f"SELECT id, operator, bytes FROM answers WHERE identity IN ({_marks(keys)})"
        _delete(db, db.execute(query, keys).fetchall())


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
