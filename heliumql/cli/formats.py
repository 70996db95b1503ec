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


class Sink(Protocol):
    """Takes bytes: a file, a pipe, a buffer."""

    def write(self, data: bytes, /) -> int | None: ...


Format = Callable[[pa.Schema, Iterator[pa.RecordBatch], Sink], None]


def write_csv(schema: pa.Schema, batches: Iterator[pa.RecordBatch], sink: Sink) -> None:
    with Renderer(schema) as renderer:
        sink.write(csv_header(renderer.names).encode())
        for batch in batches:
            sink.write(renderer.csv_lines(batch).encode())


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


def write_markdown(schema: pa.Schema, batches: Iterator[pa.RecordBatch], sink: Sink) -> None:
    """A table of GitHub's Markdown; numbers stand at the right."""
    with Renderer(schema) as renderer:
        marks = ["---:" if renderer.is_number(i) else "---" for i in range(len(schema))]
        sink.write((_markdown_row(renderer.names) + _markdown_row(marks)).encode())
        for batch in batches:
            sink.write("".join(map(_markdown_row, renderer.cells(batch))).encode())


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


def _markdown_row(cells: list[str] | tuple[str | None, ...]) -> str:
    texts = ("NULL" if c is None else visible(_break(c)).replace("|", "\\|") for c in cells)
    return "| " + " | ".join(texts) + " |\n"


def _break(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "<br>")
