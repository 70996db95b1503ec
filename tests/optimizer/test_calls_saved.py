"""How many calls rules save, counted on a model that answers from a script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import heliumql
from heliumql.connection import Connection
from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import SimulatedEngine
from heliumql.errors import CatalogError
from heliumql.optimizer import RULES
from heliumql.stats import Stats


def answer(messages: tuple[tuple[str, str], ...], spec: CallSpec) -> str | None:
    """Every second row is good, every tenth is new, every note is read."""
    words = messages[-1][1].split()
    number = int(words[1])
    match words[0]:
        case "good":
            return "true" if number % 2 == 0 else "false"
        case "new":
            return "true" if number % 10 == 0 else "false"
        case "nothing":
            return "false"
        case _:
            return None


@pytest.fixture
def con() -> Iterator[Connection]:
    """Two thousand rows in t, ten of them with a partner in u."""
    with heliumql.connect() as made:
        made.register_model("m", SimulatedEngine({"instant": True}, answer))
        made.execute("CREATE TABLE t AS SELECT i AS id, i % 400 AS k FROM range(2000) AS r(i)")
        made.execute("CREATE TABLE u AS SELECT i AS k FROM range(2) AS r(i)")
        yield made


def run(con: Connection, query: str, params: object = None) -> tuple[list[object], Stats]:
    relation = con.sql(query, params)  # type: ignore[arg-type]
    assert relation is not None
    rows = [row[0] for row in relation.fetchall()]
    return rows, relation.stats


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("SELECT id FROM t WHERE LLM_FILTER('good {id}') LIMIT 5", [0, 2, 4, 6, 8]),
        ("SELECT id FROM t WHERE LLM_FILTER('good {id}') ORDER BY id LIMIT 5", [0, 2, 4, 6, 8]),
        ("SELECT id FROM t WHERE LLM_FILTER('good {id}') ORDER BY id DESC LIMIT 2", [1998, 1996]),
        (
            "SELECT id FROM t WHERE LLM_FILTER('good {id}') ORDER BY k, id LIMIT 5",
            [0, 400, 800, 1200, 1600],
        ),
        (
            "WITH few AS (SELECT id FROM t WHERE LLM_FILTER('good {id}') ORDER BY id LIMIT 5) "
            "SELECT a.id FROM few AS a JOIN few AS b ON a.id = b.id ORDER BY a.id",
            [0, 2, 4, 6, 8],
        ),
    ],
)
def test_a_limit_of_five_asks_tens_of_two_thousand(
    con: Connection, query: str, rows: list[int]
) -> None:
    found, stats = run(con, query)
    assert found == rows
    assert len(rows) <= stats.calls_run < 100


def test_without_the_rule_all_rows_are_asked(con: Connection) -> None:
    con.set("llm_disabled_rules", "limit_stops_early")
    query = "SELECT id FROM t WHERE LLM_FILTER('good {id}') ORDER BY id LIMIT 5"
    assert run(con, query)[1].calls_run == 2000


def test_a_limit_that_nothing_fills_asks_every_row_once(con: Connection) -> None:
    rows, stats = run(con, "SELECT id FROM t WHERE LLM_FILTER('nothing {id}') LIMIT 5")
    assert rows == []
    assert stats.calls_run == 2000


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_limit_may_be_a_parameter(con: Connection, count: int) -> None:
    query = "SELECT id FROM t WHERE id < 20 AND LLM_FILTER('good {id}') ORDER BY id LIMIT $count"
    rows, stats = run(con, query, {"count": count})
    assert rows == [0, 2, 4][:count]
    assert stats.calls_run <= 20


def test_the_second_predicate_is_asked_of_what_the_first_lets_through(con: Connection) -> None:
    rows, stats = run(
        con, "SELECT id FROM t WHERE id < 40 AND LLM_FILTER('good {id}') AND LLM_FILTER('new {id}')"
    )
    assert rows == list(range(0, 40, 10))
    assert stats.calls_run == 40 + 20


def test_the_second_branch_of_or_is_asked_of_what_the_first_refuses(con: Connection) -> None:
    _, stats = run(
        con,
        "SELECT id FROM t WHERE id < 40 AND (LLM_FILTER('good {id}') OR LLM_FILTER('new {id}'))",
    )
    assert stats.calls_run == 40 + 20


@pytest.mark.parametrize(
    ("query", "calls"),
    [
        ("SELECT t.id FROM t JOIN u ON t.k = u.k WHERE LLM_FILTER('good {t.id}')", 10),
        ("SELECT id FROM t WHERE k IN (SELECT k FROM u) AND LLM_FILTER('good {id}')", 10),
        ("SELECT t.id FROM t ANTI JOIN u ON t.k = u.k WHERE LLM_FILTER('good {t.id}')", 1990),
        ("SELECT k FROM t WHERE LLM_FILTER('good {k}') GROUP BY k", 400),
        ("SELECT t.id FROM t JOIN u ON t.k = u.k AND LLM_FILTER('good {t.id}')", 10),
    ],
)
def test_rows_are_dropped_before_a_model_is_asked(con: Connection, query: str, calls: int) -> None:
    _, stats = run(con, query)
    assert stats.calls_run == calls


def test_the_better_predicate_is_asked_first_once_it_is_known(con: Connection) -> None:
    # At a price beside which it does not matter how long the calls took.
    engine = SimulatedEngine({"instant": True}, answer)
    con.register_model("m", engine, price_in=1_000_000)
    query = "SELECT id FROM t WHERE id < 400 AND LLM_FILTER('good {id}') AND LLM_FILTER('new {id}')"
    rows, stats = run(con, query)
    assert stats.calls_run == 400 + 200
    con.execute("CLEAR CACHE WHERE true")
    run(con, "SELECT id FROM t WHERE id < 400 AND LLM_FILTER('new {id}')")
    con.execute("CLEAR CACHE WHERE true")
    again, stats = run(con, query)
    assert again == rows
    assert stats.calls_run == 400 + 40


def test_an_unknown_rule_is_refused_where_it_is_set(con: Connection) -> None:
    with pytest.raises(CatalogError) as found:
        con.execute("SET llm_disabled_rules = 'keep_above, pull_up_predicate'")
    assert found.value.message == "llm_disabled_rules: no rule pull_up_predicate"
    assert found.value.hint == "did you mean pull_up_llm_predicate?"
    assert found.value.span is not None
    with pytest.raises(CatalogError) as found:
        con.execute("SET llm_disabled_rules = 'xyz'")
    assert all(rule in (found.value.hint or "") for rule in RULES)
    assert run(con, "SELECT id FROM t WHERE id < 2 AND LLM_FILTER('good {id}')")[0] == [0]


NUMBERS = """CREATE OR REPLACE TABLE nums AS
SELECT i AS id, i % 7 AS k, CASE WHEN i % 7 = 0 THEN 'x' || i ELSE i::VARCHAR END AS body,
CASE WHEN i % 3 = 0 THEN 9223372036854775807 ELSE i END AS large FROM range(60) AS r(i)"""


@pytest.mark.parametrize(
    "query",
    [
        "SELECT k, sum(body::INTEGER) FROM nums WHERE LLM_GENERATE('say {k}') <> '0' GROUP BY k",
        "SELECT id FROM nums WHERE LLM_GENERATE('say {body}') NOT LIKE 'x%' "
        "ORDER BY CASE WHEN body LIKE 'x%' THEN body::INTEGER ELSE id END LIMIT 3",
        "SELECT a.id FROM (SELECT * FROM nums WHERE LLM_GENERATE('say {body}') NOT LIKE 'x%') a "
        "LEFT JOIN u ON a.k = u.k WHERE CAST(a.body || coalesce(u.k, 1) AS INTEGER) > 3",
        "SELECT n.id FROM (nums n JOIN u ON n.k = u.k "
        "AND LLM_GENERATE('say {n.body}') NOT LIKE 'x%') "
        "LEFT JOIN u AS v ON CAST(n.body || '1' AS INTEGER) = v.k",
    ],
)
def test_what_may_fail_sees_no_rows_that_a_predicate_drops(query: str) -> None:
    def say(messages: tuple[tuple[str, str], ...], spec: CallSpec) -> str:
        return messages[-1][1].removeprefix("say ")

    with heliumql.connect() as con:
        con.register_model("m", SimulatedEngine({"instant": True, "log": False}, say))
        con.execute(NUMBERS)
        con.execute("CREATE TABLE u AS SELECT i AS k FROM range(5) AS r(i)")
        rows = sorted(con.execute(query).fetchall())
        con.set("llm_optimizer", "off")
        assert sorted(con.execute(query).fetchall()) == rows


def test_text_that_looks_like_a_bound_is_left_as_it_is(con: Connection) -> None:
    query = (
        "SELECT 7700000000000000000 AS n, '7700000000000000000' AS t FROM t "
        "WHERE LLM_FILTER('good {id}') LIMIT 3"
    )
    assert con.execute(query).fetchall() == [(7700000000000000000, "7700000000000000000")] * 3
