"""Answers of random types: the value that DuckDB's own cast of what the model wrote gives."""

from __future__ import annotations

from random import Random

import duckdb
import pytest
from random_answers import random_answer, random_type
from scripted_connection import Made

from heliumql.engines.invention import invent
from heliumql.types import SqlType, parse_type

ROWS = 5


def cast(returns: SqlType, texts: list[str], select: str) -> tuple[list[str], list[object]]:
    """Types and rows of a SELECT over the answers as the column v."""
    through = "CAST(text AS JSON)" if returns.is_nested else "text"
    with duckdb.connect() as con:
        relation = con.sql(
            f"SELECT {select} FROM (SELECT i, CAST({through} AS {returns.sql()}) AS v FROM "
            "(SELECT unnest($texts) AS text, unnest(range(len($texts))) AS i)) ORDER BY i",
            params={"texts": texts},
        )
        return [str(t) for t in relation.types], relation.fetchall()


def check(made: Made, mode: str, returns: SqlType, texts: list[str], select: str) -> None:
    """The query gives the values and types of the cast; read, and written to a table."""
    con = made(lambda messages, spec: texts[int(messages[-1][1].split()[1])]).con
    con.set("llm_optimizer", mode)
    con.set("llm_verify", mode == "on")
    quoted = returns.hql().replace("'", "''")
    call = f"LLM_GENERATE('about {{i}} ', returns => '{quoted}')"
    query = f"SELECT {select} FROM (SELECT i, {call} AS v FROM range({ROWS}) t(i)) ORDER BY i"
    types, rows = cast(returns, texts, select)
    relation = con.sql(query)
    assert relation is not None
    assert list(map(repr, relation.fetchall())) == list(map(repr, rows))
    assert relation.stats.calls_failed == 0
    con.execute(f"CREATE TABLE made AS {query}")
    assert [row[1] for row in con.sql("DESCRIBE made").fetchall()] == types
    assert list(map(repr, con.sql("FROM made").fetchall())) == list(map(repr, rows))


@pytest.mark.parametrize("mode", ["on", "off"])
@pytest.mark.parametrize("select", ["v, {'s': v, 'l': [v]} AS s", "v::VARCHAR || '!', [v] = [v]"])
@pytest.mark.parametrize("seed", range(10))
def test_values_and_types_are_those_of_a_cast(
    seed: int, select: str, mode: str, scripted: Made
) -> None:
    random = Random(seed)
    returns = random_type(random)
    check(scripted, mode, returns, [random_answer(random, returns) for _ in range(ROWS)], select)


@pytest.mark.parametrize("mode", ["on", "off"])
@pytest.mark.parametrize("seed", range(10))
def test_fields_are_those_of_the_cast(seed: int, mode: str, scripted: Made) -> None:
    random = Random(seed)
    fields = tuple((f"f{i}", random_type(random, 1, nullable=True)) for i in range(4))
    returns = SqlType("STRUCT", fields=fields)
    texts = [random_answer(random, returns) for _ in range(ROWS)]
    select = "v.f0, 'x' || v.f1::VARCHAR AS t, {'x': v.f2} AS s, v.f3 IS NULL AS n"
    check(scripted, mode, returns, texts, select)


@pytest.mark.parametrize("seed", range(200))
def test_what_fits_once_fits_again_and_types_are_read_as_written(seed: int) -> None:
    random = Random(seed)
    returns = random_type(random, 3)
    assert parse_type(returns.hql()) == returns
    accepted = returns.accept(random_answer(random, returns))
    assert returns.accept(accepted) == accepted
    assert returns.accept(invent(returns, b"%d" % seed))
