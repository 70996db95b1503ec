"""What is learnt from runs: lengths and times of an operator's answers, how often rows pass, and
how fast engines are.

The dispatcher notes calls as answers land, passes note predicates, engines are asked for their
speed; the optimizer, the scheduler and the estimates of EXPLAIN ask. It is kept beside the
answers, never in the user's database; what several processes note adds up.
"""

from __future__ import annotations

import json
import math
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from heliumql.calls.operator import Operator, operator_id
from heliumql.calls.storage import Storage

_BUCKETS_PER_DOUBLING = 4  # of lengths: a length is known to about 10 in 100
_BUFFERED = 1000  # noted calls that wait to be written


@dataclass(frozen=True)
class OperatorStats:
    """Sums over the calls that engines answered, of one operator or of all of a model."""

    calls: int
    prompt_bytes: int  # of the calls whose prompt tokens are known
    prompt_tokens: int
    output_tokens: int
    seconds: float
    lengths: tuple[tuple[int, int], ...] = ()  # buckets of output tokens in order, calls in each

    @property
    def tokens_per_byte(self) -> float | None:
        return self.prompt_tokens / self.prompt_bytes if self.prompt_bytes else None

    @property
    def mean_output_tokens(self) -> float:
        return self.output_tokens / self.calls

    @property
    def mean_seconds(self) -> float:
        """From submitting a call to its answer."""
        return self.seconds / self.calls

    def output_quantile(self, q: float) -> float:
        """Output tokens that a share `q` of the answers does not exceed, about."""
        below, wanted = 0, q * self.calls
        for bucket, calls in self.lengths:
            below += calls
            if below >= wanted:
                return _length(bucket)
        return _length(self.lengths[-1][0]) if self.lengths else self.mean_output_tokens


@dataclass
class _Noted:
    """Calls of one operator that are not written yet."""

    calls: int = 0
    prompt_bytes: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    lengths: Counter[int] = field(default_factory=Counter)

    def add(self, other: _Noted) -> None:
        self.calls += other.calls
        self.prompt_bytes += other.prompt_bytes
        self.prompt_tokens += other.prompt_tokens
        self.output_tokens += other.output_tokens
        self.seconds += other.seconds
        self.lengths.update(other.lengths)


@dataclass(frozen=True)
class _Speeds:
    """Sums that are not written yet, and the share that what is written keeps beside them."""

    sums: tuple[float, ...]
    kept: float

    def after(self, older: Sequence[float]) -> tuple[float, ...]:
        if len(older) != len(self.sums):  # of another version
            return self.sums
        return tuple(a * self.kept + b for a, b in zip(older, self.sums, strict=True))


class Learnt:
    """Statistics of one database's runs. Safe for several threads."""

    def __init__(self, storage: Storage | None = None) -> None:
        self._storage = storage or Storage()
        self._lock = threading.Lock()
        self._noted: dict[Operator, _Noted] = {}
        self._predicates: dict[bytes, tuple[int, int]] = {}
        self._orders: dict[bytes, tuple[bytes, float | None]] = {}
        self._speeds: dict[str, _Speeds] = {}
        self._waiting = 0

    def note_calls(
        self,
        operator: Operator,
        *,
        prompt_bytes: int,
        prompt_tokens: int,
        output_tokens: Sequence[int],
        seconds: float,
    ) -> None:
        """Answers of an engine, one number of output tokens each; the others are sums."""
        if not output_tokens:
            return
        with self._lock:
            noted = self._noted.setdefault(operator, _Noted())
            noted.calls += len(output_tokens)
            if prompt_tokens:  # some engines do not say; their bytes would dilute the others'
                noted.prompt_bytes += prompt_bytes
                noted.prompt_tokens += prompt_tokens
            noted.output_tokens += sum(output_tokens)
            noted.seconds += seconds
            for tokens, calls in Counter(output_tokens).items():
                noted.lengths[_bucket(tokens)] += calls
            self._waiting += len(output_tokens)
            full = self._waiting >= _BUFFERED
        if full:
            self.flush()

    def note_predicate(self, predicate: bytes, tested: int, passed: int) -> None:
        """Rows that a predicate saw, and those it let through."""
        with self._lock:
            before = self._predicates.get(predicate, (0, 0))
            self._predicates[predicate] = (before[0] + tested, before[1] + passed)

    def note_order(self, block: bytes, predicates: Sequence[bytes], rows: float | None) -> None:
        """The order in which the predicates of a block are asked, of so many expected rows."""
        with self._lock:
            self._orders[block] = (b"".join(predicates), rows)

    def note_speeds(self, key: str, sums: Sequence[float], kept: float) -> None:
        """What was seen of the speed of an engine, as sums (`Observed` in cost/speeds.py).

        Sums of earlier notes are added, `kept` times: the share with which they still count.
        """
        with self._lock:
            new = _Speeds(tuple(sums), kept)
            if key in self._speeds:
                before = self._speeds[key]
                new = _Speeds(new.after(before.sums), kept * before.kept)
            self._speeds[key] = new

    def speeds(self, key: str) -> tuple[float, ...] | None:
        """The sums that were noted under the key; None where there are none."""
        self.flush()
        with self._storage.reading() as db:
            return _speeds(db, key) if db else None

    def order(self, block: bytes) -> tuple[tuple[bytes, ...], float | None] | None:
        """The order that was noted last, and of how many rows; None where there was none."""
        self.flush()
        query = "SELECT predicates, expected FROM orders WHERE block = ?"
        with self._storage.reading() as db:
            found = db and db.execute(query, [block]).fetchone()
        if not found:
            return None
        keys = tuple(found[0][i : i + 16] for i in range(0, len(found[0]), 16))
        return keys, found[1]

    def operator(self, template: bytes) -> OperatorStats | None:
        """What is known of the calls of an operator; None where it never ran."""
        return self._stats("template = ?", template)

    def model(self, name: str) -> OperatorStats | None:
        """What is known of all calls of a model of that name."""
        return self._stats("model = ?", name)

    def selectivity(self, predicate: bytes) -> float | None:
        """The share of rows that pass, drawn a little towards a half; None where never tested."""
        tested, passed = self._predicate(predicate)
        return (passed + 1) / (tested + 2) if tested else None

    def _predicate(self, predicate: bytes) -> tuple[int, int]:
        self.flush()
        with self._storage.reading() as db:
            found = (
                db
                and db.execute(
                    "SELECT tested, passed FROM predicates WHERE predicate = ?", [predicate]
                ).fetchone()
            )
        return (found[0], found[1]) if found else (0, 0)

    def flush(self, patience: float = 0) -> bool:
        """Writes what has been noted; whether that could be done. If not, it is kept for later.

        `patience`: seconds to wait for another process.
        """
        with self._lock:
            noted, self._noted = self._noted, {}
            predicates, self._predicates = self._predicates, {}
            orders, self._orders = self._orders, {}
            speeds, self._speeds = self._speeds, {}
            self._waiting = 0
        if not noted and not predicates and not orders and not speeds:
            return True

        def write(db: sqlite3.Connection) -> None:
            for operator, sums in noted.items():
                _add(db, operator, sums)
            db.executemany(
                "INSERT INTO predicates VALUES (?, ?, ?)"
                " ON CONFLICT (predicate) DO UPDATE SET"
                " tested = tested + excluded.tested, passed = passed + excluded.passed",
                [(p, *counts) for p, counts in predicates.items()],
            )
            db.executemany(
                "INSERT OR REPLACE INTO orders VALUES (?, ?, ?)",
                [(block, *order) for block, order in orders.items()],
            )
            db.executemany(
                "INSERT OR REPLACE INTO speeds VALUES (?, ?)",
                [(k, json.dumps(s.after(_speeds(db, k) or ()))) for k, s in speeds.items()],
            )

        if self._storage.write_soon(write, patience, synced=True):
            return True
        with self._lock:
            for operator, sums in noted.items():
                self._noted.setdefault(operator, _Noted()).add(sums)
            for predicate, (tested, passed) in predicates.items():
                since = self._predicates.get(predicate, (0, 0))
                self._predicates[predicate] = (since[0] + tested, since[1] + passed)
            self._orders = {**orders, **self._orders}
            newer, self._speeds = self._speeds, speeds
        for key, noted_since in newer.items():
            self.note_speeds(key, noted_since.sums, noted_since.kept)
        return False

    def clear(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._noted, self._predicates, self._waiting = {}, {}, 0
            self._orders, self._speeds = {}, {}
        with self._storage.reading() as db:
            if db is None:
                return
        with self._storage.writing() as db:
            for table in ("lengths", "predicates", "orders", "speeds"):
                db.execute(f"DELETE FROM {table}")
            db.execute("DELETE FROM operators WHERE answers = 0")
            db.execute(
                "UPDATE operators SET calls = 0, prompt_bytes = 0, prompt_tokens = 0,"
                " output_tokens = 0, seconds = 0"
            )

    def _stats(self, condition: str, value: bytes | str) -> OperatorStats | None:
        self.flush()
        with self._storage.reading() as db:
            if db is None:
                return None
            sums = db.execute(
                "SELECT sum(calls), sum(prompt_bytes), sum(prompt_tokens), sum(output_tokens),"
                f" sum(seconds) FROM operators WHERE {condition}",
                [value],
            ).fetchone()
            if not sums[0]:
                return None
            lengths = db.execute(
                "SELECT bucket, sum(l.calls) FROM lengths l JOIN operators o ON o.id = l.operator"
                f" WHERE o.{condition} GROUP BY bucket ORDER BY bucket",
                [value],
            ).fetchall()
        known: list[Any] = [*sums, tuple(lengths)]
        return OperatorStats(*known)


def _add(db: sqlite3.Connection, operator: Operator, sums: _Noted) -> None:
    number = operator_id(db, operator)
    db.execute(
        "UPDATE operators SET calls = calls + ?, prompt_bytes = prompt_bytes + ?,"
        " prompt_tokens = prompt_tokens + ?, output_tokens = output_tokens + ?,"
        " seconds = seconds + ? WHERE id = ?",
        (sums.calls, sums.prompt_bytes, sums.prompt_tokens, sums.output_tokens, sums.seconds,
         number),
    )  # fmt: skip
    rows: Iterable[tuple[int, int, int]] = [(number, b, n) for b, n in sums.lengths.items()]
    db.executemany(
        "INSERT INTO lengths VALUES (?, ?, ?)"
        " ON CONFLICT (operator, bucket) DO UPDATE SET calls = calls + excluded.calls",
        rows,
    )


def _speeds(db: sqlite3.Connection, key: str) -> tuple[float, ...] | None:
    found = db.execute("SELECT sums FROM speeds WHERE key = ?", [key]).fetchone()
    return tuple(json.loads(found[0])) if found else None


def _bucket(tokens: int) -> int:
    """The bucket of a length; -1 for an empty answer."""
    return -1 if tokens < 1 else round(_BUCKETS_PER_DOUBLING * math.log2(tokens))


def _length(bucket: int) -> float:
    """The length in the middle of a bucket."""
    return 0.0 if bucket < 0 else float(2 ** (bucket / _BUCKETS_PER_DOUBLING))
