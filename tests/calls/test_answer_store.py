"""The answer store: looked up, replaced, bounded, forgotten; with several threads and processes."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from heliumql.calls.answers import Answer, AnswerStore
from heliumql.calls.operator import Operator
from heliumql.calls.storage import Storage

ASK = Operator(b"ask".ljust(16), b"kind".ljust(32), "m", "LLM_GENERATE")
JUDGE = Operator(b"judge".ljust(16), b"kind".ljust(32), "n", "LLM_FILTER")


def name(number: int) -> bytes:
    return number.to_bytes(16)


def some(first: int, last: int, text: str = "x") -> dict[bytes, Answer]:
    return {name(i): Answer(f"{text}{i}", output_tokens=i) for i in range(first, last)}


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[AnswerStore]:
    path = None if request.param == "memory" else tmp_path / "x.answers"
    made = AnswerStore(Storage(path), clock=clock)
    yield made
    made.close()


def test_answers_come_back_as_they_were(store: AnswerStore) -> None:
    answers = {
        name(1): Answer("plain", None, "length", 10, 5, 3),
        name(2): Answer(""),
        name(3): Answer("ü \0 \U0001f388\n'"),
    }
    assert store.get(answers) == {}
    store.put(answers, ASK)
    assert store.get([name(4), *answers]) == answers
    assert len(store) == 3


def test_many_are_looked_up_at_once(store: AnswerStore) -> None:
    store.put(some(0, 3000), ASK)
    assert store.get(map(name, range(2000, 5000))) == some(2000, 3000)


def test_failed_calls_are_not_kept(store: AnswerStore) -> None:
    store.put({name(1): Answer(None, "boom"), name(2): Answer("good")}, ASK)
    assert store.get([name(1), name(2)]) == {name(2): Answer("good")}


def test_an_answer_is_replaced(store: AnswerStore) -> None:
    store.put(some(0, 3), ASK)
    store.put(some(1, 2, "a longer text than before "), JUDGE)
    assert store.get([name(1)])[name(1)].text == "a longer text than before 1"
    assert store.stored([ASK.template, JUDGE.template]) == {ASK.template: 2, JUDGE.template: 1}
    assert len(store) == 3


def test_answers_are_counted_by_operator(store: AnswerStore) -> None:
    assert store.stored([ASK.template]) == {}
    store.put(some(0, 5), ASK)
    store.put(some(5, 7), JUDGE)
    assert store.stored([ASK.template, b"none".ljust(16)]) == {ASK.template: 5}
    assert [(m.model, m.answers) for m in store.models()] == [("m", 5), ("n", 2)]
    assert store.stored([]) == {}


def test_the_least_recently_used_go_first(store: AnswerStore, clock: Clock) -> None:
    text = "x" * 1000
    store.put({name(i): Answer(text) for i in range(10)}, ASK)
    store.max_bytes = store.size
    clock.now += 1
    store.get([name(0), name(1)])
    clock.now += 1
    store.put({name(10): Answer(text)}, ASK)
    assert store.size <= store.max_bytes
    assert store.get(map(name, range(11))).keys() == {name(i) for i in [0, 1, *range(4, 11)]}


def test_the_bound_holds_whatever_comes(store: AnswerStore, clock: Clock) -> None:
    store.max_bytes = 50_000
    for batch in range(50):
        clock.now += 1
        store.put({name(batch * 10 + i): Answer("y" * (batch * 37 % 900)) for i in range(10)}, ASK)
        assert store.size <= 50_000
    assert store.get([name(499)])
    assert len(store) == len(store.get(map(name, range(500)))) > 40


def test_with_room_uses_are_kept_to_the_hour(store: AnswerStore, clock: Clock) -> None:
    store.put(some(0, 2), ASK)
    (first,) = store.models()
    clock.now += 60
    store.get([name(0)])
    assert store.models() == [first]
    clock.now += 3600
    store.get([name(0)])
    (later,) = store.models()
    assert later.last_used == int(clock.now * 1e6)
    assert later.newest == first.newest


def test_an_answer_larger_than_the_bound_is_not_kept(store: AnswerStore) -> None:
    store.max_bytes = 1000
    store.put({name(1): Answer("x" * 2000)}, ASK)
    assert len(store) == store.size == 0


def test_clear_and_forget(store: AnswerStore) -> None:
    assert store.clear() == 0
    store.put(some(0, 10), ASK)
    rows = [row for rows in store.rows(["a.output_tokens"]) for row in rows]
    assert store.forget([number for number, tokens in rows if tokens >= 7]) == 3
    assert store.get(map(name, range(10))) == some(0, 7)
    assert store.stored([ASK.template]) == {ASK.template: 7}
    assert store.forget([]) == 0
    assert store.clear() == 7
    assert len(store) == store.size == 0
    assert store.get([name(1)]) == {}


def test_threads_write_at_the_same_time(store: AnswerStore) -> None:
    def put(thread: int) -> None:
        for i in range(40):
            number = thread * 1000 + i
            store.put({name(number): Answer(str(number))}, ASK if i % 2 else JUDGE)
            assert store.get([name(number)])[name(number)].text == str(number)

    threads = [threading.Thread(target=put, args=[i]) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store) == 320
    assert store.stored([ASK.template, JUDGE.template]) == {ASK.template: 160, JUDGE.template: 160}


def test_what_one_process_evicts_is_gone_for_the_other(tmp_path: Path, clock: Clock) -> None:
    one, other = (AnswerStore(Storage(tmp_path / "x.answers"), 20_000, clock) for _ in range(2))
    for i in range(0, 200, 2):
        clock.now += 1
        one.put({name(i): Answer("z" * 500)}, ASK)
        other.put({name(i + 1): Answer("z" * 500)}, JUDGE)
        assert one.size == other.size <= 20_000
    assert one.get([name(198), name(199), name(0)]).keys() == {name(198), name(199)}
    assert (
        len(one)
        == len(other.get(map(name, range(200))))
        == sum(one.stored([ASK.template, JUDGE.template]).values())
    )
    one.close()
    other.close()


def test_an_answer_takes_less_than_twice_its_text_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "x.answers"
    store = AnswerStore(Storage(path))
    for batch in range(200):  # identities as they are: in no order
        store.put(
            {(7919**5 * (batch * 100 + i) % 2**128).to_bytes(16): Answer("t" * 1000)
             for i in range(100)}, ASK
        )  # fmt: skip
    assert len(store) == 20_000

    def on_disk() -> int:
        return sum(f.stat().st_size for f in tmp_path.iterdir())

    assert on_disk() < 2000 * 20_000  # the log of what was written last included
    size = store.size
    store.close()
    assert [f.name for f in tmp_path.iterdir()] == ["x.answers"]
    assert 0.9 * size < on_disk() < 1.1 * size  # what the bound counts is what the disk holds


def test_room_is_given_back_and_used_again(tmp_path: Path) -> None:
    path = tmp_path / "x.answers"
    store = AnswerStore(Storage(path), max_bytes=2_000_000)
    for i in range(0, 10_000, 100):
        store.put({name(n): Answer("t" * 1000) for n in range(i, i + 100)}, ASK)
    store.close()
    assert path.stat().st_size < 3_000_000
    store.clear()
    store.close()
    assert path.stat().st_size < 100_000


def test_what_was_put_is_there_for_another_process_at_once(tmp_path: Path) -> None:
    store = AnswerStore(Storage(tmp_path / "x.answers"))
    store.put(some(0, 3), ASK)
    other = sqlite3.connect(tmp_path / "x.answers")
    assert other.execute("SELECT text FROM texts ORDER BY id").fetchall() == [
        ("x0",), ("x1",), ("x2",)
    ]  # fmt: skip
    other.close()
    store.close()


def test_other_names_are_counted_once_and_given_back(store: AnswerStore) -> None:
    final, deferred = name(1), name(2)
    store.put({final: Answer("a")}, ASK)
    before = store.size
    for _ in range(3):
        store.names().note_deferred({deferred: final})
        store.flush()
    counted = store.size
    assert counted > before
    assert set(store.get_deferred([deferred])) == {deferred}
    store.put({final: Answer("b")}, ASK)  # asked for anew
    assert store.size == before
    assert not store.get_deferred([deferred])
