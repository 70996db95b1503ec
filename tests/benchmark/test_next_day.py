"""`heliumql bench next_day`: what did not change is found in the store, and nothing else."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb
import pytest

from heliumql.cli.main import main

ROWS, SCALE = 3, 0.05
ARGUMENTS = ["--engine", "simulated", "--rows", str(ROWS), "--scale", str(SCALE), "--repeat", "2"]


@pytest.fixture(scope="module")
def days() -> Any:
    """One turn."""
    from bench.chosen import Chosen
    from bench.in_process import InProcess
    from next_day.days import SECOND, turns
    from suites import engines

    chosen = Chosen((), (), "simulated", repeat=1, rows=ROWS, scale=SCALE)
    on = InProcess(SECOND, chosen, engines.simulated(1 << 16, 1), 1 << 16)
    [found] = turns(on)
    return found


def unchanged() -> dict[str, int]:
    """By name, the calls whose texts are the same on both days, by the tables alone."""
    from suites.suite import SUITES

    yesterday, today = (
        SUITES[name].tables(ROWS, SCALE, 0) for name in ("trading", "trading_next_day")
    )
    parts: list[tuple[str, str, int]] = []  # stock, analyst, number of the text
    old = yesterday["documents"].to_pylist()
    parts += [
        (d["stock"], d["analyst"], d["part"]) for d in today["documents"].to_pylist() if d in old
    ]
    posts = yesterday["posts"].to_pylist()
    changed = {(p["stock"], p["platform"]) for p in today["posts"].to_pylist() if p not in posts}
    platforms = {(p["stock"], p["platform"]) for p in posts}
    parts += [(stock, "social", platform + 1) for stock, platform in platforms - changed]
    found: dict[str, int] = {}
    for stock, analyst, number in parts:
        found[f"note_{analyst}_{number}"] = found.get(f"note_{analyst}_{number}", 0) + 1
        others = [n for s, a, n in parts if (s, a) == (stock, analyst)]
        notes = {"fundamentals": 4, "market": 2, "news": 5, "social": 3}[analyst]
        if len(others) == notes and number == notes:  # all that the report is made of
            found[f"report_{analyst}"] = found.get(f"report_{analyst}", 0) + 1
    return found


def test_exactly_the_calls_of_unchanged_texts_are_found(days: Any) -> None:
    from next_day.reuse import by_name, reuse
    from workloads import workload

    again = reuse(days)
    assert again.complete
    named = by_name(again, workload("trading_next_day", ROWS, SCALE), days.without.record)
    assert {n.name: n.found for n in named if n.found} == unchanged()
    assert sum(unchanged().values()) == ROWS * (4 + 1 + 1) == len(again.found)
    assert all(n.unchanged == n.found and n.asked == ROWS for n in named)
    assert len(named) == 88


def test_the_second_day_has_its_own_rows_and_runs_the_rest(days: Any) -> None:
    assert days.equal
    assert list(days.second.rows) != list(days.first.rows)
    assert days.first.calls == days.without.calls == ROWS * 56
    assert days.second.calls == ROWS * 50
    assert days.second.prompt_tokens < days.without.prompt_tokens


def test_every_day_begins_with_empty_prefix_caches(days: Any) -> None:
    from next_day.days import FIRST, SECOND
    from suites import engines, runs

    for suite, found in ((FIRST, days.first), (SECOND, days.without)):
        engine = engines.simulated(1 << 16, 1)
        with runs.session(suite, engine, ROWS, SCALE) as con:
            alone = runs.run(con, suite.text(), engine, "cache_aware")
        assert (found.hit_tokens, found.seconds) == (alone.hit_tokens, alone.seconds)
    assert days.second.hit_tokens <= days.without.hit_tokens


def test_the_command_shows_both_days_and_what_was_reused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "next_day", *ARGUMENTS, "--output", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert f"Of {ROWS * 56} calls of the second day {ROWS * 6} are those" in shown
    assert f"| note_fundamentals_1 | {ROWS} | {ROWS} | {ROWS} |" in shown
    assert f"| calls run | {50 / 56:.3f} | {50 / 56:.3f} |" in shown
    systems = duckdb.execute(
        f"FROM '{tmp_path}/*.parquet' SELECT system, count(*), bool_and(equal), min(calls_run)"
        " WHERE suite = 'next_day' GROUP BY ALL ORDER BY 1"
    ).fetchall()
    assert systems == [
        ("first day", 2, True, ROWS * 56),
        ("second day", 2, True, ROWS * 50),
        ("second day without store", 2, True, ROWS * 56),
    ]
    seconds = duckdb.execute(
        f"FROM '{tmp_path}/*.parquet' SELECT median(seconds) GROUP BY system ORDER BY system"
    ).fetchall()
    ratio = seconds[1][0] / seconds[0][0]  # of virtual time: the turns are alike
    assert f"| seconds | {ratio:.3f} |" in shown


def test_a_gpu_is_simulated_too(tmp_path: Path) -> None:
    gpu = ["--hardware", "gpu", "--repeat", "1", "--output", str(tmp_path)]
    assert main(["bench", "next_day", *ARGUMENTS, *gpu]) == 0
    found = duckdb.execute(f"FROM '{tmp_path}/*.parquet' SELECT DISTINCT model, slots").fetchall()
    assert found == [("an 8B model on a GPU, simulated", 64)]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (lambda d: replace(d, second=replace(d.second, rows=())), "answers differ"),
        (lambda d: replace(d, second=d.without), "18 calls that did not change were asked again"),
        (lambda d: replace(d, second=replace(d.second, record=())), "150 that did were not"),
    ],
)
def test_what_is_wrong_with_the_second_day_is_told(
    days: Any,
    changed: Any,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = import_module("next_day.command")
    monkeypatch.setattr(command, "turns", lambda _: iter([changed(days)]))
    assert main(["bench", "next_day", *ARGUMENTS]) == 1
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("--engine server", "--engine: invalid choice: 'server'"),
        ("--engine simulated --kv-tokens half", "--kv-tokens is quarter"),
        ("--engine simulated --kv-tokens free", "--kv-tokens free is for the engine vllm"),
        ("--engine simulated --model docs", "--model is not for the engine simulated"),
        ("--hardware gpu", "--hardware is simulated, vllm has its own"),
        ("--rows 0", "--rows: '0' is not a whole number above zero"),
    ],
)
def test_wrong_usage_is_told(arguments: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    if arguments == "--hardware gpu" and importlib.util.find_spec("vllm") is None:
        told = "needs vLLM"
    assert main(["bench", "next_day", *arguments.split()]) == 2
    assert told in capsys.readouterr().err
