"""`--output` of `heliumql bench`: what cannot be a folder is told first; rows are kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from started_program import ROOT

from heliumql.cli.main import main

SMALL = "--engine simulated --rows 1 --scale 0.05 --repeat 1"


@pytest.mark.parametrize(
    "command",
    [
        f"tables {SMALL}",
        f"ablation tables {SMALL}",
        f"sensitivity kv {SMALL}",
        f"next_day {SMALL}",
        "scale --calls 1000",
        "overhead --quick",
    ],
)
def test_a_folder_that_is_none_is_told_before_anything_is_measured(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    for folder in (file, file / "deeper"):
        assert main(["bench", *command.split(), "--output", str(folder)]) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        first, hint = shown.err.splitlines()
        assert first == f"error: --output: {file} is a file, not a folder"
        assert hint.startswith("hint: ")


def test_a_folder_that_cannot_be_made_is_told_in_words(tmp_path: Path) -> None:
    from measured.folder import made

    from heliumql.cli.parser import UsageError

    with pytest.raises(UsageError, match=r"cannot make the folder .*: file name too long"):
        made(tmp_path / ("long" * 100))


def test_a_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    from measured.folder import made

    made(None)
    made(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_what_was_measured_is_kept_though_nobody_reads_the_table(tmp_path: Path) -> None:
    small = ("--workflows", "map_reduce", "--calls", "8", "--compare-up-to", "8", "--policies")
    command = (sys.executable, "-m", "heliumql", "bench", "scale", *small, "op_wise")
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*command, "--output", tmp_path], stdout=pipe, stderr=pipe, cwd=ROOT, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        *_, last = process.stderr.read().splitlines()
    assert process.returncode == 141
    assert last.startswith(f"written: {tmp_path}")
    assert list(tmp_path.glob("scale-*.parquet"))
