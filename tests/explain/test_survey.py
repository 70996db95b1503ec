"""What explaining leaves alone: engines, data, transactions; and that it comes to an end."""

from __future__ import annotations

import pytest
from to_explain import explained

from heliumql.connection import Connection
from heliumql.explain import Explanation
from heliumql.physical.output import Column
from heliumql.physical.survey import Survey, Surveyed
from heliumql.statements.explaining import look_at


def explanation(connection: Connection, query: str) -> Explanation:
    return look_at(connection._session, query, None, 0).explanation


def surveyed(connection: Connection, query: str, **limits: float) -> Surveyed:
    session = connection._session
    planned = session.planned(query, None, 0)
    assert planned.bound is not None
    assert planned.optimized is not None
    assert planned.carried is not None
    columns = tuple(map(Column, planned.names, planned.bound.types, planned.carried.shapes))
    survey = Survey(session._context(planned.sites), columns, **limits)  # type: ignore[arg-type]
    tree = planned.optimized.plan.tree
    return survey.run(
        session._carried(tree, planned.sites, planned.optimized, statement=survey.number)
    )


@pytest.mark.parametrize("form", ["text", "json", "html", "mermaid", "stages"])
def test_no_engine_is_started(forbidden: Connection, form: str) -> None:
    query = "SELECT id, LLM_GENERATE('{body}') FROM reviews WHERE LLM_FILTER('ok? {body}')"
    assert explained(forbidden, query, f"(FORMAT {form})")
    assert explained(forbidden, f"CREATE TABLE made AS {query}", f"(FORMAT {form})")
    assert not forbidden.execute(
        "SELECT * FROM duckdb_tables() WHERE table_name = 'made'"
    ).fetchall()


def test_an_open_transaction_is_left_as_it_is(tables: Connection) -> None:
    tables.execute("BEGIN")
    tables.execute("INSERT INTO reviews VALUES (99, 'not committed', 5)")
    text = explained(tables, "SELECT 1 / (id - 3), LLM_GENERATE('{body}') FROM reviews")
    assert "Nothing was evaluated" in text
    text = explained(tables, "SELECT id FROM reviews WHERE LLM_FILTER('ok? {body}')")
    assert "answers are inspected inside a transaction" in text
    assert tables.execute("SELECT count(*) FROM reviews").fetchall() == [(13,)]
    tables.execute("ROLLBACK")
    assert tables.execute("SELECT count(*) FROM reviews").fetchall() == [(12,)]


def test_a_sequence_is_not_drawn_from(tables: Connection) -> None:
    tables.execute("CREATE SEQUENCE s")
    explained(tables, "SELECT n, LLM_GENERATE('x {n}') FROM (SELECT nextval('s') AS n)")
    assert tables.execute("SELECT nextval('s')").fetchall() == [(1,)]


def test_it_stops_after_a_number_of_rows(tables: Connection) -> None:
    found = surveyed(tables, "SELECT LLM_GENERATE('{i}') FROM range(50000) AS t(i)", most_rows=5000)
    assert found.stopped
    assert not found.complete
    (seen,) = found.sites.values()
    assert 5000 < seen.rows < 20_000


def test_it_stops_where_the_relational_part_takes_too_long(tables: Connection) -> None:
    query = """SELECT LLM_GENERATE(max(a.i * b.i)::VARCHAR)
               FROM range(3000000) AS a(i), range(3000000) AS b(i)"""
    found = surveyed(tables, query, most_seconds=0.2)
    assert found.stopped
    assert tables.execute("SELECT 42").fetchall() == [(42,)]


def test_what_is_too_much_to_look_at_is_estimated(tables: Connection) -> None:
    found = explanation(tables, "SELECT LLM_GENERATE('{i}') FROM range(300000) AS t(i)")
    (operator,) = found.operators
    assert operator.rows is not None
    assert (operator.rows.value, operator.rows.exact) == (300_000, False)
    assert any("too much" in note for note in found.notes)


def test_an_error_of_the_query_is_told_not_raised(tables: Connection) -> None:
    text = explained(tables, "SELECT error('no ' || id), LLM_GENERATE('{body}') FROM reviews")
    assert "Evaluating it ends in an error" in text
    assert tables.execute("SELECT 42").fetchall() == [(42,)]


def test_equal_calls_are_counted_once_across_operators(tables: Connection) -> None:
    query = """SELECT LLM_GENERATE('{stars}'), LLM_GENERATE('{n}')
               FROM (SELECT stars, stars + 1 AS n FROM reviews)"""
    found = explanation(tables, query)
    assert sum(o.calls.value for o in found.operators if o.calls is not None) == 6  # 0 .. 5


def test_pinned_calls_are_not_looked_up(tables: Connection) -> None:
    query = "SELECT LLM_GENERATE('{body}', cache => 'refresh') FROM reviews"
    tables.execute(query).fetchall()
    assert "calls to run: 12; remembered: 0" in explained(tables, query)
