"""`heliumql.connect(con)` over a DuckDB connection of the caller's, which stays as it was."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import heliumql
from heliumql import ExecutionError
from heliumql.connection import Connection
from heliumql.relations.relation import Relation

SIMULATED = "CREATE TEMP MODEL m WITH (engine = 'simulated')"
Rows = list[tuple[Any, ...]]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE t AS SELECT i AS id, 'text ' || i AS body FROM range(3) x(i)"
        )
        yield connection


@pytest.fixture
def hq(con: duckdb.DuckDBPyConnection) -> Iterator[Connection]:
    with heliumql.connect(con) as connection:
        connection.execute(SIMULATED)
        yield connection


def rows(relation: Relation | None) -> Rows:
    assert relation is not None
    return relation.fetchall()


# transactions -----------------------------------------------------------------------------


def test_uncommitted_rows_and_temporary_tables_are_seen(
    con: duckdb.DuckDBPyConnection, hq: Connection
) -> None:
    con.begin()
    con.execute("INSERT INTO t VALUES (9, 'new')")
    con.execute("CREATE TEMP TABLE names AS SELECT 'Ada' AS name")
    query = "SELECT id, LLM_GENERATE('{body} {name}') IS NULL FROM t, names WHERE id > 1 ORDER BY 1"
    assert rows(hq.sql(query)) == [(2, False), (9, False)]
    hq.execute("CREATE TABLE made AS SELECT LLM_GENERATE('{body}') AS g FROM t")
    assert con.execute("SELECT count(*) FROM made").fetchall() == [(4,)]  # the same transaction
    con.rollback()
    assert con.execute("SELECT count(*) FROM t").fetchall() == [(3,)]
    with pytest.raises(duckdb.CatalogException):
        con.execute("FROM made")
    assert len(rows(hq.sql("SELECT LLM_GENERATE('{body}') FROM t"))) == 3


@pytest.mark.parametrize("given", [["x"], {"x": "x"}])
def test_parameters_leave_a_transaction_as_it_is(
    con: duckdb.DuckDBPyConnection, hq: Connection, given: list[str] | dict[str, str]
) -> None:
    frame = pd.DataFrame({"a": ["x", "y"]})
    name = "?" if isinstance(given, list) else "$x"
    con.begin()
    con.execute("INSERT INTO t VALUES (9, 'new')")
    query = f"SELECT LLM_GENERATE('{{a}}') IS NULL FROM frame WHERE a = {name}"
    assert rows(hq.sql(query, given)) == [(False,)]
    ours = f"WITH frame AS (FROM t) SELECT LLM_GENERATE('{{body}}') || {name} IS NULL FROM frame"
    assert rows(hq.sql(ours, given)) == [(False,)] * 4
    con.commit()
    assert con.execute("SELECT count(*) FROM t").fetchall() == [(4,)]
    assert len(frame) == 2


def test_what_is_registered_in_a_transaction_survives_its_rollback() -> None:
    frame = pd.DataFrame({"a": ["x"]})
    with duckdb.connect() as con:
        con.begin()
        con.execute("SELECT count(*) FROM duckdb_functions()").fetchall()
        with heliumql.connect(con) as hq:
            hq.execute(SIMULATED)
            for _ in range(2):
                assert rows(hq.sql("SELECT LLM_GENERATE('{a}') IS NULL FROM frame")) == [(False,)]
                con.rollback()
                con.begin()
            con.commit()
            query = hq.sql("SELECT LLM_GENERATE('{a}') IS NULL FROM frame")
            assert query is not None
            assert query.fetchall() == [(False,)]
    assert len(frame) == 1


def test_a_query_can_be_read_again_after_its_copy_was_rolled_back(
    con: duckdb.DuckDBPyConnection, hq: Connection
) -> None:
    frame = pd.DataFrame({"a": ["x", "y"]})
    con.begin()
    query = hq.sql("SELECT LLM_GENERATE('{a}') FROM frame ORDER BY a")
    assert query is not None
    first = query.fetchall()
    con.rollback()
    assert query.fetchall() == first
    assert len(frame) == 2


# variables --------------------------------------------------------------------------------


def by_sql(hq: Connection, text: str) -> Rows:
    frame = pd.DataFrame({"a": ["x", "y"]})
    found = hq.sql(text)
    assert found is not None
    assert len(frame) == 2
    return found.fetchall()


def by_execute(hq: Connection, text: str) -> Rows:
    frame = pl.DataFrame({"a": ["x", "y"]})
    assert len(frame) == 2
    return hq.execute(text).fetchall()


def by_sql_many(hq: Connection, text: str) -> Rows:
    frame = pa.table({"a": ["x", "y"]})
    first, second = hq.sql_many([text, text])
    assert len(frame) == 2
    assert first.fetchall() == second.fetchall()
    return second.fetchall()


def by_sql_async(hq: Connection, text: str) -> Rows:
    async def asked() -> Rows:
        frame = pa.table({"a": ["x", "y"]})
        relation = await hq.sql_async(text)
        assert len(frame) == 2
        return list(await relation.fetchall())

    return asyncio.run(asked())


def by_lambda(hq: Connection, text: str) -> Rows:
    ask = lambda frame: hq.sql(text).fetchall()  # noqa: E731
    return list(ask(pd.DataFrame({"a": ["x", "y"]})))


def by_prepared(hq: Connection, text: str) -> Rows:
    frame = pd.DataFrame({"a": ["x", "y"]})
    hq.execute(f"PREPARE p AS {text}")
    assert len(frame) == 2
    return hq.execute("EXECUTE p").fetchall()


WAYS = [by_sql, by_execute, by_sql_many, by_sql_async, by_lambda, by_prepared]


@pytest.mark.parametrize("way", WAYS, ids=[w.__name__ for w in WAYS])
@pytest.mark.parametrize(
    "text",
    [
        "SELECT a FROM frame ORDER BY a",
        "SELECT a, LLM_GENERATE('On {a}') FROM frame ORDER BY a",
        "SELECT f.a FROM frame AS f WHERE LLM_FILTER('{f.a}?') OR true ORDER BY a",
        "WITH k AS (FROM frame) SELECT a, LLM_SCORE('{a}') FROM k WHERE a IN (FROM k) ORDER BY 1",
        "FROM frame SELECT a, LLM_GENERATE('{a}', temperature => 1) IS NULL AS no ORDER BY a",
    ],
)
def test_variables_of_the_caller_are_tables(
    hq: Connection, way: Callable[[Connection, str], Rows], text: str
) -> None:
    if way is by_prepared and "LLM" not in text:
        pytest.skip("DuckDB's own PREPARE reads no variables")
    assert [row[0] for row in way(hq, text)] == ["x", "y"]


def test_changes_read_variables_too(con: duckdb.DuckDBPyConnection, hq: Connection) -> None:
    frame = pd.DataFrame({"n": [0, 1]})
    hq.execute("CREATE TABLE made AS SELECT n, LLM_GENERATE('{n}') AS g FROM frame")
    hq.execute("INSERT INTO made SELECT n, LLM_GENERATE('{n}') FROM frame")
    hq.execute("UPDATE made SET g = LLM_GENERATE('Again {g}') FROM frame WHERE frame.n = made.n")
    hq.execute("DELETE FROM made USING frame WHERE frame.n = made.n AND LLM_GENERATE('x') IS NULL")
    assert con.execute("SELECT count(*) FROM made").fetchall() == [(4,)]
    assert len(frame) == 2


def test_relations_see_the_variables_of_where_they_were_made(hq: Connection) -> None:
    def made() -> tuple[Relation, Relation]:
        frame = pd.DataFrame({"a": ["x", "y"]})
        plain, asked = hq.sql("FROM frame"), hq.sql("SELECT a, LLM_GENERATE('{a}') AS g FROM frame")
        assert plain is not None
        assert asked is not None
        assert len(frame) == 2
        return plain, asked

    plain, asked = made()
    gc.collect()
    assert plain.fetchall() == plain.fetchall() == [("x",), ("y",)]
    assert plain.filter("a = 'x'").fetchall() == [("x",)]
    assert [a for a, _ in asked.fetchall()] == ["x", "y"]
    assert [a for a, _ in asked.filter("a = 'y'").fetchall()] == ["y"]


def test_tables_go_before_variables_and_registered_frames_are_tables(
    con: duckdb.DuckDBPyConnection, hq: Connection
) -> None:
    t = pd.DataFrame({"id": [77], "body": ["not this"]})
    con.register("registered", pa.table({"a": ["r"]}))
    con.execute("CREATE TEMP VIEW seen AS FROM registered")
    assert rows(hq.sql("SELECT max(id) FROM t WHERE LLM_GENERATE('{body}') <> ''")) == [(2,)]
    for name in ("registered", "seen", "Registered"):
        assert rows(hq.sql(f"SELECT a, LLM_GENERATE('{{a}}') IS NULL FROM {name}")) == [
            ("r", False)
        ]
    assert rows(hq.sql("FROM registered")) == [("r",)]
    assert len(t) == 1


def test_variables_of_ours_are_not_seen(hq: Connection) -> None:
    for name in ("relation", "text", "names", "frame", "statement", "connection"):
        with pytest.raises(ExecutionError, match="does not exist"):
            hq.sql(f"FROM {name}")


def test_variables_are_off_where_the_user_said_so(
    con: duckdb.DuckDBPyConnection, hq: Connection
) -> None:
    frame = pd.DataFrame({"a": ["x"]})
    con.execute("SET python_enable_replacements = false")
    for text in ("FROM frame", "SELECT LLM_GENERATE('{a}') FROM frame"):
        with pytest.raises(heliumql.HeliumQLError, match="frame does not exist"):
            hq.sql(text)
    assert len(frame) == 1


def test_mistakes_have_their_places_beside_a_copy(hq: Connection) -> None:
    frame = pd.DataFrame({"a": ["x"]})
    with pytest.raises(heliumql.BindError) as raised:
        hq.sql("WITH k AS (SELECT 1)\nSELECT LLM_GENERATE('{nope}') FROM frame")
    assert "2 | SELECT LLM_GENERATE('{nope}') FROM frame\n  |                      ^^^^^^" in str(
        raised.value
    )
    plan = hq.explain("SELECT LLM_GENERATE('{a}') FROM frame")
    assert "read frame" in plan
    assert "__hql" not in plan
    assert len(frame) == 1


# what is left as it was -------------------------------------------------------------------


def state(con: duckdb.DuckDBPyConnection) -> list[Rows]:
    """Settings, objects, and whether a transaction is open."""
    queries = [
        "SELECT name, value FROM duckdb_settings() ORDER BY ALL",
        "SELECT schema_name, table_name FROM duckdb_tables() ORDER BY ALL",
        "SELECT schema_name, view_name FROM duckdb_views() ORDER BY ALL",
        "SELECT database_name, schema_name FROM duckdb_schemas() ORDER BY ALL",
        "SELECT function_name FROM duckdb_functions()"
        " WHERE NOT starts_with(function_name, '__hql_') ORDER BY ALL",
        "SELECT name, value::VARCHAR FROM duckdb_variables() ORDER BY ALL",
    ]
    return [con.execute(q).fetchall() for q in queries]


def test_the_connection_is_as_it_was(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("SET threads = 3")
    con.execute("SET VARIABLE v = 1")
    con.execute("SET python_scan_all_frames = true")
    frame = pd.DataFrame({"a": ["x", "y"]})
    before = state(con)
    hq = heliumql.connect(con)
    hq.execute(SIMULATED)
    rows(hq.sql("SELECT LLM_GENERATE('{a}') FROM frame WHERE LLM_FILTER('{a}') OR random() < 2"))
    rows(hq.sql("SELECT LLM_GENERATE('{body}') AS g FROM t ORDER BY g"))
    with pytest.raises(heliumql.BindError):
        hq.sql("SELECT LLM_GENERATE('{b}') FROM frame")
    assert con.execute("SELECT count(*) FROM duckdb_tables() WHERE temporary").fetchall()[0][0] <= 1
    hq.close()
    assert state(con) == before
    assert len(frame) == 2
    loaded = heliumql.load(con, model="m")
    loaded.execute(SIMULATED)
    con.execute("SELECT llm_generate(a) FROM frame").fetchall()
    loaded.close()
    assert state(con) == before


def test_the_caller_goes_on_while_rows_stream(
    con: duckdb.DuckDBPyConnection, hq: Connection
) -> None:
    query = hq.sql("SELECT id, LLM_GENERATE('{body}') AS g FROM t ORDER BY id")
    assert query is not None
    read = query.fetchone()
    assert read is not None
    assert con.sql("SELECT count(*) FROM t").fetchall() == [(3,)]
    assert con.execute("SELECT 42").fetchall() == [(42,)]
    assert [read[0], *(row[0] for row in query.fetchall())] == [0, 1, 2]
    con.execute("INSERT INTO t VALUES (3, 'x')")  # ours has ended with its rows


def test_closing_either_first(con: duckdb.DuckDBPyConnection) -> None:
    hq = heliumql.connect(con)
    hq.execute(SIMULATED)
    rows(hq.sql("SELECT LLM_GENERATE('x')"))
    hq.close()
    assert con.execute("SELECT 42").fetchall() == [(42,)]
    hq = heliumql.connect(con)
    hq.execute(SIMULATED)
    unread = hq.sql("SELECT LLM_GENERATE('{body}') FROM t")
    assert unread is not None
    con.close()
    for text in ("SELECT 42", "SELECT LLM_GENERATE('y')"):
        with pytest.raises(ExecutionError, match="the DuckDB connection below this one is closed"):
            hq.sql(text)
        with pytest.raises(ExecutionError, match="the DuckDB connection below this one is closed"):
            hq.execute(text)
    with pytest.raises(ExecutionError, match="closed"):
        unread.fetchall()
    hq.interrupt()
    hq.close()


# databases --------------------------------------------------------------------------------


def test_read_only_and_attached_databases(tmp_path: Path) -> None:
    file, other = str(tmp_path / "a.duckdb"), str(tmp_path / "b.duckdb")
    for path in (file, other):
        with duckdb.connect(path) as made:
            made.execute("CREATE TABLE t AS SELECT 'x' AS body")
    frame = pd.DataFrame({"a": ["y"]})
    with duckdb.connect(file, read_only=True) as con, heliumql.connect(con) as hq:
        hq.execute(SIMULATED)
        con.execute(f"ATTACH '{other}' AS other (READ_ONLY)")
        assert rows(hq.sql("SELECT LLM_GENERATE('{body}') IS NULL FROM t")) == [(False,)]
        assert rows(hq.sql("SELECT LLM_GENERATE('{body}') IS NULL FROM other.t")) == [(False,)]
        assert hq.last_stats is not None
        assert hq.last_stats.calls_cached == 1
        assert rows(hq.sql("SELECT LLM_GENERATE('{a}') IS NULL FROM frame")) == [(False,)]
        con.execute("USE other")
        assert rows(hq.sql("SELECT LLM_GENERATE('{body}') IS NULL FROM t")) == [(False,)]
    assert len(frame) == 1


def test_connections_of_one_database_share_answers_and_engines(
    con: duckdb.DuckDBPyConnection, hq: Connection
) -> None:
    rows(hq.sql("SELECT LLM_GENERATE('{body}') FROM t"))
    with heliumql.connect(con) as other, con.cursor() as cursor, heliumql.connect(cursor) as third:
        for connection in (other, third):
            connection.execute(SIMULATED)
            rows(connection.sql("SELECT LLM_GENERATE('{body}') FROM t"))
            assert connection.last_stats is not None
            assert connection.last_stats.calls_cached == 3
    assert len(rows(hq.sql("SELECT LLM_GENERATE('{body} again') FROM t"))) == 3  # still open


def test_threads_with_cursors_of_their_own(con: duckdb.DuckDBPyConnection, hq: Connection) -> None:
    found: dict[int, Rows] = {}

    def ask(number: int) -> None:
        frame = pd.DataFrame({"a": [f"x{number}"]})
        with con.cursor() as cursor, heliumql.connect(cursor) as own:
            own.execute(SIMULATED)
            own.execute("SET threads = 2")
            found[number] = rows(own.sql("SELECT a, LLM_GENERATE('{a}') IS NULL FROM frame"))
            rows(own.sql("SELECT LLM_GENERATE('Equal {body}') FROM t"))
        assert len(frame) == 1

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {n: [(f"x{n}", False)] for n in range(4)}
    assert con.execute("SELECT current_setting('threads')").fetchall() == [(2,)]


def test_functions_outlive_the_connection_that_made_them(tmp_path: Path) -> None:
    file = str(tmp_path / "a.duckdb")
    with duckdb.connect(file) as kept:
        with duckdb.connect(file) as first, heliumql.connect(first) as hq:
            hq.execute(SIMULATED)
            rows(hq.sql("SELECT LLM_GENERATE('x')"))
        gc.collect()
        with heliumql.connect(kept) as again:
            again.execute(SIMULATED)
            assert rows(again.sql("SELECT LLM_GENERATE('x') IS NULL")) == [(False,)]
            assert again.last_stats is not None
            assert again.last_stats.calls_cached == 1


def test_leaving_without_closing_says_nothing(tmp_path: Path) -> None:
    program = """
        import duckdb, heliumql, sys
        con = duckdb.connect(sys.argv[1])
        hq = heliumql.connect(con)
        hq.execute("CREATE TEMP MODEL m WITH (engine = 'simulated')")
        loaded = heliumql.load(con)
        loaded.execute("CREATE TEMP MODEL m WITH (engine = 'simulated')")
        print(len(hq.sql("SELECT LLM_GENERATE('x') FROM range(3)").fetchall()))
        print(len(con.sql("SELECT llm_generate('y' || range) FROM range(4)").fetchall()))
        if len(sys.argv) > 2:
            con.close()
    """
    for more in ((), ("close",)):
        command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "a.db"), *more]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout, done.stderr) == (0, "3\n4\n", "")
