"""The query inside a statement can be run by itself and its rows put back."""

from __future__ import annotations

import duckdb
import pytest

from heliumql.syntax import shell


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("SELECT 1", "select"),
        ("FROM t", "select"),
        ("(SELECT 1) UNION (SELECT 2)", "select"),
        ("VALUES (1)", "select"),
        ("TABLE t", "select"),
        ("WITH a AS (SELECT 1) SELECT * FROM a", "select"),
        ("WITH a AS (SELECT 1) FROM a", "select"),
        ("WITH a AS (SELECT 1) UPDATE t SET x = 1", "update"),
        ("WITH a AS (SELECT 1) DELETE FROM t", "delete"),
        ("WITH a AS (SELECT 1) INSERT INTO t FROM a", "insert"),
        ("MERGE INTO t USING u ON a = b WHEN MATCHED THEN DELETE", "merge"),
        ("COPY (SELECT 1) TO 'x.csv'", "copy_to"),
        ("COPY t TO 'x.csv'", "other"),
        ("COPY t FROM 'x.csv'", "other"),
        ("CREATE TABLE t AS SELECT 1", "create_table_as"),
        ("CREATE TABLE t (a INT)", "other"),
        ("CREATE VIEW v AS SELECT 1", "other"),
        ("SET threads = 1", "other"),
        ("DESCRIBE SELECT 1", "other"),
        ("SHOW TABLES", "other"),
        ("", "other"),
    ],
)
def test_kinds(text: str, kind: str) -> None:
    assert shell(text).kind == kind


@pytest.mark.parametrize(
    "text",
    [
        "CREATE OR REPLACE TABLE made AS (SELECT 1 AS a, 'x' AS b)",
        "CREATE TEMP TABLE made2 AS WITH q AS (SELECT 7 AS a) SELECT a, 'y' AS b FROM q",
        "CREATE TABLE made3(c, d) AS SELECT 1, 2 WITH NO DATA",
        "INSERT INTO kept SELECT 2, 'two'",
        "INSERT INTO kept (b, a) VALUES ('three', 3) RETURNING a",
        "INSERT INTO kept BY NAME (SELECT 'four' AS b, 4 AS a)",
        "INSERT OR REPLACE INTO kept AS k SELECT 1, 'again'",
        "INSERT INTO kept FROM (SELECT 1, 'one') ON CONFLICT (a) DO UPDATE SET b = 'more'",
        "WITH q AS (SELECT 9 AS x) INSERT INTO main.kept (a) SELECT x FROM q RETURNING *",
    ],
)
def test_the_query_and_what_is_around_it_do_what_the_statement_does(text: str) -> None:
    def outcome(run: list[str]) -> list[object]:
        con = duckdb.connect()
        con.execute("CREATE TABLE kept (a INTEGER PRIMARY KEY, b VARCHAR)")
        con.execute("INSERT INTO kept VALUES (1, 'one')")
        rows: list[object] = [con.execute(sql).fetchall() for sql in run][-1:]
        tables = [name for (name,) in con.execute("SHOW TABLES").fetchall()]
        rows += [con.execute(f"FROM {name} ORDER BY ALL").fetchall() for name in tables]
        con.close()
        return rows

    whole = shell(text)
    assert whole.query is not None
    assert whole.span is not None
    assert len(whole.query) == whole.span.end - whole.span.start
    filled = f"{whole.before}SELECT * FROM result{whole.after}"
    steps = [f"CREATE TEMP VIEW result AS {whole.query}", filled]
    assert outcome(steps) == outcome([steps[0], text])


@pytest.mark.parametrize(
    "text", ["INSERT INTO t DEFAULT VALUES", "INSERT INTO t VALUES (1, DEFAULT)"]
)
def test_an_insert_that_only_makes_sense_as_a_whole_has_no_query(text: str) -> None:
    assert shell(text).kind == "insert"
    assert shell(text).query is None
