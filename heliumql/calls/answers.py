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

from heliumql.calls.operator import Operator, operator_id
from heliumql.calls.storage import Storage
from heliumql.errors import HeliumQLError

_OVERHEAD = 150  # bytes that an answer takes beside its text, indexes included
_DEFERRED = 100  # bytes of another name of it
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
        self._used: dict[int, int] = {}  # answer -> when; uses that are not written yet
        self._deferred: dict[bytes, bytes] = {}  # names that are not written yet

    def __len__(self) -> int:
        return self._sum("answers")

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._sum("bytes")

    # looking up ---------------------------------------------------------------------------

    def get(self, identities: Iterable[bytes]) -> dict[bytes, Answer]:
        """Those of the calls that have been answered before."""
        found: dict[bytes, Answer] = {}
        wanted = list(identities)
        if not wanted or self._is_empty():
            return found
        now, before = self._now(), 0
        for start in range(0, len(wanted), _KEYS):
            keys = wanted[start : start + _KEYS]
            with self.storage.reading() as db:
                rows = [] if db is None else _looked_up(db, keys)
            if rows and not before:
                before = now if 2 * self.size > self.max_bytes else now - _COARSE
            for _, identity, _, text, finish, *tokens in rows:
                found[identity] = Answer(text, None, sys.intern(finish), *tokens)
            with self._arriving:
                self._used |= {number: now for number, _, used, *_ in rows if used < before}
        return found

    def get_deferred(self, identities: Iterable[bytes]) -> dict[bytes, Answer]:
        """As `get`, by the names that the calls had when they waited for others (`note_deferred`).

        So a call is found while those that it reads are not answered, or not kept any more.
        """
        wanted = list(identities)
        if not wanted:
            return {}
        with self._arriving:
            finals = {i: self._deferred[i] for i in wanted if i in self._deferred}
        for start in range(0, len(wanted), _KEYS):
            keys = wanted[start : start + _KEYS]
            with self.storage.reading() as db:
                if db is not None:
                    query = f"SELECT * FROM deferred WHERE identity IN ({_marks(keys)})"
                    finals |= db.execute(query, keys).fetchall()
        found = self.get(set(finals.values()))
        return {i: found[final] for i, final in finals.items() if final in found}

    def stored(self, templates: Iterable[bytes]) -> dict[bytes, int]:
        """How many answers each of these operators has; those without any are left out."""
        keys = list(templates)
        with self.storage.reading() as db:
            if db is None or not keys:
                return {}
            rows = db.execute(
                "SELECT template, sum(answers) FROM operators"
                f" WHERE template IN ({_marks(keys)}) GROUP BY template",
                keys,
            ).fetchall()
        return {template: answers for template, answers in rows if answers}

    def stored_kinds(self, kinds: Iterable[bytes]) -> dict[bytes, int]:
        """How many answers there are of each of these kinds, whichever operator they come from."""
        keys = list(kinds)
        with self.storage.reading() as db:
            if db is None or not keys:
                return {}
            rows = db.execute(
                "SELECT kind, sum(answers) FROM operators"
                f" WHERE kind IN ({_marks(keys)}) GROUP BY kind",
                keys,
            ).fetchall()
        return {kind: answers for kind, answers in rows if answers}

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

    def note_deferred(self, finals: Mapping[bytes, bytes]) -> None:
        """Other names of kept answers: what their calls were named when they waited for others.

        They are written with the next answers, or by `flush`.
        """
        with self._arriving:
            self._deferred.update(finals)
        if len(self._deferred) > 16 * _KEYS:
            self.flush()

    def flush(self) -> None:
        """Writes which answers were used, and their other names."""
        used, deferred = self._taken_notes()
        if used or deferred:
            with self.storage.writing() as db:
                _write_uses(db, used)
                _write_deferred(db, deferred)

    def clear(self) -> int:
        """Forgets everything; how many answers that were."""
        count = len(self)
        if count:
            self._taken_notes()
            with self.storage.writing() as db:
                db.execute("DELETE FROM answers")
                db.execute("DELETE FROM deferred")
                db.execute("DELETE FROM texts")
                db.execute("UPDATE operators SET answers = 0, bytes = 0")
            self.storage.shrink()
        return count

    def forget(self, numbers: Sequence[int]) -> int:
        """Forgets the answers of these row numbers (`rows`); how many there were."""
        if not numbers:
            return 0
        count = 0
        with self.storage.writing() as db:
            self._forget_deferred(db)
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
        """Idempotent."""
        self.flush()
        self.storage.close()

    def _write(self, batches: list[_Arrived]) -> None:
        failure, (used, deferred) = None, self._taken_notes()
        try:
            with self.storage.writing() as db:
                _write_uses(db, used)
                _write_deferred(db, deferred)
                for batch in batches:
                    self._insert(db, batch)
                self._evict(db)
        except HeliumQLError as error:
            failure = error
        for batch in batches:
            batch.done, batch.failure = True, failure

    def _insert(self, db: sqlite3.Connection, batch: _Arrived) -> None:
        operator, now = operator_id(db, batch.operator), self._now()
        first = (db.execute("SELECT max(id) FROM answers").fetchone()[0] or 0) + 1
        rows, texts, size = [], [], 0
        for number, (identity, a) in enumerate(batch.answers, first):
            cost = len((a.text or "").encode()) + _OVERHEAD
            size += cost
            rows.append(
                (number, identity, operator, now, now, cost, a.finish_reason, a.prompt_tokens,
                 a.cached_tokens, a.output_tokens)
            )  # fmt: skip
            texts.append((number, a.text))
        insert = f"INSERT INTO answers VALUES ({_marks(rows[0])})"
        try:
            db.executemany(insert, rows)
        except sqlite3.IntegrityError:  # some are there: asked again, or by two at the same time
            db.execute("DELETE FROM answers WHERE id >= ?", [first])
            _delete_named(db, [identity for identity, _ in batch.answers])
            self._forget_deferred(db)
            db.executemany(insert, rows)
        db.executemany("INSERT INTO texts VALUES (?, ?)", texts)
        db.execute(
            "UPDATE operators SET answers = answers + ?, bytes = bytes + ? WHERE id = ?",
            (len(rows), size, operator),
        )

    def _taken_notes(self) -> tuple[dict[int, int], dict[bytes, bytes]]:
        """What is to be written: when answers were used, and their other names."""
        with self._arriving:
            used, self._used = self._used, {}
            deferred, self._deferred = self._deferred, {}
            return used, deferred

    def _forget_deferred(self, db: sqlite3.Connection) -> None:
        """An answer is asked for anew: what was made of the old one is not found by name."""
        with self._arriving:
            self._deferred.clear()
        db.execute(
            "UPDATE operators SET bytes = bytes - ? * (SELECT count(*) FROM deferred d"
            " JOIN answers a ON a.identity = d.final WHERE a.operator = operators.id)",
            [_DEFERRED],
        )
        db.execute(
            "UPDATE answers SET bytes = bytes - ? * (SELECT count(*) FROM deferred"
            " WHERE final = answers.identity) WHERE identity IN (SELECT final FROM deferred)",
            [_DEFERRED],
        )
        db.execute("DELETE FROM deferred")

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


def _looked_up(db: sqlite3.Connection, keys: list[bytes]) -> list[tuple[Any, ...]]:
    # Few lengths, so that SQLite keeps the prepared statements.
    length = 1 << (len(keys) - 1).bit_length()
    keys = keys + keys[:1] * (length - len(keys))
    return db.execute(
        "SELECT a.id, identity, used, text, finish_reason, prompt_tokens, cached_tokens,"
        " output_tokens FROM answers a JOIN texts t ON t.id = a.id"
        f" WHERE identity IN ({_marks(keys)})",
        keys,
    ).fetchall()


def _write_uses(db: sqlite3.Connection, used: Mapping[int, int]) -> None:
    db.executemany(
        "UPDATE answers SET used = max(used, ?) WHERE id = ?",
        [(when, number) for number, when in used.items()],
    )


def _write_deferred(db: sqlite3.Connection, finals: Mapping[bytes, bytes]) -> None:
    """Other names of answers that are there; they count as bytes of these."""
    more = []
    for identity, final in finals.items():
        insert = "INSERT OR IGNORE INTO deferred VALUES (?, ?)"
        if db.execute(insert, (identity, final)).rowcount:
            more.append((_DEFERRED, final))
        else:  # it came to another text before: as long, so it counts as much
            db.execute("UPDATE deferred SET final = ? WHERE identity = ?", (final, identity))
    db.executemany("UPDATE answers SET bytes = bytes + ? WHERE identity = ?", more)
    db.executemany(
        "UPDATE operators SET bytes = bytes + ?"
        " WHERE id = (SELECT operator FROM answers WHERE identity = ?)",
        more,
    )


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
