"""`heliumql bench sensitivity`: what is varied really varies, and nothing else does."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from measured_rows import sql

from heliumql.cli.main import main

SIZE = ("--rows", "1", "--scale", "0.05", "--slots", "8")
VARIED = {  # values and workflows
    "batch": ("2,1", "map_reduce"),
    "branches": ("2,3", "map_reduce"),
    "rounds": ("1,3", "debate"),
    "workers": ("1,2", "map_reduce"),
    "kv": ("1/8,2", "debate,map_reduce"),
    "mixes": ("P1,4", "prefix_debate"),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    for parameter, (values, workflows) in VARIED.items():
        what = [parameter, "--values", values, "--workflows", workflows]
        arguments = [*what, *SIZE, "--systems", "heliumql,random"]
        assert main(["bench", "sensitivity", *arguments, "--output", str(folder / parameter)]) == 0
    return folder


def of(folder: Path, parameter: str, suite: str, column: str) -> list[tuple[float, Any]]:
    """A column of HeliumQL's rows by value."""
    return sql(
        folder,
        f"SELECT value, {column} FROM measured WHERE parameter = '{parameter}' AND "
        f"suite = '{suite}' AND system = 'heliumql' ORDER BY value",
    )


def test_every_value_is_run_by_every_system_with_equal_answers(results: Path) -> None:
    found = sql(
        results,
        "SELECT parameter, suite, value, list_sort(list(system)), bool_and(equal) FROM measured "
        "GROUP BY ALL",
    )
    values = {
        "batch": (1, 2), "branches": (2, 3), "rounds": (1, 3), "workers": (1, 2),
        "kv": (0.125, 2), "mixes": (1, 4),
    }  # fmt: skip
    assert {row[:3] for row in found} == {
        (parameter, suite, value)
        for parameter, (_, workflows) in VARIED.items()
        for suite in workflows.split(",")
        for value in values[parameter]
    }
    assert all(row[3:] == (["heliumql", "heliumql:random"], True) for row in found)


def test_calls_are_those_of_the_value(results: Path) -> None:
    assert of(results, "batch", "map_reduce", "calls_run") == [(1, 6 * 8), (2, 12 * 8)]
    assert of(results, "branches", "map_reduce", "calls_run") == [(2, 6 * 3), (3, 6 * 4)]
    assert of(results, "rounds", "debate", "calls_run") == [(1, 18), (3, 54)]
    assert of(results, "workers", "map_reduce", "calls_run") == [(1, 6 * 8), (2, 6 * 8)]


def test_the_machine_is_that_of_the_value(results: Path) -> None:
    assert of(results, "workers", "map_reduce", "workers") == [(1, 1), (2, 2)]
    (_, one), (_, two) = of(results, "workers", "map_reduce", "seconds")
    assert two < one
    (_, little), (_, much) = of(results, "kv", "debate", "kv_tokens")
    assert little < much
    (_, found_in_little), (_, found_in_much) = of(results, "kv", "debate", "hit_tokens")
    assert found_in_little < found_in_much
    for parameter in ("batch", "branches", "rounds"):
        (kept,) = sql(
            results,
            "SELECT count(DISTINCT kv_tokens) / count(DISTINCT suite) FROM measured "
            f"WHERE parameter = '{parameter}'",
        )
        assert kept == (1,)
    assert sql(results, "SELECT DISTINCT model FROM measured") == [
        ("an 8B model on a GPU, simulated",)
    ]


def test_every_workflow_has_a_suite_for_each_value() -> None:
    from bench.chosen import Chosen
    from sensitivity.series import DEFAULTS, WORKFLOWS, series

    for hardware in ("cpu", "gpu"):
        for parameter, values in DEFAULTS.items():
            names = WORKFLOWS[parameter]
            found = series(parameter, values, Chosen(names, (), "simulated", hardware=hardware))
            assert [one.workflow for one in found] == list(names)
            for one in found:
                assert [point.value for point in one.points] == sorted(values)
                if parameter == "batch":
                    rows = [point.chosen.rows_of(point.suite) for point in one.points]
                    assert rows == [8, 16, 32, 64, 80]
                if parameter == "mixes":
                    kind = one.workflow.removeprefix("prefix_")
                    suites = [point.suite.name for point in one.points]
                    assert suites == [f"prefix_{n}_{kind}" for n in range(1, 7)]


def test_a_mix_has_its_lengths(results: Path) -> None:
    (_, first), (_, fourth) = of(results, "mixes", "prefix_debate", "prompt_tokens / calls_run")
    assert fourth > 1.6 * first  # roles of 2048 tokens for 1024


def test_two_rounds_ask_what_the_suite_asks_and_more_go_on() -> None:
    from suites import engines, runs
    from suites.rounds import with_rounds
    from suites.suite import SUITES

    suite, engine = SUITES["debate"], engines.simulated(1 << 20, 1)
    with runs.session(suite, engine, 1, 0.05) as con:
        plain = runs.run(con, suite.text(), engine, "fcfs")
        two = runs.run(con, with_rounds(suite.text(), 2), engine, "fcfs")
        four = runs.run(con, with_rounds(suite.text(), 4), engine, "fcfs")
    assert two.rows == plain.rows
    assert {asked.messages for asked in two.record} == {asked.messages for asked in plain.record}
    lengths = sorted(len(asked.messages) for asked in four.record)
    assert lengths == sorted([2, 4, 6, 8] * 18)
    answers = {asked.text for asked in four.record}
    for asked in four.record:  # what the others said is what they answered a round before
        if len(asked.messages) == 8:
            said = asked.messages[-1][1].splitlines()[1:3]
            assert set(said) <= answers


def test_the_table_has_seconds_ratio_and_hits(capsys: pytest.CaptureFixture[str]) -> None:
    what = ["kv", "--values", "1/16,2", "--workflows", "debate", "--hardware", "cpu"]
    systems = ["--systems", "heliumql,random,oracle"]
    assert main(["bench", "sensitivity", *what, *SIZE, *systems]) == 0
    shown = capsys.readouterr().out
    section = shown.split("### kv of debate\n")[1].split("###")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    head, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert head == ["kv", "calls", "KV cache", "heliumql", "heliumql:random", "oracle"]
    assert [row[0] for row in rows] == ["1/16", "2"]
    for row in rows:
        assert re.fullmatch(r"\d+\.\d\d \(1\.00, \d+%\)", row[3])
        assert re.fullmatch(r"\d+\.\d\d \(\d\.\d\d, \d+%\)", row[4])


def test_the_report_has_a_section_for_each_series(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "report", str(results / "kv")]) == 0
    shown = capsys.readouterr().out
    assert re.findall(r"(?m)^## (kv of \w+):", shown) == ["kv of map_reduce", "kv of debate"]
    assert "Against HeliumQL" not in shown  # no suite was run
    rows = sql(
        results,
        "SELECT m.seconds / h.seconds FROM measured AS m JOIN measured AS h "
        "USING (parameter, suite, value, turn) WHERE m.system = 'heliumql:random' AND "
        "h.system = 'heliumql' AND parameter = 'kv' AND suite = 'debate' ORDER BY value",
    )
    section = shown.split("## kv of debate:")[1]
    told = re.findall(r"(?m)^\| (?:1/8|2) \|.*?\|.*?\|.*?\| [\d.]+ \(([\d.]+),", section)
    assert told == [f"{ratio:.2f}" for (ratio,) in rows]


def test_every_series_has_a_plot(results: Path, tmp_path: Path) -> None:
    if importlib.util.find_spec("matplotlib") is None:
        pytest.skip("matplotlib is not installed")
    assert main(["bench", "report", str(results / "kv"), "--output", str(tmp_path)]) == 0
    names = re.findall(r"!\[.*?\]\((.*?)\)", (tmp_path / "report.md").read_text())
    assert len(names) == 2
    for name in names:
        drawn = (tmp_path / name).read_text()
        assert drawn.count("<svg") == 1


def test_rows_of_before_are_read(results: Path, tmp_path: Path) -> None:
    from measured.files import read

    (path,) = (results / "rounds").glob("*.parquet")
    table = pyarrow.parquet.read_table(path)
    old = table.drop_columns(["parameter", "value"])
    pyarrow.parquet.write_table(old, tmp_path / "old.parquet")
    pyarrow.parquet.write_table(table.select(["suite", "system"]), tmp_path / "others.parquet")
    rows = read(tmp_path)
    assert len(rows) == table.num_rows
    assert {(row.parameter, row.value) for row in rows} == {("", None)}


def test_other_answers_are_told() -> None:
    from measured.row import Row
    from report.varied import table

    row = Row(
        "r", "", "debate", 2, 1.0, 0, False, "simulated", "m", 1, 8, 64, "heliumql", "default", 0,
        2.0, 0.0, None, 4, 4, 100, 20, 8, None, None, True, parameter="kv", value=0.25,
    )  # fmt: skip
    other = replace(row, system="other", seconds=3.0, hit_tokens=50, equal=False)
    assert "| 1/4 | 4 | 64 | 2.00 (1.00, 20%) | 3.00 (1.50, 50%, DIFFER) |" in table([row, other])
    again = replace(row, turn=1, hit_tokens=40)
    assert "| 1/4 | 4 | 64 | 2.00 (1.00, 30%) |" in table([row, again])


def test_answers_that_differ_end_in_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    in_process = import_module("bench.in_process").InProcess
    runs = in_process.runs

    def changed(on: Any) -> Iterator[tuple[int, str, Any]]:
        for turn, system, found in runs(on):
            other = system == "heliumql:random"
            yield turn, system, replace(found, rows=()) if other else found

    monkeypatch.setattr(in_process, "runs", changed)
    what = ["kv", "--values", "2", "--workflows", "debate", "--systems", "heliumql,random"]
    assert main(["bench", "sensitivity", *what, *SIZE]) == 1
    shown = capsys.readouterr()
    assert "answers differ from the first system's: debate: heliumql:random" in shown.err
    assert "DIFFER" in shown.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("bacth", "did you mean batch?"),
        ("batch --values 8,x", "--values: 'x' is not a whole number above zero"),
        ("batch --values 0", "--values: '0' is not a whole number above zero"),
        ("mixes --values 7", "--values: '7' is not a mix, 1 to 6"),
        ("kv --values 1/0", "--values: '1/0' is not a part of the working set"),
        ("batch kv --values 8", "--values are those of one parameter"),
        ("kv --workflows trading,debat", "--workflows: 'debat' is not varied by kv"),
        ("kv --systems oracle", "add heliumql"),
        ("kv --systems heliumql,one_row", "one_row is not varied"),
        ("kv --engine server", "--engine: invalid choice: 'server'"),
        ("kv --engine vllm --hardware gpu", "--hardware is simulated"),
        ("kv --kv-tokens half", "--kv-tokens is quarter, tight, all, free or a number of tokens"),
        ("kv --kv-tokens free", "--kv-tokens free is for the engine vllm"),
        ("kv --model docs", "--model is not for the engine simulated"),
    ],
)
def test_wrong_usage_is_told(arguments: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    if "vllm" in arguments and importlib.util.find_spec("vllm") is None:
        told = "needs vLLM"
    assert main(["bench", "sensitivity", *arguments.split()]) == 2
    assert told in capsys.readouterr().err
