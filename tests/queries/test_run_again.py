"""A query that has been run costs no call when it is run again, whatever was learnt meanwhile."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import heliumql
from heliumql.connection import Connection
from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import SimulatedEngine

QUERIES = [
    "SELECT id FROM t WHERE LLM_FILTER('often {id}') AND LLM_FILTER('rarely {id}')",
    "SELECT id FROM t WHERE LLM_FILTER('rarely {id}') OR LLM_FILTER('often {id}')",
    "SELECT id, LLM_GENERATE('sum {id}') FROM t WHERE LLM_FILTER('often {id}')",
    "SELECT id FROM t WHERE LLM_FILTER('rarely {id}') LIMIT 5",
    "SELECT id FROM t WHERE LLM_FILTER('rarely {id}') ORDER BY k, id DESC LIMIT 5 OFFSET 2",
    "SELECT t.id, LLM_GENERATE('{u.name} {t.id}') FROM t JOIN u ON t.k = u.k "
    "AND LLM_FILTER('often {u.name} {t.id}') ORDER BY t.id LIMIT 7",
    "SELECT k, count(*) FROM t WHERE LLM_FILTER('often {k}') GROUP BY k",
    "SELECT id FROM t WHERE LLM_FILTER('other {k}') AND LLM_FILTER('more {id}')",
    "SELECT id FROM t WHERE LLM_FILTER('other {k}') OR LLM_FILTER('more {id}')",
    "SELECT id FROM t WHERE LLM_FILTER('other {k}') AND LLM_FILTER('more {id}') LIMIT 20",
    "SELECT id FROM t WHERE LLM_FILTER('often {id}') AND LLM_FILTER('rarely {id}') "
    "ORDER BY id LIMIT 3",
    "SELECT id FROM t WHERE (LLM_FILTER('often {id}') OR LLM_FILTER('more {id}')) "
    "AND LLM_FILTER('rarely {id}') LIMIT 3",
    "SELECT id FROM t WHERE CASE WHEN LLM_FILTER('often {id}') THEN LLM_FILTER('rarely {id}') "
    "ELSE LLM_FILTER('other {id}') END",
]


def answer(messages: tuple[tuple[str, str], ...], spec: CallSpec) -> str:
    said = messages[-1][1]
    draw = int(hashlib.md5(said.encode()).hexdigest()[:4], 16) / 0x10000
    share = {"often": 0.9, "rarel": 0.1}.get(said[:5], 0.5)
    return "true" if draw < share else "false"


def with_tables(path: Path | str) -> Connection:
    con = heliumql.connect(path)
    con.register_model("m", SimulatedEngine({"log": False}, answer), model="m")
    con.execute("CREATE OR REPLACE TABLE t AS SELECT i AS id, i % 7 AS k FROM range(300) r(i)")
    con.execute("CREATE OR REPLACE TABLE u AS SELECT i AS k, 'u' || i AS name FROM range(4) r(i)")
    return con


@pytest.mark.parametrize("query", QUERIES)
def test_a_second_run_asks_nothing(query: str) -> None:
    with with_tables(":memory:") as con:
        first = con.sql(query)
        assert first is not None
        rows = first.fetchall()
        assert first.stats.calls_run > 0
        for _ in range(3):
            again = con.sql(query)
            assert again is not None
            assert again.fetchall() == rows
            assert again.stats.calls_run == 0


@pytest.mark.parametrize("query", QUERIES)
def test_nor_does_a_run_in_another_session(query: str, tmp_path: Path) -> None:
    path = tmp_path / "my.duckdb"
    with with_tables(path) as con:
        first = con.sql(query)
        assert first is not None
        rows = first.fetchall()
    with with_tables(path) as con:
        again = con.sql(query)
        assert again is not None
        assert again.fetchall() == rows
        assert again.stats.calls_run == 0


def test_nor_after_other_queries_have_learnt_more() -> None:
    query = "SELECT id FROM t WHERE LLM_FILTER('rarely {id}') AND LLM_FILTER('often {id}')"
    with with_tables(":memory:") as con:
        con.execute("CREATE TABLE big AS SELECT i + 9000 AS id FROM range(900) r(i)")
        rows = con.execute(query).fetchall()
        con.execute("SELECT id FROM big WHERE LLM_FILTER('often {id}')").fetchall()
        again = con.sql(query)
        assert again is not None
        assert again.fetchall() == rows
        assert again.stats.calls_run == 0


def test_a_limit_asks_no_more_than_was_asked_for_a_larger_one() -> None:
    with with_tables(":memory:") as con:
        for limit, runs in ((20, True), (5, False), (12, False), (19, False)):
            relation = con.sql(f"SELECT id FROM t WHERE LLM_FILTER('often {{id}}') LIMIT {limit}")
            assert relation is not None
            assert len(relation.fetchall()) == limit
            assert (relation.stats.calls_run > 0) == runs


def test_many_new_rows_are_asked_in_the_better_order() -> None:
    query = "SELECT id FROM t WHERE LLM_FILTER('often {id}') AND LLM_FILTER('rarely {id}')"
    with with_tables(":memory:") as con:
        con.execute(query).fetchall()
        con.execute("CREATE OR REPLACE TABLE t AS SELECT i + 1000 AS id FROM range(5000) r(i)")
        again = con.sql(query)
        assert again is not None
        again.fetchall()
        assert again.stats.calls_run < 5000 + 1000  # the rare one first; else 5,000 + 4,500
