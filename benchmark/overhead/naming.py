"""Naming calls: what it takes before any of them runs, and what their messages weigh.

A pass makes the prompts, as in a query; DuckDB evaluates them through the same functions as in a
statement, and nothing is asked of a model.
"""

from __future__ import annotations

from contextlib import closing

from constant_engine import ConstantEngine
from measure import measured

import heliumql
from heliumql.physical.passes import Passes
from heliumql.physical.snapshot import batches_of
from overhead.rows import Naming

WINDOWS = (10_000_000_000, 32_000_000)  # bytes of messages in memory: all, few

_QUERY = "SELECT LLM_GENERATE('Summarize this text. {body}') AS a FROM texts"


def naming(count: int, window: int) -> Naming:
    """Evaluates one pass and lets go of its rows, so that only what names calls is measured."""
    with heliumql.connect() as con:
        con.duckdb.execute("SET enable_progress_bar = false")  # on with `python -m`, to stdout
        con.register_model("constant", ConstantEngine())
        con.execute("SET threads = 1")
        con.execute(
            "CREATE TABLE texts AS "
            f"SELECT repeat('some words ', 10) || i AS body FROM range({count}) AS r(i)"
        )
        [(text_bytes,)] = con.execute("SELECT sum(length(body))::BIGINT FROM texts").fetchall()
        con.set("llm_window_bytes", window)
        evaluation = con._session.evaluation(con._session.planned(_QUERY, None, 0), None)
        assert isinstance(evaluation, Passes)
        with measured() as taken:
            relation = con.duckdb.sql(evaluation.sql)
            with closing(batches_of(relation, 2048)) as batches:
                rows = sum(batch.num_rows for batch in batches)
            named = len(evaluation.graph.minted)
        evaluation.close()
    if not rows == named == count:
        raise RuntimeError(f"{named} calls and {rows} rows instead of {count}")
    return Naming(count, window, text_bytes, taken.wall, taken.cpu, taken.peak)
