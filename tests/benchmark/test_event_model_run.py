"""The paper's workloads on the event model: their sizes, and the script that runs policies."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmark" / "event_model"


@pytest.fixture(autouse=True)
def _on_the_path() -> Iterator[None]:
    sys.path.insert(0, str(FOLDER))
    yield
    sys.path.remove(str(FOLDER))


def test_rows_are_as_large_as_those_of_the_paper() -> None:
    from paper_workloads import SUITES, TOKENS

    rows = 100
    for name, (prompt, output, calls) in TOKENS.items():
        workload = SUITES[name](rows)
        assert len(workload) == rows * calls
        assert sum(workload.prompt) / rows == pytest.approx(prompt, rel=0.06), name
        assert sum(workload.output) / rows == pytest.approx(output, rel=0.06), name
        assert max(workload.output) <= 512
        assert all(need < call for call, needs in enumerate(workload.needs) for need in needs)
        assert all(
            workload.operator[need] < workload.operator[call]
            for call, needs in enumerate(workload.needs)
            for need in needs
        )


def test_equal_calls_are_one_where_they_are_merged() -> None:
    from paper_workloads import map_reduce_mmlu, reflection, trading

    assert len(trading(2, merge=True)) == 2 * 56
    assert len(map_reduce_mmlu(2, merge=True)) == 2 * 8
    assert len(reflection(2, merge=True)) == len(reflection(2)) == 2 * 24


def test_equal_prompts_have_equal_answers() -> None:
    from paper_workloads import trading

    workload = trading(1)
    tree = workload.tree
    assert len({tuple(tree.path(call)) for call in range(len(workload))}) == 56


def test_a_conversation_that_goes_on_begins_with_the_one_before() -> None:
    from paper_workloads import debate_mmlu

    workload = debate_mmlu(1)
    first, again = workload.tree.path(0), workload.tree.path(3)
    assert again[: len(first)] == first
    assert len(again) == len(first) + 4  # two answers, what to do with them, its own answer


def test_shuffled_rows_are_the_same_calls() -> None:
    from paper_workloads import reflection, shuffled

    workload = reflection(3)
    other = shuffled(workload)
    assert sorted(other.prompt) == sorted(workload.prompt)
    assert other.prompt != workload.prompt
    assert list(other.query) == sorted(workload.query)
    assert all(other.query[n] == other.query[c] for c, ns in enumerate(other.needs) for n in ns)


def test_the_script_prints_a_row_for_each_policy() -> None:
    arguments = ("--suites", "trading", "--batch", "1", "--policies", "query_wise,random,helium")
    run = subprocess.run(
        [sys.executable, str(FOLDER / "run.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    rows = re.findall(r"(?m)^(\w+) +([\d.]+) +(\d+)% +([\d.]+)$", run.stdout)
    seconds = {name: float(time) for name, time, _, _ in rows}
    assert list(seconds) == ["query_wise", "random", "helium", "oracle", "chain"]
    # one row: two workers have no more to do than what its chain takes, and what is beside it
    assert seconds["chain"] <= min(seconds["query_wise"], seconds["random"], seconds["helium"])
    assert seconds["oracle"] < seconds["chain"]
