"""Naming a million calls: what it takes before any of them runs, and what their messages weigh.

    python benchmark/naming.py [--calls 1000000]

A join makes the prompts, as a query would; DuckDB evaluates them through the same functions as in a
statement, and nothing is asked of a model. With the passes' own memory bound, and without one.
"""

from __future__ import annotations

import argparse
from contextlib import closing

from constant_engine import ConstantEngine
from measure import measured

import heliumql
from heliumql.physical.passes import Passes
from heliumql.physical.snapshot import batches_of

_QUERY = "SELECT LLM_GENERATE('Summarize this text. {body}') AS a FROM texts"


def name(con: heliumql.Connection, calls: int, window: int) -> None:
    """Evaluates one pass and lets go of its rows, so that only what names calls is measured."""
    session = con._session
    con.set("llm_window_bytes", window)
    planned = session.planned(_QUERY, None, 0)
    evaluation = session.evaluation(planned, None)
    assert isinstance(evaluation, Passes)
    with measured() as taken:
        relation = con.duckdb.sql(evaluation.sql)
        with closing(batches_of(relation, 2048)) as batches:
            rows = sum(batch.num_rows for batch in batches)
        named = len(evaluation.graph.minted)
    assert rows == named == calls
    evaluation.close()
    print(
        f"{calls:,} calls named, {window / 1e6:,.0f} MB of messages in memory:"
        f" {taken.wall:.2f} s, {taken.cpu:.2f} s CPU ({taken.cpu / calls * 1e6:.2f} us per call),"
        f" {taken.peak / 1e6:.0f} MB more at the peak"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--calls", type=int, default=1_000_000)
    calls = parser.parse_args().calls
    with heliumql.connect() as con:
        con.register_model("constant", ConstantEngine())
        con.execute("SET threads = 1")
        con.execute(
            "CREATE TABLE texts AS "
            f"SELECT repeat('some words ', 10) || i AS body FROM range({calls}) r(i)"
        )
        prompt_bytes = con.execute("SELECT sum(length(body)) FROM texts").fetchall()[0][0]
        print(f"{prompt_bytes / 1e6:.0f} MB of text")
        for window in (10_000_000_000, 32_000_000):
            name(con, calls, window)


if __name__ == "__main__":
    main()
