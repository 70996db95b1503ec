"""Speeds of engines are kept beside the answers, and newer ones count most."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import heliumql
from heliumql.calls.learnt import Learnt
from heliumql.calls.storage import Storage
from heliumql.cost.event_model import Constants
from heliumql.cost.speeds import Observed, Step
from heliumql.engines.simulated import SimulatedEngine


@pytest.fixture(params=["memory", "file"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    made = Storage(None if request.param == "memory" else tmp_path / "x.answers")
    yield made
    made.close()


class Measured(SimulatedEngine):
    """An engine that says how fast it is."""

    speed_key = "m on this machine"

    def __init__(self, *observed: Observed) -> None:
        super().__init__({"instant": True})
        self.fresh = list(observed)
        self.learnt: Observed | None = None

    def start_from(self, learnt: Observed) -> None:
        self.learnt = learnt

    def calibrate(self) -> Constants:
        return Constants()

    def take_observed(self) -> Observed:
        return self.fresh.pop(0) if self.fresh else Observed()


def seen(seconds: float, steps: int = 10) -> Observed:
    return Observed().add([Step(seconds, 100, 4, 9000.0, 400.0)] * steps, calls=4, call_seconds=0.1)


def test_sums_add_up_and_are_read_again(storage: Storage) -> None:
    learnt = Learnt(storage)
    assert learnt.speeds("a") is None
    learnt.note_speeds("a", [1.0, 2.0], 1.0)
    learnt.note_speeds("b", [7.0, 7.0], 1.0)
    assert learnt.speeds("a") == (1.0, 2.0)
    learnt.note_speeds("a", [10.0, 10.0], 0.5)
    assert learnt.speeds("a") == (10.5, 11.0)
    assert Learnt(storage).speeds("b") == (7.0, 7.0)


def test_notes_that_wait_add_up_as_those_that_are_written(storage: Storage) -> None:
    learnt = Learnt(storage)
    learnt.note_speeds("a", [8.0], 1.0)
    learnt.flush()
    learnt.note_speeds("a", [2.0], 0.5)
    learnt.note_speeds("a", [1.0], 0.25)
    assert learnt.speeds("a") == ((8.0 * 0.5 + 2.0) * 0.25 + 1.0,)


def test_sums_of_another_kind_are_replaced(storage: Storage) -> None:
    learnt = Learnt(storage)
    learnt.note_speeds("a", [1.0, 2.0], 1.0)
    learnt.flush()
    learnt.note_speeds("a", [5.0], 1.0)
    assert learnt.speeds("a") == (5.0,)


def test_clear_forgets_them(storage: Storage) -> None:
    learnt = Learnt(storage)
    learnt.note_speeds("a", [1.0], 1.0)
    learnt.flush()
    learnt.note_speeds("b", [1.0], 1.0)
    learnt.clear()
    assert learnt.speeds("a") is None
    assert learnt.speeds("b") is None


def ask(path: Path, engine: Measured) -> None:
    with heliumql.connect(str(path)) as con:
        con.register_model("m", engine)
        relation = con.sql("SELECT LLM_GENERATE('hello')")
        assert relation is not None
        relation.fetchall()


def test_an_engine_starts_from_what_earlier_runs_saw(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    first = Measured(seen(0.2), seen(0.4))  # at the end of the statement, and of the connection
    ask(path, first)
    assert first.learnt is None
    assert first.fresh == []
    second = Measured()
    ask(path, second)
    assert second.learnt is not None
    expected = seen(0.2).merge(seen(0.4))
    assert second.learnt.sums == pytest.approx(expected.sums)
    third = Measured()
    ask(path, third)
    assert third.learnt == second.learnt  # which saw nothing
