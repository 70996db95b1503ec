"""Names of operators, SQL for people, and figures."""

from __future__ import annotations

import duckdb
import pytest
import sqlglot

from heliumql.explain import Figure
from heliumql.explain.sql import for_people
from heliumql.source import Span
from heliumql.syntax.names import common_tables, operator_names, values_tables

TEXT = """WITH first AS (SELECT g FROM t), "Odd One"(a, b) AS MATERIALIZED (VALUES (1, 2)),
RECURSIVE_not AS (WITH inner_one AS (SELECT g) FROM inner_one) SELECT g FROM first"""


def place(part: str) -> Span:
    start = TEXT.index(part)
    return Span(start, start + len(part))


def test_common_tables_are_found_with_their_columns() -> None:
    found = common_tables(TEXT)
    assert [(c.name, c.columns, c.of_values) for c in found] == [
        ("first", (), False),
        ("Odd One", ("a", "b"), True),
        ("RECURSIVE_not", (), False),
        ("inner_one", (), False),
    ]
    assert TEXT[found[1].start : found[1].end] == "(VALUES (1, 2))"


def test_values_have_the_columns_that_are_written_behind_them() -> None:
    text = 'SELECT * FROM (VALUES (1, (2))) AS a(x, "y z"), (VALUES (3)), (VALUES (4)) b(q)'
    assert values_tables(text) == [("a", ("x", "y z")), ("b", ("q",))]
    assert values_tables(TEXT) == [("Odd One", ("a", "b"))]


def test_operators_of_one_name_go_by_their_common_table() -> None:
    first, last = place("g FROM t"), place("g FROM first")
    start = TEXT.index("g) FROM inner_one")
    inner = Span(start, start + 1)
    names = operator_names({1: ("g", first), 2: ("g", inner), 3: ("g", last)}, TEXT)
    assert names == {1: "first.g", 2: "inner_one.g", 3: "g"}


def test_one_of_a_name_keeps_it_and_no_two_are_alike() -> None:
    assert operator_names({1: ("g", place("g FROM t")), 2: ("h", None)}, TEXT) == {1: "g", 2: "h"}
    same = dict.fromkeys((4, 5, 6), ("g", None))
    assert operator_names(same, TEXT) == {4: "g", 5: "g#2", 6: "g#3"}
    verbs = dict.fromkeys((4, 5), ("LLM_FILTER#1", None))
    assert len(set(operator_names(verbs, TEXT).values())) == 2


@pytest.mark.parametrize(
    "expression",
    [
        "(a OR b) AND NOT (c OR b)",
        "((a AND b)) OR ((c))",
        "(x - y) - (x - 1)",
        "(x + 1) * (y - 2) / (x * 3)",
        "NOT (x = 1)",
        "(x = 1) = (y = 2)",
        "CASE WHEN (a) THEN (x + 1) ELSE (y) END * 2",
        "-(x + y)",
        "(x + y)::VARCHAR || 'a'",
        "(a AND b) IS NULL",
        "(x + 1) IN (1, 2)",
        "(x + 1) BETWEEN (y - 2) AND (y + 2)",
    ],
)
def test_sql_without_its_parentheses_means_the_same(expression: str) -> None:
    rows = "FROM (VALUES (true, false, NULL, 1, 2), (false, true, true, 3, 1)) t(a, b, c, x, y)"
    query = f"SELECT {expression} AS v {rows}"
    shown = for_people(query, {})
    assert duckdb.sql(shown).fetchall() == duckdb.sql(query).fetchall()


def test_calls_go_by_their_names_and_numbers_of_ours_are_gone() -> None:
    shown = for_people(
        "SELECT __hql_call(17, CAST(4 AS BIGINT), "
        '"system".main."||"(CAST(\'a \' AS VARCHAR), r0.column1), CAST(NULL AS VARCHAR), NULL) '
        "FROM t AS r0(column0, column1) WHERE __hql_ready(17, 0, 'x')",
        {4: "it's"},
    )
    assert "__hql_call('it''s', 'a ' || r0.column1, NULL, NULL)" in shown
    assert "__hql_ready(0, 'x')" in shown
    sqlglot.parse_one(shown, read="duckdb")


def test_what_cannot_be_read_is_shown_as_it_is() -> None:
    assert for_people("SELECT ((( FROM", {}) == "SELECT ((( FROM"


def test_figures_say_whether_they_are_known() -> None:
    assert str(Figure(1234)) == "1,234"
    assert str(Figure(1234.4, exact=False)) == "~1,230"
    assert str(Figure(0.25, exact=False)) == "~0.25"
    assert str(Figure(2) + Figure(3, exact=False)) == "~5"
    assert str(Figure(2) * Figure(3)) == "6"
