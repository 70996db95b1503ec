"""Every verb once on real vLLM with the demonstration model: queries/verbs.hql."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def done() -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "heliumql", "run", "queries/verbs.hql"]
    command += ["--format", "jsonl", "--stats", "json"]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=240)


@pytest.fixture(scope="module")
def rows(done: subprocess.CompletedProcess[str]) -> Sequence[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def having(rows: Sequence[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    found = [row for row in rows if column in row]
    assert found, column
    return found


def test_no_call_fails(done: subprocess.CompletedProcess[str]) -> None:
    stats = json.loads(done.stderr.splitlines()[-1])
    assert stats["calls_run"] > 100
    assert stats["calls_failed"] == 0, stats["failures"]


def test_one_label_of_each_review(rows: Sequence[dict[str, Any]]) -> None:
    found = having(rows, "sentiment")
    assert {row["sentiment"] for row in found} <= {"positive", "negative", "mixed"}
    assert sum(row["reviews"] for row in found) == 24
    stars = {row["sentiment"]: row["stars"] for row in found}
    assert stars["negative"] < stars["mixed"] < stars["positive"]


def test_all_labels_that_fit(rows: Sequence[dict[str, Any]]) -> None:
    assert {row["topic"] for row in having(rows, "topic")} <= {"price", "delivery", "support"}


def test_what_a_text_says_as_columns(rows: Sequence[dict[str, Any]]) -> None:
    found = having(rows, "liked")
    assert [row["review_id"] for row in found] == [1, 2, 3, 4, 5, 6]
    assert all(row["liked"] or row["disliked"] for row in found)
    assert all(row["stars"] in (1, 2, 3, 4, 5, None) for row in found)


def test_scores_rank(rows: Sequence[dict[str, Any]]) -> None:
    anger = [row["anger"] for row in having(rows, "anger")]
    assert len(anger) == 3
    assert anger == sorted(anger, reverse=True)
    assert all(5 < score <= 10 for score in anger)


def test_one_answer_for_each_group(rows: Sequence[dict[str, Any]]) -> None:
    found = having(rows, "complaints")
    assert len({row["category"] for row in found}) == len(found) > 2
    assert any(row["complaints"] for row in found)


def test_a_verb_about_what_another_one_found(rows: Sequence[dict[str, Any]]) -> None:
    found = having(rows, "reply")
    assert {row["label"] for row in found} <= {"grateful", "sorry"}
    assert all(row["reply"].strip() for row in found)
