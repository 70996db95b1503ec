"""`heliumql repl`: opens the shell, and feeds it with what is typed or piped."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Iterator

import duckdb

from heliumql.cli.interrupt import Interrupts
from heliumql.cli.parser import UsageError
from heliumql.cli.repl.database import open_database
from heliumql.cli.repl.entries import Entry, entries, is_complete
from heliumql.cli.repl.places import startup_files, state_folder
from heliumql.cli.repl.preferences import CommandError, Preferences
from heliumql.cli.repl.screen import Screen
from heliumql.cli.repl.shell import Shell
from heliumql.cli.report import say_error
from heliumql.cli.standard_output import READER_GONE, OutputClosedError
from heliumql.cli.values import pairs
from heliumql.errors import HeliumQLError

_INTERRUPTED = 130


def repl(options: argparse.Namespace, interrupts: Interrupts, version: str) -> int:
    """Runs the shell; the exit status."""
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    settings = pairs("--set", options.set)
    if options.model is not None:
        settings["llm_default_model"] = options.model
    if options.format is not None:
        _check_mode(options.format)
    preferences = Preferences() if interactive else Preferences(mode="csv", stats=False)
    # Ctrl-C is heard by statements; between them it is Python's.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, interrupts.handle)  # the terminal is gone
    try:
        opened = open_database(options.database, settings)
    except (HeliumQLError, duckdb.Error) as error:
        say_error(str(error))
        return getattr(error, "exit_status", 1)
    shell = Shell(opened, preferences, Screen(interactive=interactive))
    try:
        status = _run(shell, options, interrupts, version)
    except OutputClosedError:
        status = READER_GONE
    except KeyboardInterrupt:
        status = interrupts.exit_status or _INTERRUPTED
    finally:
        shell.screen.close_file()
        shell.close()
    if shell.has_abandoned:  # its thread would be waited for
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


def _run(shell: Shell, options: argparse.Namespace, interrupts: Interrupts, version: str) -> int:
    _read_startup_files(shell, options)
    if options.format is not None:
        try:
            shell.preferences = shell.preferences.with_value("mode", [options.format])
        except CommandError as error:
            raise UsageError(f"--format: {error.message}", hint=error.hint) from None
    if shell.leaving:
        return 0
    if shell.screen.interactive:
        return _typed(shell, interrupts, version)
    return _piped(shell, interrupts)


def _read_startup_files(shell: Shell, options: argparse.Namespace) -> None:
    """What is wrong in them is told, and keeps the shell from nothing."""
    if options.init is not None:
        try:
            shell.run_file(options.init)
        except CommandError as error:
            raise UsageError(f"--init: {error.message}") from None
    elif not options.no_init:
        for file in startup_files():
            try:
                shell.run_file(file)
            except CommandError as error:
                shell.screen.error(str(error))
    shell.failures = 0


def _check_mode(mode: str) -> None:
    """A mistake on the command line is told before a database is opened or made."""
    try:
        Preferences().with_value("mode", [mode])
    except CommandError as error:
        raise UsageError(f"--format: {error.message}", hint=error.hint) from None


def _typed(shell: Shell, interrupts: Interrupts, version: str) -> int:
    """Asks until Ctrl-D or `.exit`."""
    from heliumql.cli.repl.completion import HqlCompleter
    from heliumql.cli.repl.history import open_history
    from heliumql.cli.repl.typing_in import Prompt

    history, reason = open_history(state_folder())
    completers: list[HqlCompleter] = []  # that of the connection, if it has been needed

    def completer() -> HqlCompleter:
        if not completers:
            completers.append(HqlCompleter(shell.connection))
        return completers[0]

    def release() -> None:
        while completers:
            completers.pop().close()

    shell.release = release
    prompt = Prompt(history, completer)
    print(f"HeliumQL {version}, database {shell.opened.name}")
    print('".help" shows what there is, Ctrl-D leaves; statements end with ";"', flush=True)
    if reason is not None:
        shell.screen.say(f"warning: what you type is not kept: {reason}")
    while not shell.leaving and interrupts.exit_status is None:
        try:
            shell.run_typed(prompt.ask())
        except KeyboardInterrupt:
            continue  # the line is given up
        except EOFError:
            break
    return interrupts.exit_status or 0


def _piped(shell: Shell, interrupts: Interrupts) -> int:
    """Runs what comes in, entry by entry; 1 where one of them went wrong."""
    shell.run_all(_entries_of_lines(iter(sys.stdin.readline, "")), "<stdin>")
    if shell.interrupted:
        return interrupts.exit_status or _INTERRUPTED
    return 1 if shell.failures else 0


def _entries_of_lines(lines: Iterator[str]) -> Iterator[Entry]:
    """The entries of a text that comes line by line, each as soon as it is complete."""
    held, before = "", 0

    def moved(entry: Entry) -> Entry:
        return Entry(entry.text, entry.line + before, entry.is_command, entry.is_complete)

    for line in lines:
        begins = not held.strip()
        held += line
        if (";" in line or begins) and is_complete(held):
            yield from map(moved, entries(held))
            before += held.count("\n")
            held = ""
    yield from map(moved, entries(held))
