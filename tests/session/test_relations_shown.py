"""Relations as notebooks show them, without a notebook."""

from __future__ import annotations

import pytest

from heliumql.connection import Connection
from heliumql.relations.relation import Relation
from heliumql.stats import Progress


def sql(connection: Connection, text: str) -> Relation:
    relation = connection.sql(text)
    assert relation is not None
    return relation


def test_one_with_calls_shows_its_columns_until_it_is_read(connection: Connection) -> None:
    asked: list[Progress] = []
    connection.progress = asked.append
    relation = sql(connection, "SELECT range AS n, LLM_GENERATE('Say {range}') AS g FROM range(3)")
    assert "n</td><td>BIGINT" in relation._repr_html_()
    assert relation._repr_mimebundle_()["text/plain"].splitlines()[0] == "n  BIGINT"
    assert connection.total_stats.calls_run == 0
    texts = [row[1] for row in relation.fetchall()]
    shown = relation._repr_html_()
    assert connection.total_stats.calls_run == 3
    assert all(text[:30] in shown for text in texts)
    assert "3 rows" in shown


def test_one_that_was_read_in_part_shows_no_rows(connection: Connection) -> None:
    relation = sql(connection, "SELECT LLM_GENERATE('Say {range}') AS g FROM range(3)")
    relation.fetchone()
    assert "not evaluated" in relation._repr_html_()


@pytest.mark.parametrize(
    ("rows", "count"), [(0, "0 rows"), (1, "1 row<"), (40, "40 rows<"), (41, "more than 40 rows")]
)
def test_how_many_rows(connection: Connection, rows: int, count: str) -> None:
    shown = sql(connection, f"SELECT range AS n FROM range({rows})")._repr_html_()
    assert count in shown
    assert shown.count("<tr>") == 1 + min(rows, 40)


def test_both_ends_of_a_long_result(connection: Connection) -> None:
    connection.set("llm_batch_rows", 50)
    relation = sql(connection, "SELECT range AS n, LLM_GENERATE('Same') AS g FROM range(1000)")
    relation.arrow()
    shown = relation._repr_html_()
    assert ">0</td>" in shown
    assert ">19</td>" in shown
    assert ">20</td>" not in shown
    assert ">979</td>" not in shown
    assert ">980</td>" in shown
    assert ">999</td>" in shown
    assert "1,000 rows (40 shown)" in shown


def test_everything_is_escaped(connection: Connection) -> None:
    shown = sql(
        connection,
        """SELECT '<img src=x onerror=alert(1)>' AS "<b>", ['"quoted" & $math$'] AS list""",
    )._repr_html_()
    assert "<img" not in shown
    assert "<b>" not in shown
    assert "&lt;img src=x" in shown
    assert "&#36;math&#36;" in shown


def test_values_are_as_duckdb_writes_them(connection: Connection) -> None:
    shown = sql(
        connection,
        "SELECT DATE '2026-01-02' AS d, {'a': [1, NULL]} AS s, 1.50::DECIMAL(4,2) AS n, true AS b",
    )._repr_html_()
    for text in ("2026-01-02", "{&#x27;a&#x27;: [1, NULL]}", "1.50", "true"):
        assert text in shown


def test_a_very_long_text_is_cut(connection: Connection) -> None:
    shown = sql(connection, "SELECT repeat('x', 1000000) AS long")._repr_html_()
    assert len(shown) < 30_000
    assert "980,000 more characters" in shown


def test_very_many_columns_are_cut(connection: Connection) -> None:
    columns = ", ".join(f"{n} AS c{n}" for n in range(200))
    shown = sql(connection, f"SELECT {columns}")._repr_html_()
    assert "200 columns (80 shown)" in shown
    assert shown.count("<th") == 80 + 1  # and <thead


def test_a_query_that_fails_is_told(connection: Connection) -> None:
    relation = sql(connection, "SELECT error('on purpose') AS e")
    assert "on purpose" in relation._repr_html_()
    connection.close()
    assert "closed" in relation._repr_html_()
