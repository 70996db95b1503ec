"""What becomes of measured rows: a table, files, and the exit status."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from measured.files import write
from measured.folder import made
from measured.row import Row
from progress import say
from report.tables import columns, compared, legend

from bench.chosen import Chosen
from bench.rows import common
from heliumql.cli import standard_output
from heliumql.errors import EngineError


def outcome(
    what: str,
    chosen: Chosen,
    measured: Callable[[Mapping[str, Any]], Iterator[Row]],
    folder: Path | None,
) -> int:
    """Takes the rows as they come and keeps them in files of the folder, if there is one.

    `measured` is given the fields that all rows have, and makes the rows.

    What was measured is written even where a later run fails. The exit status is 1 where one did,
    or where answers differ. Raises UsageError where the folder cannot be made.
    """
    made(folder)
    began = datetime.now(UTC)
    fields = common(chosen, began)
    rows: list[Row] = []
    try:
        for row in measured(fields):
            rows.append(row)
    # An answer that ended early, a model that could not be made, what an engine refuses, a server
    # that has died.
    except (RuntimeError, EngineError, OSError) as error:
        say(f"error: {error}")
        return 1
    finally:
        if folder is not None and rows:
            name = f"{what}-{chosen.engine}-{began:%Y%m%dT%H%M%S}"
            say(f"written: {write(folder, name, rows)}")
    if differ := sorted({f"{r.suite}: {r.system}" for r in rows if r.equal is False}):
        say(f"error: answers differ from the first system's: {', '.join(differ)}")
    return int(bool(differ))


def tabled(measured: Iterator[Row], out: TextIO) -> Iterator[Row]:
    """The rows as they come; when they are all there, the table of them is shown."""
    rows: list[Row] = []
    for row in measured:
        rows.append(row)
        yield row
    standard_output.write(f"{compared(rows)}\n\n{legend(columns(rows))}\n", out)
