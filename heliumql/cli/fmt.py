"""`heliumql fmt`: files laid out anew, or statements of another dialect as HQL."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Callable
from pathlib import Path

from heliumql.cli.interrupt import Interrupts
from heliumql.cli.parser import UsageError
from heliumql.cli.report import say, say_error
from heliumql.cli.run import status_of
from heliumql.cli.scripts import as_hql, read
from heliumql.cli.standard_output import write
from heliumql.errors import HeliumQLError
from heliumql.formatting import formatted
from heliumql.source import Source


def fmt(options: argparse.Namespace, interrupts: Interrupts) -> int:
    """Lays out every file and returns the exit status: 1 where one is wrong, or would change."""
    statuses: list[int] = []
    status = status_of(lambda: statuses.extend(map(_doing(options), options.files)), interrupts)
    return status or max(statuses, default=0)


def _doing(options: argparse.Namespace) -> Callable[[str], int]:
    if options.files.count("-") > 1:
        raise UsageError("standard input is given twice")
    if options.dialect is not None and (options.check or options.diff):
        hint = "leave --check and --diff out"
        raise UsageError("--dialect only shows statements as HQL", hint=hint)
    return lambda file: _one(file, options)


def _one(file: str, options: argparse.Namespace) -> int:
    text, name = read(file)
    if options.dialect is not None:
        text, name = as_hql(text, name, options.dialect)
    try:
        laid_out = formatted(text)
    except HeliumQLError as error:
        # The other files are laid out all the same.
        say_error(str(error.with_source(Source(text, name))))
        return error.exit_status
    if options.dialect is not None:
        write(laid_out)
        return 0
    changes = laid_out != text
    if options.diff and changes:
        old, new = text.splitlines(keepends=True), laid_out.splitlines(keepends=True)
        write("".join(map(_with_end, difflib.unified_diff(old, new, name, f"{name} (laid out)"))))
    if options.check:
        if changes:
            say(f"{name} would change")
        return int(changes)
    if file == "-" and not options.diff:
        write(laid_out)
    elif changes and not options.diff:
        _write(Path(file), laid_out)
        say(f"{name} laid out")
    return 0


def _write(path: Path, text: str) -> None:
    try:
        path.write_bytes(text.encode())
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None


def _with_end(line: str) -> str:
    return line if line.endswith("\n") else line + "\n\\ No newline at end of file\n"
