"""Where results go and in which format: one `Output` for all results of a command."""

from __future__ import annotations

import io
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from heliumql.cli.arguments import FORMATS
from heliumql.cli.formats import (
    Format,
    Sink,
    write_arrow_file,
    write_arrow_stream,
    write_csv,
    write_json,
    write_jsonl,
    write_markdown,
    write_parquet,
)
from heliumql.cli.parser import UsageError
from heliumql.cli.report import harmless
from heliumql.cli.standard_output import OutputClosedError
from heliumql.cli.table import ROWS, Look, write_table
from heliumql.errors import ExecutionError, InternalError

_STANDARD_OUTPUT = 1
_EXPLAIN = ["explain_key", "explain_value"]


@dataclass(frozen=True)
class Target:
    """What a format can be written to."""

    writes: Format
    is_text: bool = True
    holds_several: bool = False  # a file of it can hold results one after another


class Output:
    """Shows results one after another on standard output, or writes them to a file.

    `before_write` is called before anything is written (it takes the progress line away).
    """

    def __init__(
        self,
        format_name: str | None,
        path: Path | None,
        before_write: Callable[[], None] | None = None,
    ) -> None:
        terminal = path is None and os.isatty(_STANDARD_OUTPUT)
        self.path = path
        self._terminal = terminal
        self._name = format_name or _default_format(path, terminal)
        self._target = _target(self._name, path, terminal)
        self._before_write = before_write
        self._stream: io.FileIO | None = None
        self._results = 0
        if terminal and not self._target.is_text:
            raise UsageError(
                f"{self._name} is not text; a terminal cannot show it",
                hint="write it to a file with --output PATH, or pipe it into a program",
            )

    def show(self, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        """Writes one result; EXPLAIN is plain text in every text format."""
        if self._results:
            self._check_another()
        batches = _begun(batches)
        sink = _Sink(self._opened(), self._before_write)
        if self._results and self._name == "markdown":
            sink.write(b"\n")
        self._results += 1
        if schema.names == _EXPLAIN and self._target.is_text:
            for batch in batches:
                shown = "".join(f"{text}\n" for text in batch.column(1).to_pylist())
                sink.write((harmless(shown) if self._terminal else shown).encode())
        else:
            self._target.writes(schema, batches, sink)

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()

    @property
    def is_missing(self) -> bool:
        """A file was asked for, and no statement gave rows to put there."""
        return self.path is not None and self._stream is None

    def _check_another(self) -> None:
        if self._target.holds_several or (self.path is None and self._target.is_text):
            return
        place = f"a {self._name} file" if self.path else f"{self._name} output"
        raise UsageError(
            f"{place} cannot hold a second result",
            hint="run the statements one by one, each with its own --output, or use --format jsonl",
        )

    def _opened(self) -> io.FileIO:
        # Not before there is something to write: a mistake in the SQL leaves the file alone.
        if self._stream is None:
            try:
                if self.path is None:
                    self._stream = io.FileIO(_STANDARD_OUTPUT, "w", closefd=False)
                else:
                    self._stream = io.FileIO(str(self.path), "w")
            except OSError as error:
                place = self.path or "to standard output"
                raise UsageError(f"cannot write {place}: {error.strerror}") from None
        return self._stream


class _Sink(io.RawIOBase):
    """Writes whole and at once: nothing is left in a buffer when the reader goes away."""

    def __init__(self, stream: io.FileIO, before_write: Callable[[], None] | None) -> None:
        self._stream = stream
        self._before_write = before_write

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if self._before_write:
            self._before_write()
        rest = memoryview(data).cast("B")
        size = rest.nbytes
        try:
            while rest:
                rest = rest[self._stream.write(rest) :]
        except BrokenPipeError:
            raise OutputClosedError from None
        except OSError as error:
            raise ExecutionError(f"cannot write the result: {error.strerror}") from None
        return size


def _begun(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same batches, read until there is a row: an error before it leaves nothing written."""
    read: list[pa.RecordBatch] = []
    for batch in batches:
        read.append(batch)
        if batch.num_rows:
            break
    return itertools.chain(read, batches)


def _default_format(path: Path | None, terminal: bool) -> str:
    if path is None:
        return "table" if terminal else "csv"
    endings = {".ndjson": "jsonl", ".md": "markdown", ".txt": "table", ".arrows": "arrow"}
    ending = path.suffix.lower()
    return ending[1:] if ending[1:] in FORMATS else endings.get(ending, "csv")


def _target(name: str, path: Path | None, terminal: bool) -> Target:
    match name:
        case "table":
            width = shutil.get_terminal_size().columns if terminal else None
            colour = terminal and not os.environ.get("NO_COLOR")

            def table(schema: pa.Schema, batches: Iterator[pa.RecordBatch], sink: Sink) -> None:
                rows = None if width is None else ROWS
                write_table(schema, batches, sink, Look(width, colour, rows))

            return Target(table, holds_several=True)
        case "csv":
            return Target(write_csv)
        case "json":
            return Target(write_json)
        case "jsonl":
            return Target(write_jsonl, holds_several=True)
        case "markdown":
            return Target(write_markdown, holds_several=True)
        case "parquet":
            return Target(write_parquet, is_text=False)
        case "arrow":
            return Target(write_arrow_file if path else write_arrow_stream, is_text=False)
        case _:
            raise InternalError(f"no format {name!r}")
