"""Rows of any study in files, as those of the suites are: Parquet, and the same as CSV."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from measured.machine import machine

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def write_figures(folder: Path, study: str, rows: Sequence[DataclassInstance]) -> Path:
    """Writes STUDY-TIME.parquet and .csv, each row with its run and the machine; the former's path.

    The folder is there. Raises OSError.
    """
    now = datetime.now(UTC)
    run = {"run": uuid.uuid4().hex[:12], "at": now.isoformat(timespec="seconds")}
    table = pa.Table.from_pylist([{**run, **asdict(row), **machine()} for row in rows])
    path = folder / f"{study}-{now:%Y%m%dT%H%M%S}.parquet"
    pa.csv.write_csv(table, path.with_suffix(".csv"))
    pa.parquet.write_table(table, path)
    return path
