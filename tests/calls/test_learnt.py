"""What is learnt from runs adds up, over calls, connections and processes, and is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import heliumql
from heliumql.calls.answers import Answer, AnswerStore
from heliumql.calls.learnt import Learnt
from heliumql.calls.operator import Operator
from heliumql.calls.storage import Storage
from heliumql.engines.simulated import ScriptedAnswer, SimulatedEngine

ASK = Operator(b"ask".ljust(16), b"kind".ljust(32), "m", "LLM_GENERATE")
JUDGE = Operator(b"judge".ljust(16), b"kind".ljust(32), "m", "LLM_FILTER")


@pytest.fixture(params=["memory", "file"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    made = Storage(None if request.param == "memory" else tmp_path / "x.answers")
    yield made
    made.close()


def note(
    learnt: Learnt, operator: Operator, lengths: list[int], size: int = 100, tokens: int = 25
) -> None:
    """Calls of such lengths, each of two seconds and with a prompt of `size` bytes."""
    learnt.note_calls(
        operator,
        prompt_bytes=size * len(lengths),
        prompt_tokens=tokens * len(lengths),
        output_tokens=lengths,
        seconds=2.0 * len(lengths),
    )


def test_nothing_is_known_of_what_never_ran(storage: Storage) -> None:
    learnt = Learnt(storage)
    assert learnt.operator(ASK.template) is None
    assert learnt.model("m") is None
    assert learnt.selectivity(b"p") is None
    note(learnt, ASK, [])
    learnt.clear()
    assert learnt.operator(ASK.template) is None


def test_calls_add_up_by_operator_and_by_model(storage: Storage) -> None:
    learnt = Learnt(storage)
    note(learnt, ASK, [10, 20, 30])
    note(learnt, ASK, [40])
    note(learnt, JUDGE, [1, 1], size=400, tokens=200)
    ask, both = learnt.operator(ASK.template), learnt.model("m")
    assert ask is not None
    assert both is not None
    assert (ask.calls, ask.prompt_bytes, ask.prompt_tokens, ask.output_tokens) == (4, 400, 100, 100)
    assert (ask.tokens_per_byte, ask.mean_output_tokens, ask.mean_seconds) == (0.25, 25, 2.0)
    assert (both.calls, both.prompt_tokens, both.output_tokens) == (6, 500, 102)


def test_quantiles_are_near_the_true_ones(storage: Storage) -> None:
    learnt = Learnt(storage)
    note(learnt, ASK, list(range(1, 1001)))
    stats = learnt.operator(ASK.template)
    assert stats is not None
    for q in (0.1, 0.5, 0.9, 0.99, 1.0):
        assert stats.output_quantile(q) == pytest.approx(1000 * q, rel=0.1)
    assert stats.output_quantile(0) == 1
    note(learnt, JUDGE, [0, 0, 0, 7])
    judge = learnt.operator(JUDGE.template)
    assert judge is not None
    assert judge.output_quantile(0.5) == 0
    assert judge.output_quantile(0.9) == pytest.approx(7, rel=0.1)


def test_prompts_whose_tokens_are_unknown_do_not_count(storage: Storage) -> None:
    learnt = Learnt(storage)
    note(learnt, ASK, [5], tokens=0)
    stats = learnt.operator(ASK.template)
    assert stats is not None
    assert stats.tokens_per_byte is None
    note(learnt, ASK, [5])
    stats = learnt.operator(ASK.template)
    assert stats is not None
    assert stats.tokens_per_byte == 0.25


def test_selectivity_is_drawn_towards_a_half(storage: Storage) -> None:
    learnt = Learnt(storage)
    learnt.note_predicate(b"p", 8, 2)
    assert learnt.selectivity(b"p") == 3 / 10
    learnt.note_predicate(b"p", 90, 17)
    assert learnt.selectivity(b"p") == 20 / 100
    learnt.note_predicate(b"q", 0, 0)
    assert learnt.selectivity(b"q") is None


def test_it_outlives_the_connection_and_adds_up(tmp_path: Path) -> None:
    storages = [Storage(tmp_path / "x.answers") for _ in range(2)]
    one, other = map(Learnt, storages)
    for _ in range(20):
        note(one, ASK, [10, 10])
        one.note_predicate(b"p", 1, 1)
        one.flush()
        note(other, ASK, [30])
        other.note_predicate(b"p", 1, 0)
        other.flush()
    for storage in storages:
        storage.close()
    stats = Learnt(storages[0]).operator(ASK.template)
    assert stats is not None
    assert (stats.calls, stats.output_tokens) == (60, 1000)
    assert Learnt(storages[1]).selectivity(b"p") == 21 / 42
    for storage in storages:
        storage.close()


def test_many_notes_are_written_without_being_told_to(tmp_path: Path) -> None:
    storage, other = Storage(tmp_path / "x.answers"), Storage(tmp_path / "x.answers")
    learnt = Learnt(storage)
    for _ in range(1500):
        note(learnt, ASK, [1])
    stats = Learnt(other).operator(ASK.template)
    assert stats is not None
    assert stats.calls >= 1000
    storage.close()
    other.close()


def test_clear_leaves_the_answers(storage: Storage) -> None:
    learnt, store = Learnt(storage), AnswerStore(storage)
    store.put({b"a" * 16: Answer("x")}, ASK)
    note(learnt, ASK, [1])
    note(learnt, JUDGE, [1])
    learnt.note_predicate(b"p", 1, 1)
    learnt.clear()
    assert learnt.operator(ASK.template) is learnt.model("m") is learnt.selectivity(b"p") is None
    assert store.stored([ASK.template]) == {ASK.template: 1}
    note(learnt, ASK, [4])
    stats = learnt.operator(ASK.template)
    assert stats is not None
    assert (stats.calls, stats.lengths) == (1, ((8, 1),))


def test_a_run_is_noted_once_and_clear_cache_forgets_it(tmp_path: Path) -> None:
    engine = SimulatedEngine(
        {"engine": "simulated"}, lambda messages, spec: ScriptedAnswer("ok", output_tokens=7)
    )
    path = tmp_path / "my.duckdb"
    sql = "SELECT LLM_GENERATE('number {i}') FROM range(10) t(i)"
    for _ in range(2):  # the second time the answers come from the store
        with heliumql.connect(path) as con:
            con.register_model("m", engine, model="mine")
            assert len(con.execute(sql).fetchall()) == 10
            stats = con._session.shared.learnt.model("m")
            assert stats is not None
            assert (stats.calls, stats.mean_output_tokens) == (10, 7)
            assert stats.prompt_bytes == 10 * len("number 0")
            assert stats.tokens_per_byte is not None
    with heliumql.connect(path) as con:
        con.execute("CLEAR CACHE WHERE true")
        assert con._session.shared.learnt.model("m") is not None
        con.execute("CLEAR CACHE")
        assert con._session.shared.learnt.model("m") is None


def test_failed_calls_teach_nothing(tmp_path: Path) -> None:
    engine = SimulatedEngine(
        {"engine": "simulated"}, lambda messages, spec: ScriptedAnswer(error="boom")
    )
    with heliumql.connect(tmp_path / "my.duckdb") as con:
        con.register_model("m", engine)
        assert con.execute("SELECT LLM_GENERATE('hi')").fetchall() == [(None,)]
        assert con._session.shared.learnt.model("m") is None
        assert con.execute("SHOW CACHE").fetchall()[0][1] == 0
