"""The suites as plain programs ask what the suites in HQL ask: two ways to the same calls."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ROWS, SCALE = 2, 0.2
CALLS = {  # of two rows, as an agent's program makes them: nothing is shared
    "mixed": 2 * 16,
    "map_reduce_questions": 2 * (14 + 1),
    "map_reduce": 2 * 6 * (7 + 1),
    "debate": 2 * 6 * 3 * 2,
    "reflection": 2 * 6 * 4,
    "iterative": 2 * 6,
    "parallel": 2 * (6 * 7 + 7 + 1),
    "trading": 2 * 88,
}


@pytest.fixture(scope="module", autouse=True)
def _benchmark_on_the_path() -> Iterator[None]:
    sys.path.insert(0, str(ROOT / "benchmark"))
    yield
    sys.path.remove(str(ROOT / "benchmark"))


def asked_by_hql(name: str) -> set[Any]:
    from suites import engines, runs
    from suites.suite import SUITES

    engine = engines.simulated(1 << 20, 1)
    with runs.session(SUITES[name], engine, ROWS, SCALE) as con:
        record = runs.run(con, SUITES[name].text(), engine, "fcfs").record
    return {(asked.messages, asked.max_tokens, asked.text) for asked in record}


def asked_by_program(work: Any) -> set[Any]:
    """The same without an engine: the simulated one's answers are made of the messages."""
    from suites.vocabulary import text

    asked = set()
    for item in work.items:
        answers: dict[str, str] = {}
        for call in item.calls:
            messages = tuple(item.messages(call, answers))
            answers[call.name] = text(work.max_tokens, messages)
            asked.add((messages, work.max_tokens, answers[call.name]))
    return asked


@pytest.mark.parametrize("name", CALLS)
def test_both_ask_the_same(name: str) -> None:
    from workloads import workload

    work = workload(name, ROWS, SCALE)
    assert sum(len(item.calls) for item in work.items) == CALLS[name]
    program = asked_by_program(work)
    assert program == asked_by_hql(name)
    assert asked_by_program(workload(name, ROWS, SCALE, seed=1)).isdisjoint(program)


def test_every_suite_has_a_program() -> None:
    from suites.suite import SUITES
    from workloads import WORKFLOWS

    assert WORKFLOWS.keys() == SUITES.keys() == CALLS.keys()


@pytest.mark.parametrize("name", CALLS)
def test_as_json_calls_follow_their_inputs(name: str) -> None:
    from workloads import workload

    work = workload(name, ROWS, SCALE)
    written = json.loads(work.to_json())
    assert [item["item"] for item in written["items"]] == [item.name for item in work.items]
    assert len({item.name for item in work.items}) == len(work.items)
    for item in written["items"]:
        seen: set[str] = set()
        for call in item["calls"]:
            inputs = {part["answer"] for part in call["prompt"] if not isinstance(part, str)}
            inputs |= {call["history"]} - {None}
            assert inputs <= seen
            assert call["name"] not in seen
            assert call["max_tokens"] == work.max_tokens
            seen.add(call["name"])
