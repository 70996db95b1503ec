"""`heliumql bench report` of folders that hold no, damaged or many result files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from measured_rows import made_row
from started_program import ROOT

from heliumql.cli.main import main

SIZE = ("--engine", "simulated", "--rows", "1", "--scale", "0.05", "--repeat", "1")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has results in one below."""
    folder = tmp_path_factory.mktemp("results")
    assert (
        main(
            ["bench", "tables", *SIZE, "--systems", "heliumql", "--output", str(folder / "tables")]
        )
        == 0
    )
    return folder


def test_columns_that_say_nothing_are_left_out() -> None:
    from report.tables import columns, legend

    one = [made_row("heliumql", 0), made_row("heliumql:random", 0)]
    plain = ["system", "seconds", "ratio", "calls", "tokens computed", "hits", "output tokens"]
    assert columns(one) == [*plain, "answers"]
    assert "foretold" not in legend(columns(one))
    limits = columns([*one, made_row("oracle", 0), made_row("one_row", 0)])
    assert "to the limit" in limits
    assert "*to the limit*: seconds over" in legend(limits)
    turns = columns([*one, made_row("heliumql", 1, engine_cpu=1.0, foretold_seconds=1.5)])
    assert {"least", "most", "least ratio", "greatest ratio", "engine CPU", "foretold"} < set(turns)
    assert "a quarter of max_tokens" in legend(turns)


def test_the_mean_batch_is_told_of_those_whose_steps_were_counted() -> None:
    from report.tables import columns, compared

    rows = [
        made_row("heliumql", 0, output_tokens=80, engine_steps=20),
        made_row("raw", 0, output_tokens=80),
        made_row("raw", 1, output_tokens=80, engine_steps=32),
    ]
    place = columns(rows).index("mean batch")
    cells = [[c.strip() for c in line.split("|")[1:-1]] for line in compared(rows).splitlines()]
    assert [line[place] for line in cells[2:4]] == ["4.00", "2.50"]


def test_what_was_not_foretold_is_not_zero() -> None:
    from report.tables import columns, compared

    rows = [made_row("heliumql", 0, foretold_seconds=1.5), made_row("raw", 0, foretold_seconds=0.0)]
    place = columns(rows).index("foretold")
    cells = [[c.strip() for c in line.split("|")[1:-1]] for line in compared(rows).splitlines()]
    assert [line[place] for line in cells[2:4]] == ["1.50", ""]


def test_a_damaged_file_is_named(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (whole,) = (results / "tables").glob("*.parquet")
    damaged = tmp_path / whole.name
    for content in (b"", b"no Parquet", whole.read_bytes()[:-100]):
        damaged.write_bytes(content)
        assert main(["bench", "report", str(tmp_path)]) == 1
        shown = capsys.readouterr()
        assert shown.out == ""
        first, hint = shown.err.splitlines()
        assert first.startswith(f"error: {damaged} cannot be read")
        assert hint.startswith("hint: ")


def test_an_output_that_is_a_file_is_told(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (file,) = (results / "tables").glob("*.csv")
    assert main(["bench", "report", str(results / "tables"), "--output", str(file)]) == 2
    assert f"error: --output: {file} is a file, not a folder" in capsys.readouterr().err


def test_folders_below_that_have_results_are_named(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "report", str(results)]) == 2
    told = capsys.readouterr().err
    assert f"error: no result files in {results}\n" in told
    assert f"hint: folders below have some: {results / 'tables'}\n" in told


def test_a_file_in_the_place_of_the_folder_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "report", "README.md"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: README.md is no folder\nhint: ")


def test_a_reader_that_has_gone_makes_no_noise(results: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "heliumql", "bench", "report", str(results / "tables")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        told = process.stderr.read()
    assert told == b""
    assert process.returncode == 141
