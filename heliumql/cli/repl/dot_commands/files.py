"""Commands about files: databases, scripts, results."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from heliumql.cli.repl.database import open_database
from heliumql.cli.repl.dot_commands.command import Command
from heliumql.cli.repl.preferences import CommandError

if TYPE_CHECKING:
    from heliumql.cli.repl.shell import Shell

_READ_ONLY = "--readonly"


def _open(shell: Shell, words: list[str]) -> None:
    files = [word for word in words if word != _READ_ONLY]
    if len(files) > 1:
        raise CommandError(".open takes one file", hint=f".open [{_READ_ONLY}] [FILE]")
    path = os.path.expanduser(files[0]) if files else ":memory:"
    read_only = _READ_ONLY in words
    before = shell.opened
    if before.read_only == read_only or not before.is_of(path):
        shell.open(open_database(path, before.settings, read_only=read_only))
        return
    shell.close()  # DuckDB has a file open for reading or for writing, not both
    try:
        opened = open_database(path, before.settings, read_only=read_only)
    except BaseException:
        shell.open(open_database(before.path, before.settings, read_only=before.read_only))
        raise
    shell.open(opened)


def _read(shell: Shell, words: list[str]) -> None:
    if not shell.run_file(Path(words[0])) and shell.preferences.bail:
        raise CommandError(f"{words[0]} was not read to its end")


def _output(shell: Shell, words: list[str]) -> None:
    shell.screen.to_file(Path(words[0]) if words else None)


def _once(shell: Shell, words: list[str]) -> None:
    shell.screen.to_file(Path(words[0]), once=True)


FILES = (
    Command("open", f".open [{_READ_ONLY}] [FILE]", "another database; without FILE in memory",
            _open, most=2),
    Command("read", ".read FILE", "run the statements and commands of a file", _read, 1),
    Command("output", ".output [FILE]", "write results to FILE; without FILE show them again",
            _output),
    Command("once", ".once FILE", "write the next result to FILE", _once, 1),
)  # fmt: skip
