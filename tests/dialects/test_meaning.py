"""SQL of other dialects gives the dialect's rows in DuckDB, or is refused.

The values are those that the documentation of each dialect promises.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import duckdb
import pytest

from heliumql.dialects import translated
from heliumql.errors import BindError

SETUP = """
CREATE TABLE t (id INTEGER, x VARCHAR, n INTEGER, f DOUBLE, l INTEGER[], d DATE, v JSON);
INSERT INTO t VALUES
  (1, 'a', 7, 2.5, [10, 20], '2024-01-31', '{"a": "x", "n": 1, "labels": ["p", "q"]}'),
  (2, NULL, NULL, NULL, NULL, NULL, NULL),
  (3, 'b%', 2, -2.5, [], '2024-02-01', '{"a": null}');
"""

SPARKS = ("spark", "databricks")
GIVES: list[tuple[str | tuple[str, ...], str, list[object]]] = [
    # integer division
    ("postgres", "SELECT 7 / 2", [3]),
    ("postgres", "SELECT -7 / 2", [-3]),
    ("postgres", "SELECT 7.0 / 2", [3.5]),
    ("postgres", "SELECT CAST(n AS INT) / 2 FROM t WHERE id = 1", [3]),
    ("postgres", "SELECT CAST(n AS FLOAT8) / 2 FROM t WHERE id = 1", [3.5]),
    ("postgres", "SELECT COUNT(*) / 2 FROM t", [1]),
    (("snowflake", "bigquery", *SPARKS), "SELECT 7 / 2", [3.5]),
    ("bigquery", "SELECT DIV(7, 2)", [3]),
    ("databricks", "SELECT 7 div 2", [3]),
    ("bigquery", "SELECT SAFE_DIVIDE(7, 0)", [None]),
    ("snowflake", "SELECT 7 / NULLIF(0, 0)", [None]),
    ("snowflake", "SELECT n / 2 FROM t WHERE id = 2", [None]),
    # where NULL stands
    ("snowflake", "SELECT n FROM t ORDER BY n DESC", [None, 7, 2]),
    ("postgres", "SELECT n FROM t ORDER BY n DESC", [None, 7, 2]),
    ("postgres", "SELECT n FROM t ORDER BY n", [2, 7, None]),
    ("bigquery", "SELECT n FROM t ORDER BY n", [None, 2, 7]),
    (SPARKS, "SELECT n FROM t ORDER BY n", [None, 2, 7]),
    (SPARKS, "SELECT n FROM t ORDER BY n DESC", [7, 2, None]),
    ("bigquery", "SELECT n FROM t ORDER BY n NULLS LAST", [2, 7, None]),
    ("bigquery", "SELECT STRING_AGG(CAST(n AS STRING), '-' ORDER BY n) FROM t", ["2-7"]),
    # NULL in functions
    (("snowflake", "bigquery"), "SELECT GREATEST(1, NULL)", [None]),
    (("postgres", *SPARKS), "SELECT GREATEST(1, NULL)", [1]),
    (("snowflake", "bigquery", *SPARKS), "SELECT CONCAT('a', x) FROM t WHERE id = 2", [None]),
    ("postgres", "SELECT CONCAT('a', x) FROM t WHERE id = 2", ["a"]),
    ("snowflake", "SELECT ARRAY_AGG(n) WITHIN GROUP (ORDER BY id) FROM t", [[7, 2]]),
    ("postgres", "SELECT ARRAY_AGG(n ORDER BY id) FROM t", [[7, None, 2]]),
    ("databricks", "SELECT collect_list(n) FROM (SELECT n FROM t WHERE id < 3)", [[7]]),
    # lists
    ("bigquery", "SELECT l[OFFSET(0)] FROM t WHERE id = 1", [10]),
    ("bigquery", "SELECT l[ORDINAL(1)] FROM t WHERE id = 1", [10]),
    ("bigquery", "SELECT l[SAFE_OFFSET(5)] FROM t WHERE id = 1", [None]),
    ("postgres", "SELECT l[1] FROM t WHERE id = 1", [10]),
    (SPARKS, "SELECT l[0] FROM t WHERE id = 1", [10]),
    ("bigquery", "SELECT e FROM t, UNNEST(t.l) AS e ORDER BY e", [10, 20]),
    (SPARKS, "SELECT e FROM t LATERAL VIEW explode(l) w AS e ORDER BY e", [10, 20]),
    # texts and escapes
    (("snowflake", "bigquery", *SPARKS), r"SELECT 'a\nb\'c\\d'", ["a\nb'c\\d"]),
    (("snowflake", "bigquery"), r"SELECT 'A\x41\u0041'", None),  # type: ignore[list-item]
    ("postgres", r"SELECT 'a\nb'", [r"a\nb"]),
    ("postgres", r"SELECT E'a\nb\'c\\d'", ["a\nb'c\\d"]),
    ("postgres", "SELECT $$it's$$", ["it's"]),
    ("bigquery", r"""SELECT "it's", r'a\n'""", None),  # type: ignore[list-item]
    (("bigquery", *SPARKS), r"SELECT x LIKE 'b\\%' FROM t WHERE id = 3", [True]),
    ("postgres", r"SELECT x LIKE 'b\%' FROM t WHERE id = 3", [True]),
    ("postgres", r"SELECT x LIKE 'b' || '\%' FROM t WHERE id = 3", [True]),
    ("snowflake", r"SELECT x LIKE 'b\\%' FROM t WHERE id = 3", [False]),
    (
        ("snowflake", "bigquery", "postgres", *SPARKS),
        "SELECT x LIKE 'b_' FROM t WHERE id = 3",
        [True],
    ),
    ("postgres", "SELECT x ~ 'a' FROM t WHERE id = 1", [True]),
    ("postgres", "SELECT 'xay' ~ 'a'", [True]),
    ("snowflake", "SELECT 'xay' RLIKE 'a', 'a' RLIKE 'a'", None),  # type: ignore[list-item]
    (SPARKS, "SELECT 'xay' RLIKE 'a'", [True]),
    ("snowflake", "SELECT LISTAGG(x) WITHIN GROUP (ORDER BY id) FROM t", ["ab%"]),
    ("postgres", "SELECT LEFT('abc', -1)", ["ab"]),
    # numbers and casts
    (SPARKS, "SELECT CAST(1.9 AS INT)", [1]),
    (SPARKS, "SELECT CAST(CAST(f AS DOUBLE) AS INT) FROM t WHERE id = 3", [-2]),
    (("bigquery", "snowflake"), "SELECT CAST(CAST(f AS FLOAT64) AS INT) FROM t WHERE id = 1", [3]),
    ("postgres", "SELECT CAST(2.5 AS INT)", [3]),
    ("postgres", "SELECT CAST(CAST(2.5 AS FLOAT8) AS INT)", [2]),
    ("snowflake", "SELECT 1.26::NUMBER", [Decimal(1)]),
    (SPARKS, "SELECT CAST('12' AS DECIMAL)", [Decimal(12)]),
    ("bigquery", "SELECT CAST('1.123456789' AS NUMERIC)", [Decimal("1.123456789")]),
    ("bigquery", "SELECT SAFE_CAST('x' AS INT64)", [None]),
    ("snowflake", "SELECT TRY_CAST('x' AS INT)", [None]),
    ("snowflake", "SELECT 3000000000::INT", [3000000000]),
    ("postgres", "SELECT ROUND(2.5)", [Decimal(3)]),
    ("databricks", "SELECT 10L", [10]),
    # dates
    ("snowflake", "SELECT DATEADD(month, 1, d::DATE) FROM t WHERE id = 1", [date(2024, 2, 29)]),
    ("bigquery", "SELECT DATE_ADD(d, INTERVAL 1 DAY) FROM t WHERE id = 1", [date(2024, 2, 1)]),
    ("databricks", "SELECT date_add(d, 1) FROM t WHERE id = 1", [date(2024, 2, 1)]),
    ("databricks", "SELECT datediff(DATE '2024-02-01', d) FROM t WHERE id = 1", [1]),
    ("snowflake", "SELECT DATEDIFF(month, d, '2024-02-01'::DATE) FROM t WHERE id = 1", [1]),
    ("bigquery", "SELECT DATE_DIFF(DATE '2024-02-01', d, DAY) FROM t WHERE id = 1", [1]),
    ("postgres", "SELECT d + INTERVAL '1 day' FROM t WHERE id = 1", [datetime(2024, 2, 1)]),
    ("postgres", "SELECT EXTRACT(YEAR FROM d) FROM t WHERE id = 1", [2024]),
    # VARIANT and JSON
    ("snowflake", "SELECT v:a::string FROM t ORDER BY id", ["x", None, None]),
    ("snowflake", "SELECT v:labels[1]::string FROM t WHERE id = 1", ["q"]),
    ("snowflake", "SELECT v:n::int + 1 FROM t WHERE id = 1", [2]),
    ("snowflake", "WITH c AS (SELECT v:a AS b FROM t WHERE id = 1) SELECT b::string FROM c", ["x"]),
    ("snowflake", 'SELECT c:a::string FROM (SELECT PARSE_JSON(\'{"a": "x"}\') AS c)', ["x"]),
    ("databricks", "SELECT v:a::string FROM t WHERE id = 1", ["x"]),
    ("postgres", "SELECT v->>'a' FROM t WHERE id = 1", ["x"]),
    ("bigquery", "SELECT JSON_VALUE(v, '$.a') FROM t WHERE id = 1", ["x"]),
    # queries
    (
        ("snowflake", "bigquery", "databricks"),
        "SELECT id FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY id DESC) = 1",
        [3],
    ),
    ("bigquery", "SELECT * EXCEPT (x, n, f, l, d, v) FROM t WHERE id = 1", [1]),
    ("snowflake", "SELECT * EXCLUDE (x, n, f, l, d, v) FROM t WHERE id = 1", [1]),
    ("snowflake", "SELECT LAST_VALUE(id) OVER (ORDER BY id) FROM t", [3, 3, 3]),
    ("postgres", "SELECT LAST_VALUE(id) OVER (ORDER BY id) FROM t", [1, 2, 3]),
    ("snowflake", "SELECT TOP 1 id FROM t ORDER BY id", [1]),
    ("snowflake", "SELECT IFF(n > 2, 'big', 'small') FROM t WHERE id = 1", ["big"]),
    ("postgres", "SELECT DISTINCT ON (1) id FROM t ORDER BY 1, id LIMIT 1", [1]),
    ("postgres", "SELECT COUNT(*) FILTER (WHERE n > 2) FROM t", [1]),
    (SPARKS, "SELECT id FROM t LEFT ANTI JOIN (SELECT 1 AS k) u ON t.id = u.k ORDER BY id", [2, 3]),
    (SPARKS, "SELECT NULL <=> NULL", [True]),
    ("bigquery", "SELECT COUNTIF(n > 2) FROM `t`", [1]),
    (
        "postgres",
        "WITH RECURSIVE r AS (SELECT 1 AS k UNION ALL SELECT k + 1 FROM r WHERE k < 3)"
        " SELECT k FROM r ORDER BY k",
        [1, 2, 3],
    ),
]
SEVERAL: dict[str, tuple[object, ...]] = {
    r"SELECT 'A\x41\u0041'": ("AAA",),
    r"""SELECT "it's", r'a\n'""": ("it's", r"a\n"),
    "SELECT 'xay' RLIKE 'a', 'a' RLIKE 'a'": (False, True),
}


def rows(text: str, dialect: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        # Where NULL stands is said in the text, whatever the setting.
        connection.execute(SETUP + "SET default_null_order = 'nulls_first'")
        return connection.execute(translated(text, dialect)).fetchall()


@pytest.mark.parametrize(
    ("dialect", "text", "values"),
    [
        (dialect, text, values)
        for dialects, text, values in GIVES
        for dialect in ([dialects] if isinstance(dialects, str) else dialects)
    ],
)
def test_rows_are_those_of_the_dialect(
    dialect: str, text: str, values: list[object] | None
) -> None:
    expected = [SEVERAL[text]] if values is None else [(value,) for value in values]
    if dialect == "snowflake":
        text = text.replace("FLOAT64", "FLOAT")
    assert rows(text, dialect) == expected


@pytest.mark.parametrize("dialect", ["snowflake", "bigquery", "databricks", "spark", "postgres"])
def test_a_division_by_zero_fails(dialect: str) -> None:
    with pytest.raises(duckdb.Error, match="division by zero"):
        rows("SELECT 1 / CAST(id - 1 AS DECIMAL(5, 0)) FROM t", dialect)


REFUSED: list[tuple[str | tuple[str, ...], str, str]] = [
    # what the text does not tell
    ("postgres", "SELECT n / 2 FROM t", "divides whole numbers"),
    (SPARKS, "SELECT CAST(x AS INT) FROM t", "cuts fractions off"),
    ("postgres", "SELECT ROUND(f) FROM t", "rounds a half"),
    ("postgres", "SELECT CAST(x AS NUMERIC) FROM t", "any number of digits"),
    (("snowflake", "postgres"), "SELECT CAST(x AS VARCHAR(3)) FROM t", "cut texts to a length"),
    ("snowflake", "SELECT l[0] FROM t", "a list or a VARIANT"),
    ("databricks", "SELECT l[n] FROM t", "counts from"),
    ("postgres", "SELECT l[-1] FROM t", "from the end"),
    ("snowflake", "SELECT DATEADD(day, 1, d) FROM t", "a date or a time"),
    ("snowflake", "SELECT id FROM t WHERE v:a = 'x'", "VARIANT"),
    ("snowflake", "WITH c AS (SELECT v:a AS b FROM t) SELECT 1 FROM c WHERE b = 'x'", "VARIANT"),
    ("databricks", "SELECT v:a FROM t", "not known"),
    ("snowflake", 'SELECT "x", x FROM t', "apart"),
    ("postgres", 'SELECT "X", x FROM t', "apart"),
    # what means something else
    ("snowflake", "SELECT f.value FROM t, LATERAL FLATTEN(input => t.v) f", "LATERAL"),
    (SPARKS, "SELECT e FROM t LATERAL VIEW OUTER explode(l) w AS e", "LATERAL"),
    (SPARKS, "SELECT explode(l) FROM t", "explode"),
    (SPARKS, "SELECT exists(l, x -> x > 1) FROM t", "cannot be carried over"),
    (SPARKS, "SELECT id FROM t DISTRIBUTE BY id SORT BY id", "DISTRIBUTE"),
    (SPARKS, "SELECT /*+ BROADCAST(t) */ id FROM t", "HINT"),
    (SPARKS, "SELECT id FROM t TABLESAMPLE (10 PERCENT)", "SAMPLE"),
    ("bigquery", "SELECT EXTRACT(DAYOFWEEK FROM d) FROM t", "DAYOFWEEK"),
    ("bigquery", "SELECT DATE_TRUNC(d, WEEK) FROM t", "WEEK"),
    ("bigquery", "SELECT SUBSTR(x, -2) FROM t", "start before 1"),
    ("bigquery", "SELECT l[0] FROM t", "index"),
    ("bigquery", "SELECT 5 ^ 3", "BITWISE XOR"),
    ("bigquery", "SELECT b'a'", "BYTE STRING"),
    ("bigquery", "SELECT @@error.message", "cannot be carried over"),
    ("postgres", r"SELECT E'\u0041'", "escape"),
    ("postgres", "SELECT id FROM t FOR UPDATE", "LOCKS"),
    ("postgres", "SELECT to_char(d, 'YYYY') FROM t", "to_char"),
    ("snowflake", "SELECT $1 FROM t", "by number"),
    ("snowflake", "SELECT id FROM @stage/file", "FROM"),
    ("snowflake", "SELECT my_function(id) FROM t", "my_function"),
    ("snowflake", "USE DATABASE d", "USE"),
    ("snowflake", "ALTER SESSION SET x = 1", "cannot be carried over"),
    ("snowflake", "CREATE STAGE s", "cannot be carried over"),
    ("postgres", "CREATE TABLE u (a INT PRIMARY KEY)", "cannot be carried over"),
    ("postgres", "UPDATE t SET n = 1", "UPDATE"),
]


@pytest.mark.parametrize(
    ("dialect", "text", "said"),
    [
        (dialect, text, said)
        for dialects, text, said in REFUSED
        for dialect in ([dialects] if isinstance(dialects, str) else dialects)
    ],
)
def test_what_differs_is_refused_with_its_place(dialect: str, text: str, said: str) -> None:
    with pytest.raises(BindError) as caught:
        translated(f"SELECT 1;\n{text}", dialect)
    assert said in caught.value.message
    assert "line 2" in str(caught.value)
