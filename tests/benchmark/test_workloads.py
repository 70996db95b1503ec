"""The suites as plain programs ask what the suites in HQL ask: two ways to the same calls."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from started_program import python

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
    "trading_next_day": 2 * 88,
    "debate_questions": 2 * 3 * 2,
    "tables": 2 * 15,
    **{f"prefix_{mix}_map_reduce": 2 * (7 + 1) for mix in range(1, 7)},
    **{f"prefix_{mix}_debate": 2 * 3 * 2 for mix in range(1, 7)},
}


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


def one_word_more(work: Any) -> Any:
    """The workload with one word more at the end of its first item."""
    item, *items = work.items
    *calls, last = item.calls
    longer = replace(last, prompt=(*last.prompt, " more"))
    return replace(work, items=(replace(item, calls=(*calls, longer)), *items))


@pytest.mark.parametrize("name", CALLS)
def test_both_ask_the_same(name: str) -> None:
    from workloads import workload

    work = workload(name, ROWS, SCALE)
    assert sum(len(item.calls) for item in work.items) == CALLS[name]
    program, hql = asked_by_program(work), asked_by_hql(name)
    assert program == hql
    assert asked_by_program(one_word_more(work)) != hql
    assert asked_by_program(workload(name, ROWS, SCALE, seed=1)).isdisjoint(program)


def test_on_the_next_day_some_of_the_texts_are_as_they_were() -> None:
    from suites.suite import SUITES

    def bodies(suite: str, table: str) -> Any:
        rows = SUITES[suite].tables(3, SCALE, 0)[table].to_pylist()
        return {tuple(v for k, v in row.items() if k != "body"): row for row in rows}

    documents, later = (bodies(s, "documents") for s in ("trading", "trading_next_day"))
    assert documents.keys() == later.keys()
    kept = {row["analyst"] for key, row in documents.items() if later[key] == row}
    changed = {row["analyst"] for key, row in documents.items() if later[key] != row}
    assert (kept, changed) == ({"fundamentals"}, {"market", "news"})
    posts, later = (bodies(s, "posts") for s in ("trading", "trading_next_day"))
    assert sum(later[key] == row for key, row in posts.items()) == len(posts) / 3


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


def write(*arguments: object) -> subprocess.CompletedProcess[str]:
    return python("benchmark/workloads/write.py", *arguments)


def test_a_workload_is_written_to_a_file(tmp_path: Path) -> None:
    from workloads import workload

    file = tmp_path / "debate.json"
    done = write("debate", "--rows", 1, "--scale", 0.1, "--seed", 3, file)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(file.read_text("utf-8")) == json.loads(
        workload("debate", 1, 0.1, seed=3).to_json()
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["poker", "x.json"], "invalid choice: 'poker'"),
        (["debate", "--rows", "0", "x.json"], "'0' is no number of rows"),
        (["debate", "--scale", "nan", "x.json"], "'nan' is no scale"),
        (["debate", "--rows", "1", "no/such/folder/x.json"], "cannot be written: No such file"),
    ],
)
def test_what_cannot_be_written_is_said(arguments: list[str], said: str) -> None:
    done = write(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
