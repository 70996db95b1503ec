"""LLM_SIMILARITY compares vectors that are there as they are, and embeds texts only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import heliumql
from heliumql.connection import Connection

MODEL = "CREATE MODEL m WITH (engine = 'simulated')"
ROWS = "FROM (VALUES (1, 'apple pie'), (2, 'pear cake'), (3, NULL)) AS notes(id, body)"


@pytest.fixture(params=["on", "off"])
def con(request: pytest.FixtureRequest) -> Iterator[Connection]:
    with heliumql.connect() as connection:
        connection.execute(f"{MODEL}; SET llm_optimizer = {request.param}")
        connection.execute(f"CREATE TABLE notes AS SELECT *, LLM_EMBED(body) AS v {ROWS}")
        yield connection


def rows(con: Connection, sql: str) -> list[tuple[object, ...]]:
    relation = con.sql(sql)
    assert relation is not None
    return relation.fetchall()


def asked(con: Connection) -> int:
    assert con.last_stats is not None
    return con.last_stats.calls_asked


def test_a_column_of_vectors_gives_what_the_texts_give(con: Connection) -> None:
    by_text = rows(con, "SELECT id, LLM_SIMILARITY(body, 'pie') FROM notes ORDER BY id")
    assert [value is None for _, value in by_text] == [False, False, True]
    by_vector = rows(con, "SELECT id, LLM_SIMILARITY(v, 'pie') FROM notes ORDER BY id")
    assert by_vector == by_text
    assert rows(con, "SELECT id, LLM_SIMILARITY('pie', v) FROM notes ORDER BY id") == by_text


def test_only_the_text_is_a_call(con: Connection) -> None:
    rows(con, "SELECT LLM_SIMILARITY(v, 'pie') FROM notes WHERE id < 3")
    with_a_vector = asked(con)
    rows(con, "SELECT LLM_SIMILARITY(body, 'pie') FROM notes WHERE id < 3")
    assert asked(con) == with_a_vector + 2


def test_two_vectors_ask_no_model(con: Connection) -> None:
    query = "SELECT LLM_SIMILARITY(a.v, b.v) AS s FROM notes a JOIN notes b ON a.id = b.id"
    assert [s for (s,) in rows(con, f"{query} WHERE a.id < 3")] == pytest.approx([1.0, 1.0])
    assert asked(con) == 0


@pytest.mark.parametrize(
    "vector",
    [
        "[3, 4]",
        "[3.0, 4.0]",
        "[3, 4]::FLOAT[]",
        "[3, 4]::DOUBLE[2]",
        "array_value(3::FLOAT, 4::FLOAT)",
        "(SELECT [3, 4]::FLOAT[])",
        "[0, 3, 4][2:3]",
    ],
)
def test_every_list_of_numbers_is_a_vector(con: Connection, vector: str) -> None:
    assert rows(con, f"SELECT LLM_SIMILARITY({vector}, [3, 4]::FLOAT[])") == [(pytest.approx(1.0),)]
    assert asked(con) == 0


def test_other_values_are_texts_as_before(con: Connection) -> None:
    same = "SELECT LLM_SIMILARITY(x, y) FROM (SELECT {} AS x, {} AS y)"
    for value in ("42", "DATE '2020-01-01'", "['a', 'b']", "{'a': 1}"):
        assert rows(con, same.format(value, value)) == [(pytest.approx(1.0),)]
        assert asked(con) > 0


def test_it_filters_and_ranks(con: Connection) -> None:
    ranked = "SELECT id FROM notes WHERE v IS NOT NULL ORDER BY LLM_SIMILARITY({}, 'pie'), id"
    assert rows(con, ranked.format("v")) == rows(con, ranked.format("body"))
    kept = "SELECT id FROM notes WHERE LLM_SIMILARITY({}, 'pie') > 0.05 ORDER BY id"
    assert rows(con, kept.format("v")) == rows(con, kept.format("body"))


def test_vectors_of_unequal_length_are_told(con: Connection) -> None:
    with pytest.raises(heliumql.HeliumQLError, match="dimensions"):
        rows(con, "SELECT LLM_SIMILARITY([1, 2, 3]::FLOAT[], 'pie')")


def test_a_macro_takes_either(con: Connection) -> None:
    con.execute("CREATE MACRO alike(a, b) AS LLM_SIMILARITY(a, b)")
    by_text = rows(con, "SELECT alike(body, 'pie') FROM notes WHERE id = 1")
    assert rows(con, "SELECT alike(v, 'pie') FROM notes WHERE id = 1") == by_text
