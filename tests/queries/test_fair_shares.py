"""Concurrent statements share an engine: none waits for all calls of another, none overfills it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from queue import SimpleQueue

import pyarrow as pa
import pytest

import heliumql
from heliumql.connection import Connection
from heliumql.engines.engine import ANSWERS, CallSpec, Deliver
from heliumql.physical.shares import ROOM, Shares

SLOTS = 8  # so the dispatcher keeps 10 calls there
ROOM_OF_8 = 10


class SlowEngine:
    """Computes so many calls at once, each for some milliseconds; the others wait in line."""

    slots = SLOTS

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.order: list[str] = []  # prompts, as they were begun
        self.most = 0  # calls that it had at once
        self._line: list[tuple[bytes, str, Deliver]] = []
        self._inside: dict[bytes, tuple[float, Deliver]] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        with self._changed:  # statements start it at the same time
            if not self._thread.is_alive():
                self._thread.start()

    def submit(self, spec: CallSpec, requests: pa.RecordBatch, deliver: Deliver) -> None:
        with self._changed:
            for row in requests.to_pylist():
                self._line.append((row["call"], row["messages"][-1]["content"], deliver))
            self.most = max(self.most, len(self._line) + len(self._inside))
            self._changed.notify()

    def _work(self) -> None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                for call, (end, deliver) in list(self._inside.items()):
                    if end <= now:
                        del self._inside[call]
                        deliver(_answers([call], "stop"))
                while self._line and len(self._inside) < SLOTS:
                    call, prompt, deliver = self._line.pop(0)
                    self.order.append(prompt)
                    self._inside[call] = (now + self.seconds, deliver)
                ends = [end for end, _ in self._inside.values()]
                self._changed.wait(max(0.0, min(ends) - time.monotonic()) if ends else None)

    def advance(self) -> None:
        pass

    def cancel(self, calls: Sequence[bytes]) -> None:
        with self._changed:
            gone = [(c, d) for c, _, d in self._line if c in calls]
            gone += [(c, d) for c, (_, d) in self._inside.items() if c in calls]
            self._line = [one for one in self._line if one[0] not in calls]
            self._inside = {c: v for c, v in self._inside.items() if c not in calls}
            self._changed.notify()
        for call, deliver in gone:
            deliver(_answers([call], "cancelled"))

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()


def _answers(calls: list[bytes], finish: str) -> pa.RecordBatch:
    text = None if finish == "cancelled" else "ok"
    rows = [{"call": c, "text": text, "finish_reason": finish} for c in calls]
    return pa.RecordBatch.from_pylist(rows, schema=ANSWERS)


@pytest.fixture
def engine() -> SlowEngine:
    return SlowEngine(0.01)


@pytest.fixture
def con(engine: SlowEngine) -> Iterator[Connection]:
    with heliumql.connect() as connection:
        connection.register_model("slow", engine)
        yield connection


def asked(con: Connection, what: str, rows: int) -> float:
    """Runs so many calls; the seconds it took."""
    began = time.monotonic()
    text = f"SELECT LLM_GENERATE('{what} {{i}}') FROM range({rows}) r(i)"
    assert len(con.execute(text).fetchall()) == rows
    return time.monotonic() - began


def test_a_small_statement_does_not_wait_for_a_large_one(
    con: Connection, engine: SlowEngine
) -> None:
    with con.cursor() as large:
        begun = threading.Thread(target=asked, args=(large, "large", 400))
        begun.start()
        while len(engine.order) < 40:
            time.sleep(0.001)
        asked(con, "small", 10)
        begun.join()
    small = [n for n, prompt in enumerate(engine.order) if prompt.startswith("small")]
    assert len(small) == 10
    assert small[-1] - small[0] < 40  # about every second one is its own
    assert small[-1] < 390
    assert len(engine.order) == 410
    assert engine.most <= ROOM_OF_8 + 1


def test_many_statements_together_fill_the_engine_and_no_more(
    con: Connection, engine: SlowEngine
) -> None:
    cursors = [con.cursor() for _ in range(10)]
    threads = [
        threading.Thread(target=asked, args=(cursor, f"s{n}", 40))
        for n, cursor in enumerate(cursors)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for cursor in cursors:
        cursor.close()
    assert len(engine.order) == 400
    assert engine.most <= ROOM_OF_8 + len(cursors)  # each may have one call there in any case
    # All go on at the same pace: none is through before the last has done a good part.
    half = engine.order[: len(engine.order) // 2]
    counts = [sum(p.startswith(f"s{n} ") for p in half) for n in range(10)]
    assert min(counts) > 4
    assert con.shared.flights.shares.in_flight() == {}


def test_a_statement_that_nobody_reads_keeps_nothing_from_others(
    con: Connection, engine: SlowEngine
) -> None:
    with con.cursor() as other:
        relation = other.sql("SELECT LLM_GENERATE('unread {i}') FROM range(300) r(i)")
        assert relation is not None
        reading = relation.batches()
        next(reading)  # and no more: nobody drives its calls
        asked(con, "read", 100)
        assert sum(batch.num_rows for batch in reading) > 0
    assert engine.most <= ROOM_OF_8 + 1


def test_a_stopped_statement_leaves_its_room(con: Connection, engine: SlowEngine) -> None:
    with con.cursor() as large:
        relation = large.sql("SELECT LLM_GENERATE('stopped {i}') FROM range(300) r(i)")
        assert relation is not None
        reading = relation.batches()
        next(reading)
        reading.close()
        assert con.shared.flights.shares.in_flight() == {}
        assert asked(con, "after", 50) < 5


# the shares themselves --------------------------------------------------------------------

PLACE = (1, 0)


def reserved(shares: Shares, inbox: SimpleQueue[object], wanted: int, *, idle: bool = False) -> int:
    return shares.reserve(inbox, PLACE, 12, wanted, idle=idle)


def names(what: str, count: int) -> list[bytes]:
    return [f"{what}{n}".encode() for n in range(count)]


def test_alone_a_statement_has_all_the_room() -> None:
    shares, a = Shares(), SimpleQueue[object]()
    assert reserved(shares, a, 100) == 12
    shares.sent(a, PLACE, names("a", 12))
    assert reserved(shares, a, 88) == 0
    shares.over(b"a0")
    assert reserved(shares, a, 88) == 1


def test_a_newcomer_gets_what_becomes_free_up_to_its_share() -> None:
    shares, a, b = Shares(), SimpleQueue[object](), SimpleQueue[object]()
    reserved(shares, a, 100)
    shares.sent(a, PLACE, names("a", 12))
    assert reserved(shares, b, 100, idle=True) == 1  # in any case
    shares.sent(b, PLACE, names("b", 1))
    for n in range(5):
        shares.over(f"a{n}".encode())
    assert b.get_nowait() == ROOM
    assert reserved(shares, a, 88) == 0  # it has 7, more than half of 12
    assert reserved(shares, b, 99) == 4
    shares.sent(b, PLACE, names("bb", 4))
    shares.over(b"a5")
    assert reserved(shares, a, 88) == 0
    assert reserved(shares, b, 95) == 1
    shares.sent(b, PLACE, names("bbb", 1))
    shares.over(b"bb0")
    assert reserved(shares, a, 88) == 0
    assert reserved(shares, b, 94) == 1  # six each


def test_what_one_does_not_want_the_others_take() -> None:
    shares, a, b = Shares(), SimpleQueue[object](), SimpleQueue[object]()
    assert reserved(shares, b, 2) == 2
    shares.sent(b, PLACE, names("b", 2))
    assert reserved(shares, a, 100) == 10
    shares.sent(a, PLACE, names("a", 10))
    shares.over(b"b0")
    shares.over(b"b1")
    assert reserved(shares, a, 90) == 2


def test_who_does_not_ask_any_more_is_not_waited_for() -> None:
    now = [0.0]
    shares = Shares(clock=lambda: now[0])
    a, b = SimpleQueue[object](), SimpleQueue[object]()
    reserved(shares, a, 100)
    shares.sent(a, PLACE, names("a", 12))
    for n in range(12):
        shares.over(f"a{n}".encode())
    assert reserved(shares, b, 100) == 6
    shares.sent(b, PLACE, names("b", 6))
    now[0] = 1.0
    assert reserved(shares, b, 94) == 6


def test_who_leaves_keeps_no_room_but_for_calls_that_go_on() -> None:
    shares, a, b = Shares(), SimpleQueue[object](), SimpleQueue[object]()
    reserved(shares, a, 100)
    shares.sent(a, PLACE, names("a", 3))
    reserved(shares, a, 100)
    shares.leave(a)
    assert shares.in_flight() == {1: 3}
    assert reserved(shares, b, 100) == 9
    shares.sent(b, PLACE, names("b", 9))
    for n in range(3):
        shares.over(f"a{n}".encode())
    assert reserved(shares, b, 100) == 3
    shares.leave(b)
    for n in range(9):
        shares.over(f"b{n}".encode())
    assert shares.in_flight() == {}
