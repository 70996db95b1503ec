"""The benchmark suites: what they ask, that no policy changes a row, how runs are measured."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

CALLS = {  # of two rows: documents, questions, contexts with six questions, items, stocks
    "mixed": 2 * 16,
    "map_reduce_questions": 2 * (7 + 1),  # fourteen experts, seven roles
    "map_reduce": 2 * 6 * (7 + 1),
    "debate": 2 * 6 * 3 * 2,
    "reflection": 2 * 6 * 4,
    "iterative": 2 * 6,
    "parallel": 2 * (6 * 7 + 7 + 1),
    "trading": 2 * 56,
    "trading_next_day": 2 * 56,
    "debate_questions": 2 * 3 * 2,
    "tables": 2 * 12,  # of sixteen rows three are others again, one is NULL
    **{f"prefix_{mix}_map_reduce": 2 * (7 + 1) for mix in range(1, 7)},
    **{f"prefix_{mix}_debate": 2 * 3 * 2 for mix in range(1, 7)},
}


def run(name: str, policy: str, rows: int = 2, kv: int = 1 << 20) -> Any:
    from suites import engines, runs
    from suites.suite import SUITES

    engine = engines.simulated(kv, 1)
    with runs.session(SUITES[name], engine, rows, 0.2) as con:
        return runs.run(con, SUITES[name].text(), engine, policy)


def test_every_suite_is_counted_here() -> None:
    from suites.suite import SUITES

    assert CALLS.keys() == SUITES.keys()


@pytest.mark.parametrize("name", CALLS)
def test_a_suite_asks_what_its_workflow_says(name: str) -> None:
    found = run(name, "fcfs")
    assert found.calls == CALLS[name] == len(found.record)
    assert len({asked.text for asked in found.record}) == found.calls
    assert found.output_tokens == sum(asked.max_tokens for asked in found.record)


@pytest.mark.parametrize("name", CALLS)
def test_tokens_are_counted_as_the_simulated_engine_does(name: str) -> None:
    """All but what a query says itself is made of words of four characters."""
    from suites.recording import distinct_tokens

    found = run(name, "fcfs")
    counted = sum(len(asked.tokens) for asked in found.record)
    measured = found.prompt_tokens + found.output_tokens
    tolerance = 0.35 if name == "trading" else 0.15
    assert counted == pytest.approx(measured, rel=tolerance)
    # An endless cache computes each distinct token once, and what is left of a block.
    computed = found.computed + found.output_tokens
    assert distinct_tokens(found.record) == pytest.approx(computed, rel=0.35)


@pytest.mark.parametrize("name", CALLS)
def test_rows_come_in_an_order_drawn_from_the_seed(name: str) -> None:
    from suites.suite import SUITES

    def order(seed: int) -> list[Any]:
        """What each row is about, as a number."""
        made = SUITES[name].tables(8, 0.1, seed)
        tables = ("stocks", "questions", "items", "requests", "documents")
        table = made[next(table for table in tables if table in made)]
        if name == "tables":
            subjects = table["subject"].to_pylist()
            return [subjects.index(subject) for subject in subjects]
        return table.column(0).to_pylist()

    assert order(0) != sorted(order(0))
    assert order(0) == order(0) != order(1)


def test_every_hardware_can_be_simulated() -> None:
    from suites import engines

    slots = {name: engines.simulated(1 << 16, 2, 8, name).slots for name in engines.HARDWARE}
    assert slots == {"cpu": 2 * 8, "gpu": 2 * 8}


@pytest.mark.parametrize("policy", ["cache_aware", "op_wise", "random"])
def test_no_policy_changes_a_row(policy: str) -> None:
    expected = run("debate", "fcfs")
    found = run("debate", policy, kv=4096)
    assert found.rows == expected.rows
    assert found.calls == expected.calls


def test_a_replay_asks_the_same_calls_and_none_waits() -> None:
    from suites import engines, runs
    from suites.suite import SUITES

    suite, engine = SUITES["iterative"], engines.simulated(1 << 20, 1)
    with runs.session(suite, engine, 2, 0.2) as con:
        first = runs.run(con, suite.text(), engine, "fcfs")
        again = runs.replay(con, engine, first.record, "fcfs")
    assert {a.messages for a in again.record} == {a.messages for a in first.record}
    assert again.output_tokens == first.output_tokens
    assert again.seconds < first.seconds / 2  # two chains of six calls, now twelve at once
    assert first.output_tokens / first.steps == pytest.approx(2, abs=0.1)
    assert again.output_tokens / again.steps == pytest.approx(6, abs=0.1)  # eight, then four


def test_lengths_of_answers_are_known_where_a_run_has_shown_them() -> None:
    from suites import engines, runs
    from suites.suite import SUITES

    suite, engine = SUITES["iterative"], engines.simulated(1 << 20, 1)
    with runs.session(suite, engine, 2, 0.2) as con, runs._watched() as plans:
        for _ in range(2):
            con.sql(suite.text()).fetchall()
    first, second = (plan.workload for plan in plans)
    assert not any(first.known)
    assert all(second.known)
    assert set(second.output) == {64} == {4 * tokens for tokens in first.output}


def test_an_answer_that_ends_early_ends_the_run() -> None:
    from suites import runs
    from suites.recording import RecordingEngine
    from suites.suite import SUITES

    from heliumql.engines.simulated import SimulatedEngine

    engine = RecordingEngine(SimulatedEngine({"instant": True}))  # its answers are sentences
    with (
        runs.session(SUITES["debate"], engine, 1, 1.0) as con,
        pytest.raises(RuntimeError, match="ended early"),
    ):
        runs.run(con, SUITES["debate"].text(), engine, "fcfs")


def test_texts_are_the_same_for_a_seed_and_have_their_length() -> None:
    from suites.vocabulary import text, tokens

    assert text(50, "a", 1) == text(50, "a", 1) != text(50, "a", 2)
    assert len(tokens(text(50, "a", 1))) == 50
    # between other texts too: a word begins with its blank
    around = "Said:" + text(7, "b") + "\nAnother:" + text(5, "c")
    assert len(tokens(around)) == len(tokens("Said:")) + len(tokens("\nAnother:")) + 12


def test_distinct_tokens_count_common_beginnings_once() -> None:
    from suites.recording import Asked, distinct_tokens
    from suites.vocabulary import text

    shared, first, second = (text(n, n) for n in (40, 10, 12))

    def asked(prompt: str, answer: str) -> Asked:
        return Asked((("user", prompt),), 5, answer, 0, 0, 5, "length")

    record = [asked(shared + first, text(5, "x")), asked(shared + second, text(5, "y"))]
    template = ["<|user|>", "<|end|>", "<|assistant|>"]
    apart = 10 + 12 + 2 * (len(template) - 1 + 5)
    assert distinct_tokens(record) == 1 + 40 + apart
    assert distinct_tokens(record * 2) == 1 + 40 + apart


@pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="vLLM is not installed")
def test_the_model_cuts_texts_as_counted_and_answers_in_full_length(tmp_path: Path) -> None:
    from suites import engines, runs
    from suites.suite import SUITES

    engines.make_model(tmp_path)
    suite = SUITES["reflection"]
    with engines.vllm(tmp_path, 16384, 1) as engine:
        with runs.session(suite, engine, 1, 0.1) as con:
            first = runs.run(con, suite.text(), engine, "fcfs")
            second = runs.run(con, suite.text(), engine, "random")
        engines.forget(engine, 16384, 1)
        with runs.session(suite, engine, 1, 0.1) as con:
            third = runs.run(con, suite.text(), engine, "fcfs")
    for asked in first.record:
        assert len(asked.tokens) == asked.prompt_tokens + asked.output_tokens
        assert asked.finish_reason == "length"
    assert first.rows == second.rows == third.rows
    assert second.hit_tokens > third.hit_tokens  # the first run was forgotten by then
