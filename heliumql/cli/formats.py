"""The formats of results: one function each, from Arrow batches to bytes; `output.py` picks one.

Text formats write and flush each batch as it comes, so rows show while calls still run.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from heliumql.cli.rendering import Renderer, csv_header
from heliumql.source import display_width


class Sink(Protocol):
    """Takes bytes: a file, a pipe, a buffer."""

    def write(self, data: bytes, /) -> int | None: ...


Format = Callable[[pa.Schema, Iterator[pa.RecordBatch], Sink], None]


def write_csv(
    schema: pa.Schema,
    batches: Iterator[pa.RecordBatch],
    sink: Sink,
    *,
    null: str = "",
    headers: bool = True,
) -> None:
    with Renderer(schema) as renderer:
        if headers:
            sink.write(csv_header(renderer.names).encode())
        for batch in batches:
            sink.write(renderer.csv_lines(batch, null).encode())


def write_tsv(
    schema: pa.Schema,
    batches: Iterator[pa.RecordBatch],
    sink: Sink,
    *,
    null: str = "",
    headers: bool = True,
) -> None:
    """Values with tabs between; tabs and newlines in them are spelt, so each row is one line."""
    with Renderer(schema) as renderer:
        if headers:
            sink.write(_tabbed(renderer.names, null).encode())
        for batch in batches:
            sink.write("".join(_tabbed(row, null) for row in renderer.cells(batch)).encode())


def write_lines(
    schema: pa.Schema, batches: Iterator[pa.RecordBatch], sink: Sink, *, null: str = "NULL"
) -> None:
    """`name = value`, a line each, the names right-aligned, an empty line between rows."""
    with Renderer(schema) as renderer:
        names = [visible(name) for name in renderer.names]
        width = max(map(display_width, names), default=0)
        starts = [" " * (width - display_width(name)) + name + " = " for name in names]
        separator = ""
        for batch in batches:
            for row in renderer.cells(batch):
                values = (null if c is None else _readable(c, width + 3) for c in row)
                lines = "".join(f"{s}{v}\n" for s, v in zip(starts, values, strict=True))
                sink.write((separator + lines).encode())
                separator = "\n"


def write_jsonl(schema: pa.Schema, batches: Iterator[pa.RecordBatch], sink: Sink) -> None:
    """One object a line."""
    with Renderer(schema) as renderer:
        for batch in batches:
            sink.write(renderer.json_objects(batch, "\n").encode())


def write_json(schema: pa.Schema, batches: Iterator[pa.RecordBatch], sink: Sink) -> None:
    """One array of objects."""
    separator, opening = ",\n", "[\n"
    with Renderer(schema) as renderer:
        for batch in batches:
            if batch.num_rows:
                objects = renderer.json_objects(batch, separator)[: -len(separator)]
                sink.write((opening + objects).encode())
                opening = separator
    sink.write(b"\n]\n" if opening == separator else b"[]\n")


def write_markdown(
    schema: pa.Schema, batches: Iterator[pa.RecordBatch], sink: Sink, *, null: str = "NULL"
) -> None:
    """A table of GitHub's Markdown; numbers stand at the right."""
    with Renderer(schema) as renderer:
        marks = ["---:" if renderer.is_number(i) else "---" for i in range(len(schema))]
        sink.write((_markdown_row(renderer.names, null) + _markdown_row(marks, null)).encode())
        for batch in batches:
            rows = (_markdown_row(row, null) for row in renderer.cells(batch))
            sink.write("".join(rows).encode())


def write_arrow_stream(schema: pa.Schema, batches: Iterator[pa.RecordBatch], sink: Sink) -> None:
    with pa.ipc.new_stream(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def write_arrow_file(schema: pa.Schema, batches: Iterator[pa.RecordBatch], sink: Sink) -> None:
    with pa.ipc.new_file(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def write_parquet(schema: pa.Schema, batches: Iterator[pa.RecordBatch], sink: Sink) -> None:
    """Parquet as DuckDB writes it, made in a temporary file (a footer cannot be streamed into)."""
    import duckdb

    failures: list[BaseException] = []

    def remembered() -> Iterator[pa.RecordBatch]:
        # An error that passes through DuckDB would come out as text of another error.
        try:
            yield from batches
        except BaseException as error:
            failures.append(error)
            raise

    with tempfile.TemporaryDirectory(prefix="heliumql-") as folder:
        path = Path(folder) / "result.parquet"
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.register("result", pa.RecordBatchReader.from_batches(schema, remembered()))
            try:
                connection.execute(f"COPY (FROM result) TO '{path}' (FORMAT parquet)").fetchall()
            except duckdb.Error:
                if failures:
                    raise failures[0] from None
                raise
        with path.open("rb") as made:
            shutil.copyfileobj(made, sink, 1 << 20)


def visible(text: str) -> str:
    """The text on one line: what would move the cursor, or order the terminal about, is spelt."""
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character.isprintable() or character == "\u200d":  # joins the parts of an emoji
        return character
    return repr(character)[1:-1]


def _markdown_row(cells: list[str] | tuple[str | None, ...], null: str) -> str:
    texts = (null if c is None else visible(_break(c)).replace("|", "\\|") for c in cells)
    return "| " + " | ".join(texts) + " |\n"


def _tabbed(cells: list[str] | tuple[str | None, ...], null: str) -> str:
    return "\t".join(null if c is None else visible(c) for c in cells) + "\n"


def _readable(text: str, indent: int) -> str:
    """The lines of a text, those after the first below it."""
    return ("\n" + " " * indent).join(visible(line) for line in text.split("\n"))


def _break(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "<br>")
