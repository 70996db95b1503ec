"""Commands about what the shell shows, and how."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pyarrow as pa

from heliumql.cli.repl.dot_commands.command import Command
from heliumql.cli.repl.modes import writer
from heliumql.cli.repl.preferences import MODES, CommandError, Preferences
from heliumql.cli.repl.summary import has_calls
from heliumql.cli.report import describe

if TYPE_CHECKING:
    from heliumql.cli.repl.shell import Shell

_SHOWN_WITHOUT_VALUE = ("mode", "maxrows", "maxwidth", "nullvalue")


def _preference(name: str, usage: str, what: str) -> Command:
    """A command that changes one preference, or tells what it is."""

    def run(shell: Shell, words: list[str]) -> None:
        if words:
            _change(shell, name, words)
        else:
            shell.screen.tell(f"{name} is {dict(shell.preferences.shown())[name]}")

    return Command(name, usage, what, run)


def _change(shell: Shell, name: str, words: list[str]) -> None:
    shell.preferences = shell.preferences.with_value(name, words)
    if name == "mode":
        shell.screen.file_mode = None


def _set(shell: Shell, words: list[str]) -> None:
    if not words:
        _show(shell, [])
    else:
        _change(shell, words[0].lower(), words[1:])


def _show(shell: Shell, words: list[str]) -> None:
    shown = shell.preferences.shown()
    if shell.screen.path is not None:
        mode = shell.screen.file_mode or shell.preferences.mode
        shown.append(("output", f"{shell.screen.path} ({mode})"))
    if words:
        names = [f.name for f in fields(Preferences)] + ["output"]
        if words == ["output"] and shell.screen.path is None:
            shown.append(("output", "the screen"))
        if words[0] not in names:
            shell.preferences.with_value(words[0], [])  # says which there are
        shown = [(n, v) for n, v in shown if n == words[0]]
    width = max(len(name) for name, _ in shown)
    shell.screen.tell("\n".join(f"{name:>{width}}  {value}" for name, value in shown))


def _stats(shell: Shell, words: list[str]) -> None:
    if words:
        shell.preferences = shell.preferences.with_value("stats", words)
    elif shell.last_stats is None:
        raise CommandError("no statement has been run yet")
    elif not has_calls(shell.last_stats):
        shell.screen.show("the last statement had no calls")
    else:
        shell.screen.show(describe(shell.last_stats))
        for failure in shell.last_stats.failures:
            shell.screen.show(f"failed  {failure}")


def _last(shell: Shell, words: list[str]) -> None:
    shell.show_last()


def show_rows(shell: Shell, names: list[str], rows: list[tuple[str | None, ...]]) -> None:
    """Rows of text in the mode of now."""
    columns = [pa.array([row[i] for row in rows], pa.string()) for i in range(len(names))]
    batch = pa.RecordBatch.from_arrays(columns, names=names)
    writer(shell.preferences, shell.screen)(batch.schema, iter([batch]), shell.screen)


DISPLAY = (
    _preference("mode", f".mode [{'|'.join(MODES)}]", "how results are shown"),
    _preference("nullvalue", ".nullvalue TEXT", "what stands for NULL"),
    _preference("maxrows", ".maxrows N", "rows of a table that are shown (0: all)"),
    _preference("maxwidth", ".maxwidth N", "how wide tables are (0: as the terminal)"),
    _preference("headers", ".headers on|off", "names of columns"),
    _preference("timer", ".timer on|off", "tell how long statements without calls take"),
    _preference("pager", ".pager on|off|always", "$PAGER for results higher than the terminal"),
    _preference("progress", ".progress on|off", "how far a running statement is"),
    _preference("echo", ".echo on|off", "show what is read from files and pipes"),
    _preference("bail", ".bail on|off", "end a file or pipe at its first error"),
    Command("set", ".set [NAME VALUE]", "a setting of the shell, as .NAME VALUE", _set, most=2),
    Command("show", ".show [NAME]", "the settings of the shell", _show),
    Command("stats", ".stats [on|off]", "all about the last statement; a line after each", _stats),
    Command("last", ".last", "the last result again, in the mode of now", _last, 0, 0),
)
