"""Commands that end the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliumql.cli.repl.dot_commands.command import Command

if TYPE_CHECKING:
    from heliumql.cli.repl.shell import Shell


def _exit(shell: Shell, words: list[str]) -> None:
    shell.leaving = True


LEAVING = (Command("exit", ".exit", "leave, as Ctrl-D", _exit, most=0, other_names=("quit",)),)
