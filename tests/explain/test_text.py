"""Explanations of queries of different shapes as text, as recorded: `pytest --record`."""

from __future__ import annotations

from pathlib import Path

import pytest
from to_explain import QUERIES, explained

from heliumql.connection import Connection
from heliumql.explain.text import money


@pytest.mark.parametrize("path", QUERIES, ids=[p.stem for p in QUERIES])
def test_explanations_are_as_recorded(
    path: Path, forbidden: Connection, request: pytest.FixtureRequest
) -> None:
    now = explained(forbidden, path.read_text("utf-8")) + "\n"
    record = path.with_suffix(".txt")
    if request.config.getoption("record"):
        record.write_text(now, "utf-8")
    assert record.read_text("utf-8") == now


@pytest.mark.parametrize("path", QUERIES, ids=[p.stem for p in QUERIES])
def test_names_of_ours_and_of_duckdbs_are_not_shown(path: Path, forbidden: Connection) -> None:
    text = explained(forbidden, path.read_text("utf-8"))
    for hidden in ("__hql", "__duckdb", "column0", "r0.", "77000000"):
        assert hidden not in text


def test_a_relation_explains_itself(tables: Connection) -> None:
    query = "SELECT LLM_GENERATE('{body}') FROM reviews"
    relation = tables.sql(query)
    assert relation is not None
    assert relation.explain() == explained(tables, query)


def test_explaining_a_relation_lets_its_rows_be_read_on(tables: Connection) -> None:
    relation = tables.sql("SELECT id, LLM_GENERATE('{body}') FROM reviews")
    assert relation is not None
    first = relation.fetchmany(2)
    relation.explain()
    assert [r[0] for r in first + relation.fetchall()] == list(range(12))


def test_a_statement_without_calls_is_duckdbs_to_explain(tables: Connection) -> None:
    duckdbs = tables.duckdb.execute("EXPLAIN SELECT id FROM reviews").fetchall()
    assert explained(tables, "SELECT id FROM reviews") == duckdbs[0][1]


def test_views_macros_prompts_and_prepared_statements_are_explained(tables: Connection) -> None:
    tables.execute("CREATE VIEW v AS SELECT id, LLM_GENERATE('Sum {body}') AS s FROM reviews")
    tables.execute("CREATE PROMPT p(x) AS 'Gist of {x}'")
    tables.execute("PREPARE q AS SELECT LLM_GENERATE('{body}') FROM reviews WHERE id < ?")
    assert "prompt: user: Sum {reviews.body}" in explained(tables, "SELECT s FROM v")
    assert "prompt: user: Gist of {reviews.body}" in explained(
        tables, "SELECT p(body) FROM reviews"
    )
    assert "rows: 5; calls to run: 5" in explained(tables, "EXECUTE q(5)")
    text = explained(tables, "CREATE VIEW w AS SELECT LLM_GENERATE('Two {body}') FROM reviews")
    assert "prompt: user: Two {reviews.body}" in text


def test_remembered_answers_are_not_asked_again(tables: Connection) -> None:
    tables.execute("SELECT LLM_GENERATE('{body}') FROM reviews WHERE id < 5").fetchall()
    text = explained(tables, "SELECT LLM_GENERATE('{body}') FROM reviews WHERE id < 8")
    assert "rows: 8; calls to run: 3; remembered: 5" in text


def test_what_was_learnt_takes_the_place_of_assumptions(tables: Connection) -> None:
    query = "SELECT LLM_GENERATE('Sum {body}') FROM reviews WHERE id < 4"
    assert "are assumed" in explained(tables, query)
    tables.execute(query).fetchall()
    assert "are assumed" not in explained(tables, query)


def test_prices_are_told(tables: Connection) -> None:
    tables.execute("CREATE MODEL paid WITH (engine = 'simulated', price_in = 2, price_out = 10)")
    text = explained(tables, "SELECT LLM_GENERATE('{body}', model => 'paid') FROM reviews")
    # 12 calls of 15 or 16 bytes in, 64 tokens out each
    assert "price: ~0.0078" in text


def test_a_small_price_is_not_told_as_none() -> None:
    assert [money(p) for p in (0.0000256, 0.00078, 0.0078, 3.0)] == [
        "~0.000026",
        "~0.00078",
        "~0.0078",
        "~3.00",
    ]


def test_a_mistake_in_it_is_shown_in_its_place(tables: Connection) -> None:
    with pytest.raises(Exception, match="bdy") as raised:
        tables.sql("EXPLAIN SELECT LLM_GENERATE('{bdy}') FROM reviews")
    assert "LLM_GENERATE('{bdy}')" in str(raised.value)
