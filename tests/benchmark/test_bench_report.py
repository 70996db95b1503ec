"""`heliumql bench report` of folders that hold no, damaged or many result files."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

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


def test_all_files_of_a_folder_are_read(tmp_path: Path) -> None:
    from measured.files import read, write

    first, second = made_row("heliumql", 0), made_row("heliumql", 1)
    write(tmp_path, "b", [second])
    write(tmp_path, "a", [first])
    assert read(tmp_path) == [first, second]


@pytest.mark.parametrize(
    "other",
    [
        {"suite": "debate"}, {"rows": 3}, {"scale": 0.5}, {"seed": 1}, {"apart": True},
        {"engine": "server"}, {"model": "other"}, {"workers": 2}, {"slots": 4},
        {"kv_tokens": 128}, {"study": "ablation"}, {"kept": True}, {"commit": "another"},
    ],
    ids=lambda other: next(iter(other)),
)  # fmt: skip
def test_other_work_and_other_code_are_not_compared(other: dict[str, Any]) -> None:
    from report.tables import groups

    one = made_row("heliumql", 0)
    changed = replace(one, **other, run="other", system="other")
    again = replace(one, run="another", turn=1)
    assert groups([one, changed, again]) == [[one, again], [changed]]


def test_one_row_is_compared_with_the_batch_of_its_run() -> None:
    from report.tables import groups

    rows = [made_row("heliumql", 0), replace(made_row("one_row", 0), rows=1)]
    assert groups(rows) == [rows]


def test_ratios_are_medians_of_the_pairs_of_a_turn() -> None:
    from report.tables import Ratios, ratios

    base = [made_row("heliumql", turn, seconds=s) for turn, s in enumerate((1.0, 2.0, 4.0))]
    mine = [made_row("raw", turn, seconds=s) for turn, s in enumerate((3.0, 2.0, 8.0, 99.0))]
    assert ratios(mine, base) == Ratios(2.0, 1.0, 3.0)
    assert ratios([replace(one, run="another") for one in mine], base) is None


def test_one_turn_with_other_answers_is_enough_to_differ() -> None:
    from report.tables import compared

    raw = [made_row("raw", 0), replace(made_row("raw", 1), equal=False), made_row("raw", 2)]
    lines = compared([made_row("heliumql", 0), *raw]).splitlines()
    assert [line.split("|")[-2].strip() for line in lines[2:4]] == ["equal", "DIFFER"]


def test_the_summary_leaves_out_systems_whose_answers_differ() -> None:
    from report.summary import summaries

    rows = [
        made_row("heliumql", 0),
        made_row("raw", 0, seconds=3.0),
        replace(made_row("lotus", 0, seconds=5.0), setting="tuned", equal=None),
        made_row("op_wise", 0, seconds=1.0),
        replace(made_row("op_wise", 1, seconds=1.0), equal=False),
        made_row("oracle", 0, seconds=1.0),
    ]
    (found,) = summaries(rows)
    assert found.ratio == {("mixed", "raw"): 1.5, ("mixed", "lotus (tuned), own prompts"): 2.5}


def test_the_summary_tells_sizes_of_a_suite_apart() -> None:
    from report.summary import summaries, table

    def pair(seconds: float, **other: Any) -> list[Any]:
        both = [made_row("heliumql", 0), made_row("raw", 0, seconds=seconds)]
        return [replace(one, run=str(seconds), **other) for one in both]

    (found,) = summaries(
        [
            *pair(3.0, commit="1" * 40),
            *pair(4.0, commit="2" * 40),
            *pair(5.0, commit="2" * 40, kv_tokens=6400),
            *pair(6.0, suite="debate"),
        ]
    )
    lines = [[c.strip() for c in line.strip("|").split("|")] for line in table(found).splitlines()]
    assert lines[2:6] == [
        ["mixed, KV 64, commit 1111111", "1.50"],
        ["mixed, KV 64, commit 2222222", "2.00"],
        ["mixed, KV 6,400, commit 2222222", "2.50"],
        ["debate", "3.00"],
    ]


def test_planning_is_a_part_of_the_gap_where_time_passes_meanwhile() -> None:
    from report.gaps import section

    rows = [
        made_row("heliumql", 0, seconds=2.0, planning_seconds=0.25),
        made_row("oracle", 0, seconds=1.0, hit_tokens=60),
        made_row("one_row", 0, seconds=1.5),
    ]

    def cells(engine: str) -> dict[str, str]:
        shown = section([replace(one, engine=engine) for one in rows]).splitlines()
        head, _, line = ([c.strip() for c in text.strip("|").split("|")] for text in shown[2:])
        return dict(zip(head, line, strict=True))

    assert cells("server").items() >= {
        "to the limit": "1.33", "gap": "+0.50", "of it planning": "0.25", "of it the rest": "+0.25",
        "prompt tokens computed, to the oracle's": "2.00",
    }.items()  # fmt: skip
    assert cells("simulated")["of it planning"] == "0.00"
    assert cells("simulated")["of it the rest"] == "+0.50"


def test_steps_are_told_beside_the_oracle_s_and_the_fewest() -> None:
    from report.gaps import section

    rows = [
        replace(made_row("heliumql", 0, engine_steps=1024), calls_run=32),
        made_row("oracle", 0, engine_steps=800),
        made_row("one_row", 0),
    ]

    def steps(**changed: Any) -> list[str]:
        shown = section([replace(one, **changed) for one in rows]).splitlines()
        return [cell.strip() for cell in shown[-1].strip("|").split("|")][-2:]

    # Two rows of mixed: 32 calls of 8 tokens that wait for none, so four rounds of eight calls.
    assert steps() == ["1.28", "32.00"]
    assert steps(slots=4) == ["1.28", "16.00"]
    assert steps(workers=2) == ["1.28", ""]
    assert steps(apart=True) == ["1.28", ""]
    assert steps(parameter="branches") == ["1.28", ""]
    assert steps(calls_run=31) == ["1.28", ""]
    assert steps(suite="mine") == ["1.28", ""]
    assert steps(engine_steps=None) == ["", ""]


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
