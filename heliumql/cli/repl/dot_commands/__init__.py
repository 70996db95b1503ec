"""The dot commands: a table of small functions; `run_command` finds the one that is meant."""

from __future__ import annotations

from heliumql.cli.repl.dot_commands.catalog import CATALOG
from heliumql.cli.repl.dot_commands.command import Command, words_of
from heliumql.cli.repl.dot_commands.display import DISPLAY
from heliumql.cli.repl.dot_commands.files import FILES
from heliumql.cli.repl.dot_commands.leaving import LEAVING
from heliumql.cli.repl.dot_commands.system import SYSTEM
from heliumql.cli.repl.preferences import CommandError, near
from heliumql.cli.repl.shell import Shell

_WIDTH = 26  # of most usages


def run_command(shell: Shell, text: str) -> None:
    """Runs `.name argument ..`. Raises CommandError where there is no such command."""
    name, _, rest = text[1:].strip().partition(" ")
    if not rest:
        name = name.removesuffix(";")  # by habit
    command = _found(name)
    arguments = [rest.strip()] if command.takes_text else words_of(rest)
    if command.takes_text and not rest.strip():
        arguments = []
    if not command.least <= len(arguments) <= command.most:
        raise CommandError(f".{name} is not used like that", hint=command.usage)
    command.run(shell, arguments)


def _found(name: str) -> Command:
    command = _BY_NAME.get(name.lower())
    if command is None:
        known = [c.name for c in _ALL]
        begun = [n for n in known if name and n.startswith(name.lower())]
        if len(begun) == 1:
            return _BY_NAME[begun[0]]
        hint = f".{' or .'.join(begun)}" if begun else near(name, known, ".")
        if not begun and not hint.startswith("did"):
            hint = ".help lists the commands"
        raise CommandError(f"no command .{name}", hint=hint)
    return command


def _help(shell: Shell, words: list[str]) -> None:
    shown = sorted(_ALL, key=lambda command: command.name)
    if words:
        wanted = words[0].lower().lstrip(".")
        exact = [c for c in shown if wanted in (c.name, *c.other_names)]
        shown = exact or [c for c in shown if wanted in f"{c.usage} {c.what}".lower()]
    if not shown:
        raise CommandError(f"no command has {words[0]!r} in it", hint=".help lists all")
    shell.screen.show("\n".join(f"{c.usage:{_WIDTH}}  {c.what}" for c in shown))
    if not words:
        shell.screen.show(
            "\nAll else is SQL, and ends with a semicolon. Tab completes, Ctrl-R searches what was"
            "\ntyped, Ctrl-C stops a statement, Ctrl-X Ctrl-E opens $EDITOR, Ctrl-D leaves."
        )


_HELP = Command("help", ".help [PATTERN]", "these commands, or those with PATTERN in them", _help)

_ALL = (_HELP, *CATALOG, *DISPLAY, *FILES, *SYSTEM, *LEAVING)
_BY_NAME = {name: command for command in _ALL for name in (command.name, *command.other_names)}

COMMANDS = {c.name: (c.usage.partition(" ")[2], c.what) for c in _ALL}
"""All commands by name (without the dot): their arguments, and what they do."""
