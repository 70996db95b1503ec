"""Rows in files: Parquet, and the same as CSV for the eye."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, asdict, fields
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from heliumql.errors import HeliumQLError
from measured.row import Row

_TYPES = {
    "str": pa.string(),
    "int": pa.int64(),
    "int | None": pa.int64(),
    "float": pa.float64(),
    "float | None": pa.float64(),
    "bool": pa.bool_(),
    "bool | None": pa.bool_(),
}
SCHEMA = pa.schema([(f.name, _TYPES[str(f.type)]) for f in fields(Row)])
_NEEDED = {f.name for f in fields(Row) if f.default is MISSING}  # later columns came later


def write(folder: Path, name: str, rows: Sequence[Row]) -> Path:
    """Writes NAME.parquet and NAME.csv; the former's path. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist([asdict(row) for row in rows], SCHEMA)
    pa.csv.write_csv(table, folder / f"{name}.csv")
    path = folder / f"{name}.parquet"
    pa.parquet.write_table(table, path)
    return path


class UnreadableError(HeliumQLError):
    """A result file is damaged."""


def read(folder: Path) -> list[Row]:
    """The rows of all result files of the folder, in the order of their names.

    Raises UnreadableError.
    """
    found: list[Row] = []
    for path in sorted(folder.glob("*.parquet")):
        try:
            table = pa.parquet.read_table(path)
        except (pa.ArrowException, OSError):  # what pyarrow says fills lines
            raise UnreadableError(
                f"{path} cannot be read: it is no Parquet file, or damaged",
                hint="measure it again, or move the file out of the folder",
            ) from None
        if set(table.column_names) >= _NEEDED:  # others may lie there too
            known = [name for name in SCHEMA.names if name in table.column_names]
            found += [Row(**row) for row in table.select(known).to_pylist()]
    return found
