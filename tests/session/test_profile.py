"""PROFILE runs a sample of the calls, keeps what is learnt of them, and says it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import heliumql
from heliumql.connection import Connection
from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import ScriptedAnswer, SimulatedEngine

QUERY = """
    WITH first AS (SELECT i, g.text FROM t, LATERAL LLM_GENERATE('Write on {i}') AS g)
    SELECT i, LLM_GENERATE('Shorten {text}') AS short FROM first
"""


def answer(messages: tuple[tuple[str, str], ...], spec: CallSpec) -> ScriptedAnswer:
    asked = messages[-1][1]
    return ScriptedAnswer(f"on {asked}", output_tokens=40 if asked.startswith("Write") else 10)


@pytest.fixture
def con() -> Iterator[Connection]:
    with heliumql.connect() as connection:
        engine = SimulatedEngine({"instant": True, "log": False}, answer)
        connection.register_model("m", engine)
        connection.execute("CREATE TABLE t AS SELECT i FROM range(1000) r(i)")
        yield connection


def rows(con: Connection, query: str) -> list[tuple[object, ...]]:
    relation = con.sql(query)
    assert relation is not None
    return list(relation.fetchall())


@pytest.mark.parametrize("optimizer", ["on", "off"])
def test_some_calls_of_each_operator_are_run(con: Connection, optimizer: str) -> None:
    con.set("llm_optimizer", optimizer)
    found = rows(con, f"PROFILE {QUERY}")
    stats = con.last_stats
    assert stats is not None
    assert stats.calls_run == 32
    assert stats.calls_refused == 0
    assert sum(int(str(row[2])) for row in found) == 32
    first = found[0]
    assert first[5] == 40
    assert con._session.settings.max_calls is None


def test_rows_are_answered_whole_so_that_every_operator_is_seen(con: Connection) -> None:
    found = rows(con, f"PROFILE {QUERY}")
    assert [row[2] for row in found] == [16, 16]
    assert [row[5] for row in found] == [40, 10]


def test_what_is_learnt_is_expected_by_explain(con: Connection) -> None:
    unknown = "No run has shown yet how long the answers of"
    assert unknown in str(rows(con, f"EXPLAIN {QUERY}"))
    rows(con, f"PROFILE {QUERY}")
    assert unknown not in str(rows(con, f"EXPLAIN {QUERY}"))
    sites = con._session.planned(QUERY, None, 0).sites
    learnt = [con._session.shared.learnt.operator(sites[n].template) for n in sorted(sites)]
    assert [stats and stats.mean_output_tokens for stats in learnt] == [40, 10]


def test_answers_of_the_sample_are_kept(con: Connection) -> None:
    rows(con, f"PROFILE {QUERY}")
    rows(con, QUERY)
    assert con.last_stats is not None
    assert con.last_stats.calls_run == 2000 - 32


def test_a_smaller_budget_holds(con: Connection) -> None:
    con.set("llm_max_calls", 5)
    rows(con, f"PROFILE {QUERY}")
    assert con.last_stats is not None
    assert con.last_stats.calls_run == 5


@pytest.mark.parametrize("statement", ["SELECT 1", "CREATE TABLE u AS SELECT LLM_GENERATE('x')"])
def test_only_queries_with_calls(con: Connection, statement: str) -> None:
    with pytest.raises(heliumql.HeliumQLError, match="PROFILE takes a query with calls") as caught:
        con.execute(f"PROFILE {statement}")
    assert caught.value.span is not None
