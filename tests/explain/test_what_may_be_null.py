"""Figures that rest on answers that may fail or be NULL are estimates, the others are counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import heliumql
from heliumql.connection import Connection
from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import ScriptedAnswer, SimulatedEngine
from heliumql.explain import Explanation, Figure
from heliumql.statements.explaining import look_at
from heliumql.stats import Stats


def answer(messages: tuple[tuple[str, str], ...], spec: CallSpec) -> str | ScriptedAnswer:
    """Calls that say s1 fail."""
    if "s1" in messages[-1][1]:
        return ScriptedAnswer(error="no")
    return "true" if spec.returns.sql() == "BOOLEAN" else "A"


@pytest.fixture
def connection() -> Iterator[Connection]:
    with heliumql.connect() as connection:
        connection.register_model("m", SimulatedEngine({"instant": True, "log": False}, answer))
        connection.execute(
            "CREATE TABLE t AS SELECT i AS id, 's' || i AS s, 'w' || (i % 4) AS w"
            " FROM range(40) AS r(i)"
        )
        connection.execute(
            "CREATE TABLE u AS SELECT 'w' || (i % 5) AS w, 'v' || i AS v FROM range(6) AS r(i)"
        )
        yield connection


def explanation(connection: Connection, query: str) -> Explanation:
    return look_at(connection._session, query, None, 0).explanation


def rows(connection: Connection, query: str) -> list[Figure | None]:
    return [o.rows for o in explanation(connection, query).operators]


def run(connection: Connection, query: str) -> Stats:
    relation = connection.sql(query)
    assert relation is not None
    relation.fetchall()
    return relation.stats


def test_rows_of_several_passes_are_not_added_up(connection: Connection) -> None:
    query = """SELECT id FROM t, LATERAL LLM_GENERATE('a {w}') AS a
               WHERE LLM_FILTER('is {a.text}') AND LLM_FILTER('so {w}')"""
    run(connection, query)
    run(connection, "SELECT LLM_GENERATE('a {w}') FROM t")
    found = explanation(connection, query)
    assert found.passes.value > 1
    assert all(o.rows is not None and o.rows.exact for o in found.operators)
    assert max(o.rows.value for o in found.operators if o.rows is not None) == 40


def test_what_coalesce_asks_for_is_an_estimate(connection: Connection) -> None:
    query = "SELECT id, coalesce(LLM_GENERATE('a {s}'), LLM_GENERATE('b {w}')) FROM t"
    first, second = rows(connection, query)
    assert first == Figure(40)
    assert second is not None
    assert not second.exact
    assert not explanation(connection, query).passes.exact
    assert run(connection, query).passes == 2


def test_passes_over_text_made_of_answers_are_an_estimate(connection: Connection) -> None:
    query = "SELECT string_agg(LLM_GENERATE('a {s}'), ',') FROM t"
    assert rows(connection, query) == [Figure(40)]
    assert not explanation(connection, query).passes.exact
    assert run(connection, query).passes == 2
    assert not explanation(connection, query).passes.exact  # the failed ones are asked again


def test_a_call_made_of_an_answer_is_an_estimate_until_that_is_known(
    connection: Connection,
) -> None:
    query = "SELECT id, LLM_GENERATE('b {g.text}') FROM t, LATERAL LLM_GENERATE('a {w}') AS g"
    first, second = rows(connection, query)
    assert first == Figure(40)
    assert second == Figure(40, exact=False)
    run(connection, "SELECT LLM_GENERATE('a {w}') FROM t WHERE w <> 'w1'")
    assert rows(connection, query)[1] == Figure(40, exact=False)
    run(connection, query)
    found = explanation(connection, query)
    assert found.passes == Figure(1)
    assert found.operators[1].calls == Figure(0)


def test_rows_that_a_join_repeats_ask_as_often(connection: Connection) -> None:
    query = "SELECT id, (SELECT LLM_GENERATE('a {v}') FROM u WHERE u.w = t.w LIMIT 1) FROM t"
    (operator,) = explanation(connection, query).operators
    assert (operator.rows, operator.calls) == (Figure(40), Figure(4))
    stats = run(connection, query)
    assert (stats.calls_asked, stats.calls_run) == (40, 4)


def test_rows_that_are_named_and_not_shown_ask_nothing(connection: Connection) -> None:
    query = """SELECT id, LLM_GENERATE('a {s}') FROM t
               QUALIFY row_number() OVER (PARTITION BY w ORDER BY id) = 1
               ORDER BY id LIMIT 1 OFFSET 4"""
    assert rows(connection, query) == [Figure(0)]
    assert run(connection, query).calls_asked == 0
