"""What the command line says of itself, and to who gets it wrong."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from heliumql.cli.help import COMMANDS, OVERVIEW, help_of, version
from heliumql.cli.main import main
from heliumql.cli.parser import WIDTH

WITH_HELP = [c for c in COMMANDS if c != "help"]


@pytest.mark.parametrize("command", WITH_HELP)
def test_help_says_what_a_command_is_and_fits_80_columns(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert help_of([command]) == 0
    shown = capsys.readouterr().out
    first, blank, usage = shown.split("\n")[:3]
    assert first.endswith(".")
    assert blank == ""
    assert usage.startswith(f"usage: heliumql {command}")
    assert max(map(len, shown.split("\n"))) <= WIDTH
    assert shown.count("positional arguments") == 0
    if command != "bench":
        assert "\nexamples:\n" in shown
        assert "\nexit status:\n" in shown


@pytest.mark.parametrize("command", WITH_HELP)
def test_help_of_a_command_is_the_same_behind_it(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    help_of([command])
    asked = capsys.readouterr().out
    with suppress(SystemExit):
        main([command, "--help"])
    assert capsys.readouterr().out == asked


def test_the_overview_names_all_commands_and_fits_80_columns() -> None:
    for command in COMMANDS:
        assert f"\n  {command} " in OVERVIEW
    assert max(map(len, OVERVIEW.split("\n"))) <= WIDTH


def test_the_version_names_duckdb_and_vllm() -> None:
    assert version().startswith("heliumql 0.")
    assert "DuckDB 2." in version()
    assert "vLLM" in version()


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        ("--verison", "no option --verison", "did you mean --version?"),
        ("rnu x.hql", "no command or file 'rnu'", "did you mean heliumql run?"),
        ("help exlpain", "no command 'exlpain'", "did you mean heliumql explain?"),
        ("qqq", "no command or file 'qqq'", "commands: run, repl, explain, fmt, bench, serve,"),
        ("run --fromat csv", "no option --fromat", "did you mean --format?"),
        ("run --fromat=csv", "no option --fromat", "did you mean --format?"),
        ("run --format cvs", "--format: invalid choice: 'cvs'", "did you mean csv?"),
        ("run --format", "--format: a value is missing", "--format table|csv|json"),
        ("run -c", "-c: a value is missing", "-c SQL"),
        ("run --form csv", "no option --form", "did you mean --format?"),
        ("run a.hql b.hql", "one argument too many: 'b.hql'", "heliumql run --help"),
        ("run --version", "no option --version here", "heliumql --version"),
        ("run --dry-run=yes", "--dry-run takes no value", "heliumql run --help"),
        (
            "run --dialect Snowflake",
            "--dialect: invalid choice: 'Snowflake'",
            "did you mean snowflake?",
        ),
        ("explain --anlyze", "no option --anlyze", "did you mean --analyze?"),
        (
            "explain --format yaml",
            "--format: invalid choice: 'yaml'",
            "one of text, json, html, mermaid",
        ),
        ("fmt", "FILE is missing", "heliumql fmt FILE..."),
        ("fmt --chekc a.hql", "no option --chekc", "did you mean --check?"),
        ("bench optimalty", "no suite 'optimalty'", "did you mean optimality?"),
        ("bench optimality --most 9", "--most: invalid choice: 9", "one of 2, 3, 4"),
        ("bench optimality --seed x", "--seed: 'x' is not a whole number", ""),
        ("bench optimality --quick --most 2", "--most and --quick exclude each other", ""),
        ("bench optimality --seconds 0", "--seconds: '0' is not a number above zero", ""),
        ("serve --port 99999", "--port: '99999' is not a port: 0 to 65535", ""),
        ("serve extra", "one argument too many: 'extra'", "heliumql serve --help"),
        ("repl --init x --no-init", "--no-init and --init exclude each other", ""),
        ("repl --format nope", "--format: no mode 'nope'", "there are table, box, line"),
        ("repl a --database b", "the database is given twice", "heliumql repl DATABASE"),
    ],
)
def test_a_slip_is_told_in_a_line_with_what_to_try(
    arguments: str,
    message: str,
    hint: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments.split()) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    first, *rest = shown.err.splitlines()
    assert first.startswith(f"error: {message}")
    assert len(rest) <= 1
    if hint:
        assert rest[0].startswith(f"hint: {hint}")


def test_help_that_nobody_reads_makes_no_noise() -> None:
    """As behind `| true`: the reader has gone before anything is written."""
    with subprocess.Popen(
        [sys.executable, "-m", "heliumql", "run", "--help"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        told = process.stderr.read()
    assert told == b""
    assert process.returncode == 141
