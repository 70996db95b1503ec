"""Whoever reads standard output leaves early, or the disk is full: no traces of HeliumQL's own."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest
from cli_program import PROGRAM, environment

QUERY = "CREATE TEMP MODEL m WITH (engine = 'simulated'); SELECT LLM_GENERATE('hello')"
COMMANDS = [
    ("--help",),
    ("help", "run"),
    ("run", "-c", QUERY),
    ("run", "-c", QUERY, "--dry-run"),
    ("explain", "-c", QUERY),
    ("explain", "-c", QUERY, "--stages"),
    ("fmt", "--diff", "FILE"),
    ("bench",),
    ("bench", "debate", "--engine", "simulated", "--quick"),
    ("bench", "ablation", "debate", "--engine", "simulated", "--rows", "1", "--scale", "0.05"),
]


def started(
    command: tuple[str, ...], folder: Path, out: int, *, buffered: bool
) -> subprocess.Popen[bytes]:
    file = folder / "a.hql"
    file.write_text("select   1;")
    words = [str(file) if word == "FILE" else word for word in command]
    variables = environment({})
    variables.pop("PYTHONUNBUFFERED", None)
    if not buffered:
        variables["PYTHONUNBUFFERED"] = "1"
    return subprocess.Popen([*PROGRAM, *words], stdout=out, stderr=subprocess.PIPE, env=variables)


def told(program: subprocess.Popen[bytes]) -> str:
    """What standard error says but of how far things are."""
    assert program.stderr is not None
    lines = program.stderr.read().decode().splitlines()
    return "\n".join(line for line in lines if not line.startswith("a small part: "))


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_whose_reader_has_gone_ends_quietly(
    command: tuple[str, ...], buffered: bool, tmp_path: Path
) -> None:
    with started(command, tmp_path, subprocess.PIPE, buffered=buffered) as program:
        assert program.stdout is not None
        program.stdout.close()
        assert told(program) == ""
    assert program.returncode == 128 + signal.SIGPIPE


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_full_disk_is_one_line(command: tuple[str, ...], tmp_path: Path) -> None:
    with (
        Path("/dev/full").open("wb") as full,
        started(command, tmp_path, full.fileno(), buffered=True) as program,
    ):
        assert told(program) == "error: cannot write the result: No space left on device"
    assert program.returncode == 1
