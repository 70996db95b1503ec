"""The first queries of the README on real vLLM with the demonstration model, and how they end.

Each program runs in a session of its own and carries a mark in its environment, by which the
processes that it leaves behind are found.
"""

from __future__ import annotations

import csv
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
SESSION = [sys.executable, str(Path(__file__).parent / "session.py")]
CLI = [sys.executable, "-m", "heliumql"]


@dataclass
class Program:
    """A running program and the mark that all its processes carry."""

    command: list[str]
    mark: str = field(default_factory=lambda: f"HELIUMQL_TEST_{secrets.token_hex(8)}")

    def __enter__(self) -> Program:
        self.process = subprocess.Popen(
            self.command,
            cwd=REPOSITORY,
            env={**os.environ, self.mark: "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.left():
            os.kill(process, signal.SIGKILL)
        self.process.wait()

    def finished(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=120)
        return self.process.returncode, out, err

    def left(self) -> list[int]:
        """The processes of this program that are still alive."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and self.mark.encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:  # it ended meanwhile, or is another user's
                continue
        return found

    def leaves_nothing(self) -> bool:
        """Processes that were told to end may take a moment to be gone."""
        until = time.monotonic() + 5
        while self.left() and time.monotonic() < until:
            time.sleep(0.05)
        return not self.left()


def test_quickstart_runs_and_leaves_nothing() -> None:
    with Program([*CLI, "run", "queries/quickstart.hql", "--format", "jsonl"]) as program:
        status, out, err = program.finished()
        assert (status, err) == (0, "")
        assert program.leaves_nothing()
    rows = [json.loads(line) for line in out.splitlines()]
    categories, topics, summaries = (
        [row for row in rows if name in row] for name in ("category", "topic", "summary")
    )
    assert len(categories) + len(topics) + len(summaries) == len(rows)
    assert list(categories[0]) == ["category", "reviews", "positive", "negative", "score", "stars"]
    assert sum(row["reviews"] for row in categories) == 24
    assert len(topics) == 5
    assert summaries
    assert all(row["summary"].strip() for row in summaries)


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    """What the larger session saw. It leaves without close()."""
    with Program(SESSION) as program:
        status, out, err = program.finished()
        assert (status, err) == (0, "")
        assert program.leaves_nothing()
    found: dict[str, Any] = json.loads(out)
    return found


def test_leaving_without_close_leaves_nothing(seen: dict[str, Any]) -> None:
    assert seen["first"]["failed"] == 0


def test_the_demo_model_reads_sentiment(seen: dict[str, Any]) -> None:
    with (REPOSITORY / "catalog" / "data" / "truth.csv").open() as file:
        truth = {row["review_id"]: row["sentiment"] for row in csv.DictReader(file)}
    rows = seen["first"]["rows"]
    right = sum(row[4] == truth[row[0]] for row in rows)
    assert len(rows) == 60
    assert right >= 0.95 * 60, f"{right} of 60"


def test_a_shared_system_message_is_found_in_the_prefix_cache(seen: dict[str, Any]) -> None:
    assert seen["first"]["prefix_hit_tokens"] > 0


def test_a_second_run_asks_nothing(seen: dict[str, Any]) -> None:
    first, again = seen["first"], seen["again"]
    assert first["run"] > 0
    assert first["cached"] == 0
    assert again["run"] == 0
    assert again["cached"] + again["shared"] == 60  # some reviews say the same
    assert again["rows"] == first["rows"]


def test_rows_are_those_of_evaluation_call_by_call(seen: dict[str, Any]) -> None:
    twelve, off = seen["twelve"], seen["off"]
    assert (twelve["run"], off["run"]) == (0, 12)
    assert twelve["rows"] == off["rows"]


def test_an_exception_of_the_program_leaves_nothing() -> None:
    with Program([*SESSION, "raise"]) as program:
        status, _, err = program.finished()
        assert status == 1
        assert err.startswith("Traceback")
        assert err.endswith("RuntimeError: as the test asked\n")
        assert program.leaves_nothing()


def test_ctrl_c_among_many_calls_ends_at_once_and_leaves_nothing() -> None:
    query = """SELECT review_id, LLM_GENERATE('Summarize this review in one line. {body}') AS said
               FROM 'catalog/data/reviews.csv' ORDER BY review_id LIMIT 200"""
    with Program([*CLI, "-c", query, "--set", "llm_batch_rows=1"]) as program:
        assert program.process.stdout is not None
        shown = [program.process.stdout.readline() for _ in range(4)]  # the model is at work
        assert len(program.left()) > 1, "the model runs in a process of its own"
        os.killpg(program.process.pid, signal.SIGINT)
        told = time.monotonic()
        status, out, err = program.finished()
        assert time.monotonic() - told < 10
        assert status == 130
        assert err == "interrupted\n"
        assert shown[0] == "review_id,said\n"
        assert len(out.splitlines()) < 197, "it was too late: all calls were through"
        assert program.leaves_nothing()
