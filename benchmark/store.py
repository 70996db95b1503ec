"""What it costs to keep answers and to find them again.

    python benchmark/store.py [--answers 100000] [--text-bytes 1000]

A store in a file on this disk. Beside it, for scale, a plain SQLite table with one key and one text
that is asked for one key at a time.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from heliumql.calls.answers import Answer, AnswerStore
from heliumql.calls.operator import Operator
from heliumql.calls.storage import Storage

_OPERATOR = Operator(b"template".ljust(16), b"kind".ljust(32), "model", "LLM_GENERATE")
_BATCH = 1000
_THREADS = 32
_SINGLE = 100  # answers that each thread puts one by one


def per_second(count: int, work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return count / (time.perf_counter() - began)


def batches(keys: list[bytes]) -> Iterator[list[bytes]]:
    for start in range(0, len(keys), _BATCH):
        yield keys[start : start + _BATCH]


def put_in_batches(store: AnswerStore, keys: list[bytes], text: str) -> None:
    for batch in batches(keys):
        store.put({key: Answer(text) for key in batch}, _OPERATOR)


def put_one_by_one(store: AnswerStore, text: str, threads: int) -> None:
    """What engines do whose answers come one at a time, each durable before it is shown."""

    def put() -> None:
        for _ in range(_SINGLE):
            store.put({random.randbytes(16): Answer(text)}, _OPERATOR)

    working = [threading.Thread(target=put) for _ in range(threads)]
    for thread in working:
        thread.start()
    for thread in working:
        thread.join()


def look_up(store: AnswerStore, keys: list[bytes]) -> int:
    return sum(len(store.get(batch)) for batch in batches(keys))


class PlainTable:
    """One key, one text, one query a key."""

    def __init__(self, path: Path, keys: list[bytes], text: str) -> None:
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.execute("PRAGMA journal_mode = WAL").fetchall()
        self.database.execute("CREATE TABLE t (key BLOB PRIMARY KEY, text TEXT)")
        for batch in batches(keys):
            self.database.execute("BEGIN")
            self.database.executemany("INSERT INTO t VALUES (?, ?)", [(k, text) for k in batch])
            self.database.execute("COMMIT")

    def look_up(self, keys: list[bytes]) -> int:
        found = 0
        for key in keys:
            row = self.database.execute("SELECT text FROM t WHERE key = ?", [key]).fetchone()
            found += row is not None
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--answers", type=int, default=100_000)
    parser.add_argument("--text-bytes", type=int, default=1000)
    arguments = parser.parse_args()
    count, text = arguments.answers, "t" * arguments.text_bytes
    keys = [random.randbytes(16) for _ in range(count)]
    wanted, unknown = random.sample(keys, count), [random.randbytes(16) for _ in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.answers"
        with closing(AnswerStore(Storage(path))) as store:
            rows = [("look up, of an empty store", per_second(count, lambda: look_up(store, keys)))]
            putting = per_second(count, lambda: put_in_batches(store, keys, text))
            rows.append((f"put, {_BATCH:,} at a time", putting))
            found = per_second(count, lambda: look_up(store, wanted))
            missed = per_second(count, lambda: look_up(store, unknown))
        on_disk = path.stat().st_size / count
        with closing(AnswerStore(Storage(path))) as store:
            for threads in (1, _THREADS):
                alone = per_second(
                    threads * _SINGLE, lambda n=threads: put_one_by_one(store, text, n)
                )
                rows.append((f"put, one at a time, {threads} threads", alone))
        plain = PlainTable(Path(folder) / "plain.sqlite", keys, text)
        plain_found = per_second(count, lambda: plain.look_up(wanted))
        plain_missed = per_second(count, lambda: plain.look_up(unknown))
        plain.database.close()
    rows += [("look up, found", found), ("look up, not there", missed)]
    print(f"{count:,} answers of {arguments.text_bytes:,} bytes")
    for what, rate in rows:
        print(f"{what:<34} {rate:>12,.0f} a second")
    for what, ours, theirs in (
        ("found", found, plain_found),
        ("not there", missed, plain_missed),
    ):
        print(f"{what}: {ours / theirs:.1f} times as fast as key by key in a plain table")
    print(f"{on_disk:,.0f} bytes on disk an answer, {on_disk / len(text):.2f} of its text")


if __name__ == "__main__":
    main()
