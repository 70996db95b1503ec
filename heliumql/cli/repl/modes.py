"""The modes of `.mode`: how the shell writes the rows of a result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pyarrow as pa

from heliumql.cli.formats import (
    Sink,
    write_csv,
    write_json,
    write_jsonl,
    write_lines,
    write_markdown,
    write_tsv,
)
from heliumql.cli.repl.preferences import Preferences
from heliumql.cli.repl.screen import Screen
from heliumql.cli.report import harmless
from heliumql.cli.table import Look, write_table
from heliumql.errors import InternalError

# Lines of a table that is cut: its head, dots, and foot; then what is told of its calls, an empty
# line and the prompt. So the whole of it is seen at once, and needs no pager.
_BESIDE_ROWS = 12

EXPLAIN = ["explain_key", "explain_value"]

Arrivals = Iterator[pa.RecordBatch | None]  # None: the next batch takes a while
Writes = Callable[[pa.Schema, Arrivals, Sink], None]


def writer(preferences: Preferences, screen: Screen) -> Writes:
    """What writes a result in the mode of now; EXPLAIN is plain text in every mode."""
    writes = _writer(preferences, screen)

    def written(schema: pa.Schema, arrivals: Arrivals, sink: Sink) -> None:
        if schema.names == EXPLAIN:
            for batch in _batches(arrivals):
                shown = "".join(f"{text}\n" for text in batch.column(1).to_pylist())
                to_terminal = screen.interactive and not screen.in_file
                sink.write((harmless(shown) if to_terminal else shown).encode())
        else:
            writes(schema, arrivals, sink)

    return written


def _writer(preferences: Preferences, screen: Screen) -> Writes:
    null, headers = preferences.nullvalue, preferences.headers
    nothing, name = null or "", "NULL" if null is None else null
    mode = screen.file_mode or preferences.mode
    match mode:
        case "table" | "box":
            look = Look(null=name, headers=headers, rows=None)
            if screen.interactive and not screen.in_file:
                width = preferences.maxwidth or screen.width
                look = Look(width, screen.colour, null=name, headers=headers)
                if preferences.maxrows is None:
                    look = replace(look, cut=max(screen.height - _BESIDE_ROWS, 2))
                else:
                    look = replace(look, rows=preferences.maxrows or None)
            if mode == "box":  # all rows and columns
                look = Look(None, look.colour, None, null=name, headers=headers)
            return partial(write_table, look=look)
        case "line":
            return _plain(partial(write_lines, null=name))
        case "csv":
            return _plain(partial(write_csv, null=nothing, headers=headers))
        case "tsv":
            return _plain(partial(write_tsv, null=nothing, headers=headers))
        case "json":
            return _plain(write_json)
        case "jsonl":
            return _plain(write_jsonl)
        case "markdown":
            return _plain(partial(write_markdown, null=name))
    raise InternalError(f"no mode {mode!r}")


def _plain(writes: Callable[[pa.Schema, Iterator[pa.RecordBatch], Sink], None]) -> Writes:
    """A format that writes each batch as it comes, and so needs not know of pauses."""
    return lambda schema, arrivals, sink: writes(schema, _batches(arrivals), sink)


def _batches(arrivals: Arrivals) -> Iterator[pa.RecordBatch]:
    return (batch for batch in arrivals if batch is not None)
