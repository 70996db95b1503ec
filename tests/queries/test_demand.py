"""Only calls that the result needs are run, and equal ones once."""

from __future__ import annotations

import threading

import pytest
from scripted_connection import Made

import heliumql
from heliumql.connection import Connection
from heliumql.engines.engine import CallSpec
from heliumql.stats import Stats


def last(messages: list[tuple[str, str]], spec: CallSpec) -> str:
    prompt = messages[-1][1].split("\n")[0]
    return "true" if spec.returns.name == "BOOLEAN" else prompt[-1]


COUNTS = {
    "an unused column": (
        "SELECT id FROM (SELECT id, LLM_GENERATE('x {id}') AS u FROM t)", 0),
    "an unused lateral": ("SELECT t.id FROM t, LATERAL LLM_GENERATE('x {t.id}') g", 0),
    "a count of rows": ("SELECT count(*) FROM (SELECT LLM_GENERATE('x {id}') FROM t)", 0),
    "a limit": ("SELECT id, LLM_GENERATE('x {id}') FROM t LIMIT 7", 7),
    "a limit in order": ("SELECT id, LLM_GENERATE('x {id}') FROM t ORDER BY id DESC LIMIT 7", 7),
    "a chain below a limit": (
        "SELECT LLM_GENERATE('y ' || LLM_GENERATE('x {id}') || id) FROM t LIMIT 7", 14),
    "a filter above": (
        "SELECT u FROM (SELECT id, LLM_GENERATE('x {id}') AS u FROM t) WHERE id < 5", 5),
    "a join above": (
        "SELECT u FROM (SELECT id, LLM_GENERATE('x {id}') AS u FROM t) JOIN range(3) r(id) "
        "USING (id)", 3),
    "a semi join above": (
        "SELECT u FROM (SELECT id, LLM_GENERATE('x {id}') AS u FROM t) "
        "WHERE id IN (SELECT i FROM range(4) r(i))", 4),
    "a plain condition beside": (
        "SELECT id FROM t WHERE LLM_FILTER('x {id}') AND id % 500 = 0", 4),
    "a branch not taken": (
        "SELECT CASE WHEN id < 3 THEN LLM_GENERATE('x {id}') END FROM t", 3),
    "equal prompts": ("SELECT LLM_GENERATE('x {k}') FROM t", 5),
    "equal prompts of two operators": (
        "SELECT LLM_GENERATE('x {k}') AS a, g.text FROM t, LATERAL LLM_GENERATE('x {t.k}') g", 5),
    "prompts that come to say the same": (
        "SELECT LLM_GENERATE('y ' || LLM_GENERATE('x {id}')) FROM t WHERE id < 200", 210),
}  # fmt: skip


@pytest.mark.parametrize("kind", COUNTS)
def test_calls_run(kind: str, scripted: Made) -> None:
    query, calls = COUNTS[kind]
    one = scripted(last)
    one.con.execute("CREATE TABLE t AS SELECT i AS id, i % 5 AS k FROM range(2000) r(i)")
    one.con.sql(query).fetchall()
    stats = one.con.last_stats or Stats()
    assert len(one.engine.log) == stats.calls_run == calls
    assert stats.calls_wasted == 0


def test_calls_of_a_second_statement_come_from_the_store(scripted: Made) -> None:
    one = scripted(last)
    first = one.con.sql("SELECT LLM_GENERATE('x {i}') FROM range(9) r(i)").fetchall()
    relation = one.con.sql("SELECT LLM_GENERATE('x {i}'), 1 AS other FROM range(9) r(i)")
    assert [r[0] for r in relation.fetchall()] == [r[0] for r in first]
    assert (relation.stats.calls_cached, relation.stats.calls_run) == (9, 0)
    assert len(one.engine.log) == 9


def test_a_chain_is_fetched_from_its_end(scripted: Made) -> None:
    one = scripted(last)
    query = "SELECT LLM_GENERATE('y ' || LLM_GENERATE('x {i}')) FROM range(9) r(i)"
    rows = one.con.sql(query).fetchall()
    relation = one.con.sql(query)
    assert relation.fetchall() == rows
    assert relation.stats.calls_run == 0


@pytest.mark.parametrize(("cache", "runs"), [("use", 3), ("refresh", 6), ("off", 6)])
def test_the_cache_argument_says_whether_the_store_is_asked(
    cache: str, runs: int, scripted: Made
) -> None:
    one = scripted(last)
    query = f"SELECT LLM_GENERATE('x {{i}}', cache => '{cache}') FROM range(3) r(i)"
    one.con.sql(query).fetchall()
    one.con.sql(query).fetchall()
    assert len(one.engine.log) == runs


def test_equal_calls_of_two_threads_run_once(scripted: Made) -> None:
    one = scripted(last, instant=False)
    cursors = [one.con.cursor() for _ in range(4)]
    rows: list[list[tuple[object, ...]]] = []
    barrier = threading.Barrier(len(cursors))

    def read(con: object) -> None:
        barrier.wait()
        rows.append(con.sql("SELECT LLM_GENERATE('x {i}') FROM range(300) r(i)").fetchall())  # type: ignore[attr-defined]

    threads = [threading.Thread(target=read, args=(c,)) for c in cursors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for cursor in cursors:
        cursor.close()
    assert len(rows) == 4
    assert all(r == rows[0] for r in rows)
    assert len(one.engine.log) == 300


def test_a_statement_that_waits_for_anothers_call_asks_again_when_that_one_is_gone(
    scripted: Made,
) -> None:
    """The first statement's call comes back as junk after it was interrupted."""
    asked, others = threading.Event(), threading.Event()
    answers = ["junk", "7"]

    def script(messages: list[tuple[str, str]], spec: CallSpec) -> str:
        asked.set()
        return answers.pop(0)

    one = scripted(script)
    advance = one.engine.advance

    def held() -> None:
        if others.is_set():
            advance()

    one.engine.advance = held  # type: ignore[method-assign]
    query = "SELECT LLM_GENERATE('x', returns => 'INTEGER')"
    first, second = one.con.cursor(), one.con.cursor()
    rows: list[object] = []

    def interrupted() -> None:
        with pytest.raises(heliumql.HeliumQLError, match="interrupted"):
            first.sql(query).fetchall()

    one_thread = threading.Thread(target=interrupted)
    one_thread.start()
    assert asked.wait(30)
    two_thread = threading.Thread(target=lambda: rows.extend(second.sql(query).fetchall()))
    two_thread.start()
    flights = one.con._session.shared.flights
    while not any(len(inboxes) == 2 for inboxes in flights._waiting.values()):
        assert two_thread.is_alive()
        threading.Event().wait(0.01)
    first.interrupt()
    one_thread.join(30)
    others.set()
    two_thread.join(30)
    assert rows == [(7,)]
    first.close()
    second.close()


@pytest.mark.parametrize("limit", ["", " LIMIT 3"])
def test_predicates_are_counted_whatever_booleans_look_like_in_arrow(
    connection: Connection, limit: str
) -> None:
    sql = (
        "SELECT i FROM range(20) t(i) WHERE LLM_FILTER('good {i}')"
        f" AND length(LLM_GENERATE('say {{i}}')) > 3{limit}"
    )
    rows = connection.execute(sql).fetchall()
    connection.duckdb.execute("SET arrow_lossless_conversion = true")
    assert connection.execute(sql).fetchall() == rows
    connection.execute("CLEAR CACHE")
    assert connection.execute(sql).fetchall() == rows
