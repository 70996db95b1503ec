"""What becomes of measured rows: a table, files, and the exit status."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from measured.files import write
from measured.row import Row
from report.tables import compared

from heliumql.errors import EngineError


def outcome(measured: Iterator[Row], folder: Path | None, name: str) -> int:
    """Takes the rows as they come and keeps them in files of that name, if there is a folder.

    What was measured is written even where a later run fails. The exit status is 1 where one did,
    or where answers differ.
    """
    rows: list[Row] = []
    try:
        if folder is not None:  # before anything is measured in vain
            folder.mkdir(parents=True, exist_ok=True)
        for row in measured:
            rows.append(row)
    # An answer that ended early, a model that could not be made, what an engine refuses, a server
    # that has died.
    except (RuntimeError, EngineError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        if folder is not None and rows:
            say(f"written: {write(folder, name, rows)}")
    if differ := sorted({f"{r.suite}: {r.system}" for r in rows if r.equal is False}):
        print(
            f"error: answers differ from the first system's: {', '.join(differ)}", file=sys.stderr
        )
    return int(bool(differ))


def tabled(measured: Iterator[Row], out: TextIO) -> Iterator[Row]:
    """The rows as they come; when they are all there, the table of them is shown."""
    rows: list[Row] = []
    for row in measured:
        rows.append(row)
        yield row
    print(compared(rows), file=out, flush=True)


def say(line: str) -> None:
    """Progress."""
    print(line, file=sys.stderr, flush=True)
