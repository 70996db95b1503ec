"""The answer type that the use of a call asks for, and where it asks for none."""

from __future__ import annotations

import re

import pytest

from heliumql.syntax.inferred import inferred_types
from heliumql.syntax.tokens import tokenize
from heliumql.syntax.tree import parse_soup

G = "LLM_GENERATE('x {y}')"


def inferred(text: str) -> list[str]:
    found = inferred_types(parse_soup(tokenize(text)), text)
    return [kind.sql() for _, kind in sorted(found.items())]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        # casts
        ("SELECT g::DATE", "DATE"),
        ("SELECT -g::INTEGER", "INTEGER"),
        ("SELECT g :: DECIMAL(5, 2) + 1", "DECIMAL(5,2)"),
        ("SELECT g::double precision, 1", "DOUBLE"),
        ("SELECT g::TIMESTAMP WITHOUT TIME ZONE FROM t", "TIMESTAMP"),
        ("SELECT g::STRUCT(a INTEGER, b VARCHAR)[]", 'STRUCT("a" INTEGER, "b" VARCHAR)[]'),
        ("SELECT g::INTEGER[] AS l", "INTEGER[]"),
        ("SELECT g::BOOLEAN IS NOT NULL", "BOOLEAN"),
        ("SELECT x || g::INTEGER", "INTEGER"),
        ("SELECT (g)::INTEGER", "INTEGER"),
        ("SELECT ((g))::INTEGER", "INTEGER"),
        ("SELECT x || (g)::INTEGER", "INTEGER"),
        ("SELECT cast((g) AS date)", "DATE"),
        ("SELECT * FROM t WHERE (g) > 3", "DOUBLE"),
        ("SELECT cast(g AS date)", "DATE"),
        ("SELECT TRY_CAST(g AS ENUM('a', 'b'))", "ENUM('a', 'b')"),
        ("SELECT g::JSON -> 'a'", "JSON"),
        ("SELECT LLM_GENERATE('y {0}', g::DATE)", "DATE"),
        ("SELECT LLM_AGG(y, 'i' ORDER BY g::DATE)", "DATE"),
        ("SELECT LLM_AGG(y, 'i') FILTER (WHERE g > 3)", "DOUBLE"),
        # comparisons with numbers
        ("SELECT * FROM t WHERE g > 3", "DOUBLE"),
        ("SELECT g <= -3.5 AS small", "DOUBLE"),
        ("SELECT g<>3", "DOUBLE"),
        ("SELECT g != 3 OR a", "DOUBLE"),
        ("SELECT * FROM t WHERE a AND g >= 3 ORDER BY a", "DOUBLE"),
        ("SELECT * FROM t WHERE 3 < g LIMIT 1", "DOUBLE"),
        ("SELECT * FROM t WHERE -3<g AND a", "DOUBLE"),
        ("SELECT count(*) FILTER (WHERE g > 3)", "DOUBLE"),
        ("SELECT sum(CASE WHEN g > 3 THEN 1 ELSE 0 END)", "DOUBLE"),
        ("SELECT * FROM t WHERE NOT g BETWEEN 1 AND 5", "DOUBLE"),
        ("SELECT * FROM t WHERE a BETWEEN 1 AND 2 AND g NOT BETWEEN -1 AND +5", "DOUBLE"),
        ("SELECT * FROM t WHERE g = 3.0", "DOUBLE"),
        ("SELECT * FROM t WHERE g = 3", "INTEGER"),
        ("SELECT * FROM t WHERE -3 = g", "INTEGER"),
        ("SELECT * FROM t WHERE g == 3000000000", "BIGINT"),
        ("SELECT * FROM t WHERE g = 10000000000000000000", "DOUBLE"),
        ("SELECT * FROM t WHERE g IN (1, -2)", "INTEGER"),
        ("SELECT * FROM t WHERE g NOT IN (1, 2.5)", "DOUBLE"),
        # conditions
        ("SELECT NOT g", "BOOLEAN"),
        ("SELECT g AND a AS both", "BOOLEAN"),
        ("SELECT a, b OR g, c", "BOOLEAN"),
        ("SELECT count(*) FILTER (WHERE a) + CAST(NOT g AS INTEGER)", "BOOLEAN"),
        ("SELECT g = TRUE", "BOOLEAN"),
        ("SELECT false != g", "BOOLEAN"),
        ("SELECT g IS TRUE AS a", "BOOLEAN"),
        ("SELECT * FROM t WHERE NOT g IS NOT FALSE", "BOOLEAN"),
        ("SELECT * FROM t WHERE g", "BOOLEAN"),
        ("SELECT * FROM t WHERE g AND a = 1", "BOOLEAN"),
        ("SELECT * FROM t WHERE a = 1 OR NOT g ORDER BY a", "BOOLEAN"),
        ("SELECT * FROM t WHERE a AND (b OR (g))", "BOOLEAN"),
        ("SELECT * FROM t WHERE a BETWEEN 1 AND 2 AND g", "BOOLEAN"),
        ("SELECT * FROM t WHERE a IS DISTINCT FROM b AND g", "BOOLEAN"),
        ("SELECT * FROM t WHERE left(a, 1) = 'x' AND g", "BOOLEAN"),
        ("SELECT k FROM t GROUP BY k HAVING g", "BOOLEAN"),
        ("SELECT * FROM t QUALIFY g", "BOOLEAN"),
        ("SELECT * FROM t JOIN u ON g LEFT JOIN v ON TRUE", "BOOLEAN"),
        ("SELECT * FROM t JOIN u ON t.k = u.k AND g, v", "BOOLEAN"),
        ("SELECT CASE WHEN g THEN 1 END", "BOOLEAN"),
        ("SELECT CASE WHEN a THEN b WHEN a AND g THEN 1 END", "BOOLEAN"),
        ("SELECT count(*) FILTER (WHERE g) FROM t", "BOOLEAN"),
        ("SELECT * FROM t WHERE a IN (SELECT b FROM u WHERE g)", "BOOLEAN"),
        ("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED AND g THEN DELETE", "BOOLEAN"),
        ("DELETE FROM t WHERE g RETURNING a", "BOOLEAN"),
    ],
)
def test_types_that_a_use_asks_for(text: str, kind: str) -> None:
    assert inferred(with_call(text)) == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT g",
        "SELECT g AS a FROM t",
        "SELECT g::VARCHAR",
        "SELECT g::mood",
        "SELECT g::BLOB",
        "SELECT g::TIMESTAMPTZ",
        "SELECT g::MAP(VARCHAR, INTEGER)",
        "SELECT cast(g || '1' AS INTEGER)",
        "SELECT cast(g AS VARCHAR)",
        "SELECT * FROM t WHERE g = 'yes'",
        "SELECT * FROM t WHERE g > 'm' AND a",
        "SELECT * FROM t WHERE g IN ('a', 'b')",
        "SELECT * FROM t WHERE g IN (1, 'b')",
        "SELECT * FROM t WHERE g IN (1 + 1)",
        "SELECT * FROM t WHERE g IN (SELECT 1)",
        "SELECT * FROM t WHERE g IN (1, 2) IS NULL",
        "SELECT * FROM t WHERE g LIKE '%a'",
        "SELECT * FROM t WHERE g IS NULL",
        "SELECT * FROM t WHERE g = a",
        "SELECT * FROM t WHERE g > 3 + a",
        "SELECT * FROM t WHERE g > 3::TINYINT",
        "SELECT * FROM t WHERE g + 1 > 3",
        "SELECT * FROM t WHERE 1 + g > 3",
        "SELECT * FROM t WHERE -g > 3",
        "SELECT * FROM t WHERE g || 'x' > 3",
        "SELECT * FROM t WHERE 3 < g + 1",
        "SELECT * FROM t WHERE a - 3 < g",
        "SELECT * FROM t WHERE 1 < g < 3",
        "SELECT * FROM t WHERE g <=> 3",
        "SELECT * FROM t WHERE g << 3 AND a",
        "SELECT * FROM t WHERE g > TRUE",
        "SELECT * FROM t WHERE length(g) > 3",
        "SELECT length(g)::INTEGER",
        "SELECT (SELECT g)::INTEGER",
        "SELECT a IN (g)",
        "SELECT * FROM t WHERE g[1] = 3",
        "SELECT * FROM t WHERE g BETWEEN 1 AND a",
        "SELECT * FROM t WHERE g BETWEEN '1' AND '5'",
        "SELECT * FROM t WHERE a BETWEEN g AND 3",
        "SELECT * FROM t WHERE a BETWEEN 3 AND g",
        "SELECT * FROM t WHERE a BETWEEN CASE WHEN b THEN 1 END AND g",
        "SELECT * FROM t WHERE a = (g)",
        "SELECT * FROM t WHERE (g, 1) = (2, 3)",
        "SELECT * FROM t WHERE coalesce(g, 'no')",
        "SELECT * FROM t WHERE a ORDER BY g",
        "SELECT CASE g WHEN 1 THEN 2 END",
        "SELECT CASE a WHEN g THEN 2 END",
        "SELECT CASE WHEN a THEN g END",
        "SELECT DISTINCT ON (g) a FROM t",
        "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = g",
        "SELECT list_filter(l, x -> g)",
        # written alike, used in two ways: one expression to SQL
        "SELECT g FROM t WHERE g > 3",
        "SELECT g::DATE FROM t WHERE g = 3",
    ],
)
def test_where_nothing_is_known(text: str) -> None:
    assert inferred(with_call(text)) == []


def with_call(text: str) -> str:
    """The text with a call for each word g."""
    return re.sub(r"\bg\b", G, text)


def test_calls_that_are_written_alike_and_used_alike_have_the_type() -> None:
    assert inferred(with_call("SELECT g > 3 FROM t WHERE g < 7")) == ["DOUBLE", "DOUBLE"]


def test_other_verbs_have_types_of_their_own() -> None:
    assert inferred("SELECT LLM_SCORE('x')::INTEGER") == []
