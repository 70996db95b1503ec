"""`--output` of `heliumql bench`: what cannot be a folder is told first; rows are kept."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from measured_rows import made_row
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


def test_what_was_measured_before_a_failure_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from bench.chosen import Chosen
    from bench.outcome import outcome
    from measured.files import read

    row = made_row("heliumql", 0)

    def measured(fields: Mapping[str, Any]) -> Iterator[Any]:
        yield row
        raise RuntimeError("the server has died")

    assert outcome("mixed", Chosen((), ()), measured, tmp_path) == 1
    assert "error: the server has died" in capsys.readouterr().err
    assert read(tmp_path) == [row]


def test_rows_say_of_which_commit_they_are_and_whether_it_was_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = import_module("measured.machine")
    monkeypatch.setattr(machine, "_ROOT", tmp_path)

    def git(*arguments: str) -> str:
        who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        command = ["git", "-C", str(tmp_path), *who, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "--message", "nothing")
    told = machine.machine.__wrapped__()
    assert (told["commit"], told["changed"]) == (git("rev-parse", "HEAD"), False)
    (tmp_path / "new").touch()
    assert machine.machine.__wrapped__()["changed"] is True
