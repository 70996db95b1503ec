"""What HeliumQL itself costs per call, on an engine that answers at once.

A table of texts goes through one LLM_GENERATE; every call differs. The engine's CPU is counted
apart.
"""

from __future__ import annotations

import time

from constant_engine import ConstantEngine
from measure import measured

import heliumql
from overhead.rows import Calls

_QUERY = "SELECT id, LLM_GENERATE('Summarize this text. {body}') AS a FROM texts"


def calls(count: int, *, optimizer: bool) -> Calls:
    """Runs so many. Without the optimizer they are evaluated call by call."""
    engine = ConstantEngine()
    with heliumql.connect() as con:
        con.duckdb.execute("SET enable_progress_bar = false")  # on with `python -m`, to stdout
        con.register_model("constant", engine)
        con.execute(
            "CREATE TABLE texts AS "
            f"SELECT i AS id, repeat('some words ', 10) || i AS body FROM range({count}) AS r(i)"
        )
        con.set("llm_optimizer", "on" if optimizer else "off")
        relation = con.sql(_QUERY)
        assert relation is not None
        rows, first = 0, 0.0
        with measured() as taken:
            began = time.perf_counter()
            for batch in relation.batches():
                first = first or time.perf_counter() - began
                rows += batch.num_rows
    if not rows == engine.calls == count:
        raise RuntimeError(f"{engine.calls} calls and {rows} rows instead of {count}")
    ours = taken.cpu - engine.cpu
    return Calls(optimizer, count, ours, engine.cpu, taken.wall, first, taken.peak)
