"""Rows of result files: read with SQL, and made up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from measured.row import Row


def sql(folder: Path, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query of `measured`, which are all rows in the folder and below."""
    with duckdb.connect() as con:
        con.execute(f"CREATE VIEW measured AS FROM '{folder}/**/*.parquet'")
        return con.execute(query).fetchall()


def made_row(system: str, turn: int, seconds: float = 2.0, **measured: Any) -> Row:
    from measured.row import Row

    values = {
        "setting": "default",
        "engine_cpu": 0.0,
        "foretold_seconds": None,
        "equal": True,
        "hit_tokens": 20,
        "output_tokens": 8,
        "planning_seconds": None,
    }
    return Row(
        run="r", at="", suite="mixed", rows=2, scale=1.0, seed=0, apart=False, engine="simulated",
        model="m", workers=1, slots=8, kv_tokens=64, system=system, turn=turn, seconds=seconds,
        client_cpu=None, calls_asked=4, calls_run=4, prompt_tokens=100,
        **(values | measured),
    )  # fmt: skip
