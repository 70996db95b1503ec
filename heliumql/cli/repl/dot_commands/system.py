"""Commands about what is around the shell: folders, programs, the editor."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from heliumql.cli.repl.dot_commands.command import Command
from heliumql.cli.repl.entries import entries
from heliumql.cli.repl.pager import uninterrupted
from heliumql.cli.repl.preferences import CommandError

if TYPE_CHECKING:
    from heliumql.cli.repl.shell import Shell


def _echo_text(shell: Shell, words: list[str]) -> None:
    shell.screen.show(words[0] if words else "")


def _cd(shell: Shell, words: list[str]) -> None:
    try:
        os.chdir(os.path.expanduser(words[0] if words else "~"))
    except OSError as error:
        raise CommandError(f"cannot go to {words[0]}: {error.strerror}") from None
    shell.screen.dim(os.getcwd())


def _shell(shell: Shell, words: list[str]) -> None:
    sys.stdout.flush()
    with uninterrupted():
        status = subprocess.run(words[0], shell=True, check=False).returncode
    if status:
        raise CommandError(f"exit status {status}" if status > 0 else f"signal {-status}")


def _edit(shell: Shell, words: list[str]) -> None:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="heliumql-") as folder:
        file = Path(folder) / "statement.sql"
        file.write_text(shell.last_statement)
        with uninterrupted():
            command = f"{editor} {shlex.quote(str(file))}"  # it may have arguments of its own
            status = subprocess.run(command, shell=True, check=False).returncode
        if status:
            raise CommandError(f"{editor} ended with status {status}; nothing is run")
        text = file.read_text()
    for entry in entries(text):
        shell.screen.dim(entry.text)
        if not shell.run(entry):
            return


SYSTEM = (
    Command("print", ".print TEXT", "show a text", _echo_text, takes_text=True),
    Command("cd", ".cd [PATH]", "go to a folder", _cd),
    Command("shell", ".shell COMMAND", "run a command of the system", _shell, 1,
            other_names=("system",), takes_text=True),
    Command("edit", ".edit", "open the last statement in $EDITOR, and run what comes back", _edit,
            most=0),
)  # fmt: skip
