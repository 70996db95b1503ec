"""Statements far larger than the memory allowed: what waits is spilled and cleaned away."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from scripted_connection import Made

from heliumql.calls.minted import SpilledBatches
from heliumql.engines.engine import CallSpec
from heliumql.stats import Stats

ROWS = 100_000
ALLOWED = 1_000_000


def length(messages: list[tuple[str, str]], spec: CallSpec) -> str:
    return str(len(messages[-1][1]))


@pytest.fixture
def spilled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where files spill to in this test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_hundred_thousand_rows_pass_through_a_small_window(
    spilled: Path, scripted: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, files = [0], [0]
    append = SpilledBatches.append

    def watched(self: SpilledBatches, batch: object) -> int:
        number = append(self, batch)  # type: ignore[arg-type]
        held[0] = max(held[0], self._bytes)
        files[0] = max(files[0], sum(1 for _ in spilled.rglob("*.arrow")))
        return number

    monkeypatch.setattr(SpilledBatches, "append", watched)
    one = scripted(length, instant=True, log=False)
    one.con.set("llm_window_bytes", ALLOWED)
    relation = one.con.sql(
        f"SELECT i, LLM_GENERATE('{'x' * 100} {{i}}') AS n FROM range({ROWS}) r(i)"
    )
    expected = 0
    for batch in relation.batches():
        count = batch.num_rows
        assert batch.column("i").to_pylist() == list(range(expected, expected + count))
        assert batch.column("n").to_pylist() == [
            str(101 + len(str(i))) for i in range(expected, expected + count)
        ]
        expected += count
    assert expected == ROWS
    assert (one.con.last_stats or Stats()).calls_run == ROWS
    assert held[0] <= ALLOWED
    assert files[0] > 1
    assert list(spilled.rglob("*")) == []


def test_spilled_files_are_removed_when_the_reader_goes(spilled: Path, scripted: Made) -> None:
    one = scripted(length, instant=True, log=False)
    one.con.set("llm_window_bytes", 10_000)
    batches = one.con.sql(
        f"SELECT LLM_GENERATE('{'x' * 100} {{i}}') FROM range(9000) r(i)"
    ).batches()
    next(batches)
    assert list(spilled.rglob("*.arrow"))
    batches.close()
    assert list(spilled.rglob("*")) == []
