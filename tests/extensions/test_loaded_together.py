"""`heliumql.load`: calls in flight at once, shared by vectors, threads and statements; budgets."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from stub_server import Reply, Seen, StubServer

import heliumql
from heliumql.extensions.duckdb import LoadedConnection


@pytest.fixture
def server() -> Iterator[StubServer]:
    with StubServer() as running:
        yield running


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        query = "SELECT i AS id, 'text ' || i AS body FROM range(500) x(i)"
        connection.execute(f"CREATE TABLE t AS {query}")
        yield connection


@pytest.fixture
def hq(con: duckdb.DuckDBPyConnection, server: StubServer) -> Iterator[LoadedConnection]:
    with heliumql.load(con) as loaded:
        loaded.execute(served(server))
        yield loaded


def served(server: StubServer, more: str = "") -> str:
    return (
        f"CREATE TEMP MODEL m WITH (engine = 'openai', base_url = '{server.url}', model = 'x',"
        f" concurrency = 256, retries = 0{more})"
    )


def test_500_rows_of_a_slow_server(
    con: duckdb.DuckDBPyConnection, hq: LoadedConnection, server: StubServer
) -> None:
    con.execute("SELECT llm_generate('warm up')").fetchall()
    server.reply = lambda seen: Reply(f"echo {seen.prompt}", seconds=0.1, until=256)
    began = time.monotonic()
    rows = con.execute("SELECT id, llm_generate(body) FROM t").fetchall()
    seconds = time.monotonic() - began
    assert rows == [(i, f"echo text {i}") for i in range(500)]
    assert server.max_in_flight == 256
    print(f"500 rows, 0.1 s each: {seconds:.2f} s")
    assert seconds < 10  # alone on a machine under 1; one after the other 50


def test_vectors_of_several_threads_are_in_flight_at_once(
    con: duckdb.DuckDBPyConnection, hq: LoadedConnection, server: StubServer
) -> None:
    """Batches of an Arrow table are read by a thread each."""
    arrow = pa.table({"body": [f"b {i}" for i in range(64)]})
    batches = pa.Table.from_batches(arrow.to_batches(max_chunksize=8))
    con.execute("SET threads = 4")
    server.reply = lambda seen: Reply(f"echo {seen.prompt}", until=9)  # a vector has 8
    rows = con.sql("SELECT llm_generate(body) FROM batches").fetchall()
    assert sorted(rows) == sorted((f"echo b {i}",) for i in range(64))
    assert server.max_in_flight > 8
    assert batches.num_rows == 64


def test_equal_calls_run_once(
    con: duckdb.DuckDBPyConnection, hq: LoadedConnection, server: StubServer
) -> None:
    server.reply = lambda seen: Reply("a", seconds=0.3)
    query = "SELECT count(llm_generate('k ' || id % 5)) FROM t"
    with con.cursor() as cursor, heliumql.load(cursor) as second:
        second.execute(served(server))
        found: list[list[tuple[int]]] = []
        threads = [
            threading.Thread(target=lambda c=c: found.append(c.execute(query).fetchall()))  # type: ignore[misc]
            for c in (con, cursor)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [[(500,)]] * 2
    assert len(server.seen) == 5
    assert con.execute(query).fetchall() == [(500,)]
    relation = hq.sql("SELECT DISTINCT LLM_GENERATE('k {k}') FROM (SELECT id % 5 AS k FROM t)")
    assert relation is not None
    assert relation.fetchall() == [("a",)]
    assert len(server.seen) == 5
    stats = hq.plain_stats
    assert stats.calls_asked == 1000  # of `con`; the cursor's are its own
    assert stats.calls_run + stats.calls_shared + stats.calls_cached == 1000


def test_answers_are_kept_beside_the_database(tmp_path: Path, server: StubServer) -> None:
    file = str(tmp_path / "a.duckdb")
    for _ in range(2):
        with duckdb.connect(file) as con, heliumql.load(con) as hq:
            hq.execute(served(server))
            assert con.sql("SELECT llm_generate('x')").fetchall() == [("echo x",)]
    assert len(server.seen) == 1


# failures and budgets ---------------------------------------------------------------------


def failing(seen: Seen) -> Reply:
    return Reply(status=400) if re.search(r"text [37]$", seen.prompt) else Reply("ok")


def test_failed_calls_are_null_or_fail_the_statement(
    con: duckdb.DuckDBPyConnection, hq: LoadedConnection, server: StubServer
) -> None:
    server.reply = failing
    query = "SELECT id FROM t WHERE id < 10 AND llm_generate(body{}) IS NULL"
    assert con.sql(query.format("")).fetchall() == [(3,), (7,)]
    assert hq.plain_stats.calls_failed == 2
    assert hq.last_plain_stats is not None
    assert "scripted 400" in hq.last_plain_stats.failures[0]
    with pytest.raises(duckdb.Error, match=r"a call of LLM_GENERATE#1 failed: .*scripted 400"):
        con.sql(query.format(", on_error := 'fail'")).fetchall()
    hq.set("llm_on_error", "fail")
    with pytest.raises(duckdb.Error, match="the answers that had arrived are kept"):
        con.sql(query.format("")).fetchall()


def test_a_server_that_is_gone_says_so(con: duckdb.DuckDBPyConnection) -> None:
    with StubServer() as server:
        pass
    with heliumql.load(con) as hq:
        hq.execute(served(server))
        with pytest.raises(duckdb.Error, match=rf"server at .*{server.port}/v1 is unreachable"):
            con.sql("SELECT llm_generate(body) FROM t").fetchall()


def test_budgets_are_of_the_statement(con: duckdb.DuckDBPyConnection, hq: LoadedConnection) -> None:
    con.execute("CREATE TABLE many AS SELECT i AS id FROM range(5000) x(i)")
    hq.execute("CREATE OR REPLACE TEMP MODEL m WITH (engine = 'simulated')")
    hq.set("llm_max_calls", 2100)  # more than a vector
    query = "SELECT count(llm_generate('n ' || id % 2500)) FROM many"
    with pytest.raises(duckdb.Error, match="llm_max_calls = 2100 does not allow another call"):
        con.execute(query).fetchall()
    assert hq.plain_stats.calls_run == 2100
    assert con.execute(query).fetchall() == [(5000,)]  # it goes on
    assert hq.plain_stats.calls_run == 2500
    hq.set("llm_max_calls", 3)
    hq.set("llm_on_budget", "partial")
    (count,) = con.sql("SELECT count(llm_generate('m ' || id)) FROM t").fetchall()
    assert count == (3,)
    assert hq.last_plain_stats is not None
    assert hq.last_plain_stats.calls_refused == 497


# loading ----------------------------------------------------------------------------------


def test_loading_again_is_the_same(con: duckdb.DuckDBPyConnection, server: StubServer) -> None:
    hq = heliumql.load(con, model="m", llm_on_error="fail")
    hq.execute(served(server))
    hq.execute(served(server, ", seed = 5").replace(" m ", " other "))
    assert heliumql.load(con, model="other") is hq
    assert hq.settings.default_model == "other"
    assert hq.settings.on_error == "fail"
    con.sql("SELECT llm_generate('x')").fetchall()
    assert server.seen[-1].body["seed"] == 5
    with pytest.raises(heliumql.CatalogError, match="unknown setting llm_modl"):
        heliumql.load(con, llm_modl="x")
    assert con.sql("SELECT llm_generate('x')").fetchall() == [("echo x",)]
    hq.close()
    hq.close()
    with pytest.raises(duckdb.CatalogException, match="llm_generate does not exist"):
        con.sql("SELECT llm_generate('x')")
    with heliumql.load(con) as again:
        again.execute(served(server))
        assert con.sql("SELECT llm_generate('x')").fetchall() == [("echo x",)]


def test_a_setting_that_does_not_exist_loads_nothing(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(heliumql.CatalogError, match="unknown setting"):
        heliumql.load(con, llm_modl="x")
    with pytest.raises(duckdb.CatalogException):
        con.sql("SELECT llm_generate('x')")
    with pytest.raises(TypeError, match="takes a connection of duckdb"):
        heliumql.load("file.duckdb")  # type: ignore[arg-type]


def test_two_connections_are_loaded_apart(
    con: duckdb.DuckDBPyConnection, server: StubServer
) -> None:
    with con.cursor() as cursor:
        one, two = heliumql.load(con), heliumql.load(cursor)
        one.execute(served(server, ", seed = 1"))
        two.execute(served(server, ", seed = 2"))
        for connection, seed in ((con, 1), (cursor, 2)):
            connection.sql("SELECT llm_generate('x')").fetchall()
            assert server.seen[-1].body["seed"] == seed
        one.close()
        assert cursor.sql("SELECT llm_generate('y')").fetchall() == [("echo y",)]
        with pytest.raises(duckdb.CatalogException):
            con.sql("SELECT llm_generate('y')")
        two.close()


def test_the_statements_of_both_ways_live_side_by_side(
    con: duckdb.DuckDBPyConnection, hq: LoadedConnection, server: StubServer
) -> None:
    """Functions are plain ones to HQL too, where they are no verbs."""
    frame = pa.table({"a": ["z"]})
    relation = hq.sql("SELECT llm_agg_list(list(a), 'Sum up.') FROM frame")
    assert relation is not None
    assert relation.fetchall() == [("echo Sum up.\n---\nz",)]
    con.execute("CREATE TEMP VIEW asked AS SELECT id, llm_generate(body) AS g FROM t WHERE id < 2")
    assert con.sql("FROM asked").fetchall() == [(0, "echo text 0"), (1, "echo text 1")]
    assert frame.num_rows == 1
