"""Statements that write with calls: in the user's transaction, all rows or none."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from scripted_connection import Made, Scripted

import heliumql
from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import ScriptedAnswer


def script(messages: list[tuple[str, str]], spec: CallSpec) -> ScriptedAnswer:
    """`x 5` fails; other prompts are answered with their last word."""
    prompt = messages[-1][1].split("\n")[0]
    if prompt == "x 5":
        return ScriptedAnswer(error="no luck")
    if spec.returns.name == "BOOLEAN":
        return ScriptedAnswer("true" if int(prompt.split()[-1]) % 2 else "false")
    return ScriptedAnswer(f"a{prompt.split()[-1]}")


X = "LLM_GENERATE('x {i}', on_error => 'fail')"
WRITES = {
    "INSERT": f"INSERT INTO t SELECT i, {X} FROM r",
    "INSERT of columns": f"INSERT INTO t (u, id) SELECT {X}, i FROM r",
    "INSERT BY NAME": f"INSERT INTO t BY NAME SELECT {X} AS u, i AS id FROM r",
    "INSERT ON CONFLICT": f"INSERT INTO t SELECT i, {X} FROM r ON CONFLICT DO UPDATE SET u = 'new'",
    "INSERT RETURNING": f"INSERT INTO t SELECT i, {X} FROM r RETURNING id",
    "UPDATE": f"UPDATE t SET u = {X.replace('{i}', '{id}')}",
    "UPDATE FROM": f"UPDATE t SET u = {X} FROM r WHERE t.id = r.i",
    "DELETE": "DELETE FROM t WHERE LLM_FILTER('x {id}', on_error => 'fail')",
    "MERGE": (
        f"MERGE INTO t USING (SELECT i, {X} AS a FROM r) s ON t.id = s.i "
        "WHEN MATCHED THEN UPDATE SET u = s.a WHEN NOT MATCHED THEN INSERT VALUES (s.i, s.a)"
    ),
}
OLD = [(i, f"old{i}") for i in range(3, 7)]


def prepared(one: Scripted, rows: str) -> Scripted:
    one.con.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, u VARCHAR)")
    one.con.execute("INSERT INTO t SELECT i, 'old' || i FROM range(3, 7) r(i)")
    one.con.execute(f"CREATE TABLE r AS SELECT i FROM {rows} r(i)")
    return one


def table(one: Scripted) -> list[tuple[object, ...]]:
    return one.con.sql("SELECT id, u FROM t ORDER BY id").fetchall()


@pytest.mark.parametrize("mode", ["on", "off"])
@pytest.mark.parametrize("kind", WRITES)
def test_a_call_that_fails_leaves_the_table_as_it_was(kind: str, mode: str, scripted: Made) -> None:
    one = prepared(scripted(script), "range(4, 6)")
    one.con.set("llm_optimizer", mode)
    with pytest.raises(heliumql.HeliumQLError, match="no luck"):
        one.con.execute(WRITES[kind])
    assert table(one) == OLD
    one.con.execute("INSERT INTO t VALUES (99, 'after')")
    assert table(one)[-1] == (99, "after")


@pytest.mark.parametrize("mode", ["on", "off"])
@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("INSERT", [*OLD, (8, "a8"), (9, "a9")]),
        ("INSERT of columns", [*OLD, (8, "a8"), (9, "a9")]),
        ("INSERT BY NAME", [*OLD, (8, "a8"), (9, "a9")]),
        ("INSERT ON CONFLICT", [*OLD, (8, "a8"), (9, "a9")]),
        ("INSERT RETURNING", [*OLD, (8, "a8"), (9, "a9")]),
        ("MERGE", [*OLD, (8, "a8"), (9, "a9")]),
    ],
)
def test_rows_are_written_once_all_are_there(
    kind: str, rows: list[tuple[object, ...]], mode: str, scripted: Made
) -> None:
    one = prepared(scripted(script), "range(8, 10)")
    one.con.set("llm_optimizer", mode)
    one.con.execute(WRITES[kind])
    returned = one.con.fetchall()
    assert table(one) == rows
    if "RETURNING" in kind:
        assert sorted(returned) == [(8,), (9,)]


@pytest.mark.parametrize("mode", ["on", "off"])
def test_update_and_delete_use_answers(mode: str, scripted: Made) -> None:
    one = prepared(scripted(script), "range(3)")
    one.con.set("llm_optimizer", mode)
    one.con.execute("UPDATE t SET u = LLM_GENERATE('y {id}') WHERE id > 4")
    one.con.execute("DELETE FROM t WHERE LLM_FILTER('y {id}')")
    assert table(one) == [(4, "old4"), (6, "a6")]


@pytest.mark.parametrize("mode", ["on", "off"])
def test_returning_may_hold_a_call(mode: str, scripted: Made) -> None:
    one = prepared(scripted(script), "range(3)")
    one.con.set("llm_optimizer", mode)
    one.con.execute("INSERT INTO t VALUES (20, 'q') RETURNING id, LLM_GENERATE('y {u}') AS said")
    assert one.con.fetchall() == [(20, "aq")]


@pytest.mark.parametrize("mode", ["on", "off"])
def test_create_table_as_makes_no_table_of_failed_calls(mode: str, scripted: Made) -> None:
    one = prepared(scripted(script), "range(4, 6)")
    one.con.set("llm_optimizer", mode)
    with pytest.raises(heliumql.HeliumQLError, match="no luck"):
        one.con.execute(f"CREATE TABLE made AS SELECT i, {X} AS a FROM r")
    names = one.con.sql("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()
    assert names == [("r",), ("t",)]
    one.con.execute("CREATE TABLE made AS SELECT i, LLM_GENERATE('y {i}') AS a FROM r")
    assert one.con.sql("FROM made ORDER BY i").fetchall() == [(4, "a4"), (5, "a5")]


@pytest.mark.parametrize("mode", ["on", "off"])
def test_copy_to_writes_no_file_of_failed_calls(mode: str, scripted: Made, tmp_path: Path) -> None:
    one = prepared(scripted(script), "range(4, 6)")
    one.con.set("llm_optimizer", mode)
    path = tmp_path / "out.csv"
    with pytest.raises(heliumql.HeliumQLError, match="no luck"):
        one.con.execute(f"COPY (SELECT i, {X} AS a FROM r) TO '{path}' (HEADER)")
    assert not path.exists() or path.read_text() == ""
    one.con.execute(f"COPY (SELECT i, LLM_GENERATE('y {{i}}') AS a FROM r) TO '{path}' (HEADER)")
    assert path.read_text() == "i,a\n4,a4\n5,a5\n"


@pytest.mark.parametrize("mode", ["on", "off"])
def test_a_query_sees_uncommitted_rows_and_the_transaction_goes_on(
    mode: str, scripted: Made
) -> None:
    one = prepared(scripted(script), "range(3)")
    one.con.set("llm_optimizer", mode)
    one.con.execute("BEGIN")
    one.con.execute("INSERT INTO t VALUES (50, 'mine')")
    rows = one.con.sql(
        "SELECT id FROM t WHERE id > 20 AND LLM_GENERATE('y {id}') LIKE 'a%'"
    ).fetchall()
    assert rows == [(50,)]
    one.con.execute("INSERT INTO t SELECT 51, LLM_GENERATE('y {u}') FROM t WHERE id = 50")
    one.con.execute("COMMIT")
    assert table(one)[-2:] == [(50, "mine"), (51, "amine")]


@pytest.mark.parametrize("mode", ["on", "off"])
def test_a_rollback_takes_back_what_calls_wrote(mode: str, scripted: Made) -> None:
    one = prepared(scripted(script), "range(10, 12)")
    one.con.set("llm_optimizer", mode)
    one.con.execute("BEGIN")
    one.con.execute(WRITES["INSERT"])
    assert len(table(one)) == 6
    one.con.execute("ROLLBACK")
    assert table(one) == OLD


def test_rows_are_read_batch_by_batch_while_another_statement_runs(scripted: Made) -> None:
    one = prepared(scripted(script), "range(10)")
    one.con.set("llm_batch_rows", 2)
    batches = iter(one.con.sql("SELECT i, LLM_GENERATE('y {i}') AS a FROM r").batches())
    first = next(batches).to_pylist()
    one.con.execute("INSERT INTO t VALUES (70, 'between')")
    one.con.execute("DELETE FROM r")
    rest = [row for batch in batches for row in batch.to_pylist()]
    assert [*first, *rest] == [{"i": i, "a": f"a{i}"} for i in range(10)]
    assert table(one)[-1] == (70, "between")
    assert one.con.sql("SELECT count(*) FROM r").fetchall() == [(0,)]


def test_a_result_that_is_dropped_half_read_frees_the_connection(scripted: Made) -> None:
    one = prepared(scripted(script), "range(10)")
    one.con.set("llm_batch_rows", 1)
    batches = one.con.sql("SELECT i, LLM_GENERATE('y {i}') AS a FROM r").batches()
    next(batches)
    batches.close()
    one.con.execute("INSERT INTO t VALUES (71, 'after')")
    assert table(one)[-1] == (71, "after")


@pytest.mark.parametrize("mode", ["on", "off"])
def test_after_an_interrupt_the_connection_works_and_answers_are_kept(
    mode: str, scripted: Made
) -> None:
    one = scripted()
    reached = threading.Event()

    def slow(messages: list[tuple[str, str]], spec: CallSpec) -> ScriptedAnswer:
        if len(one.engine.log) >= 20 and not reached.is_set():
            reached.set()
            one.con.interrupt()
        return ScriptedAnswer("fine")

    one.engine._script = slow
    one.con.set("llm_optimizer", mode)
    one.con.execute("CREATE TABLE r AS SELECT i FROM range(3000) r(i)")
    query = "SELECT LLM_GENERATE('y ' || LLM_GENERATE('x {i}') || i) FROM r"
    with pytest.raises((heliumql.HeliumQLError, KeyboardInterrupt)):
        one.con.sql(query).fetchall()
    assert reached.is_set()
    before = len(one.engine.log)
    relation = one.con.sql(query)
    assert relation.fetchall() == [("fine",)] * 3000
    if mode == "on":
        assert relation.stats.calls_run + before <= 6000 + 2 * one.engine.slots
    one.con.execute("INSERT INTO r VALUES (1)")


def test_interrupt_from_another_thread_stops_a_waiting_statement(scripted: Made) -> None:
    one = scripted()
    waiting = threading.Event()

    def script(messages: list[tuple[str, str]], spec: CallSpec) -> ScriptedAnswer:
        waiting.set()
        return ScriptedAnswer("fine", seconds=1.0)

    one.engine._script = script
    one.engine.advance = lambda: None  # type: ignore[method-assign]  # answers never come
    timer = threading.Thread(target=lambda: (waiting.wait(30), one.con.interrupt()))
    timer.start()
    with pytest.raises((heliumql.HeliumQLError, KeyboardInterrupt)):
        one.con.sql("SELECT LLM_GENERATE('x {i}') FROM range(3) r(i)").fetchall()
    timer.join(30)
    assert one.con.sql("SELECT 42").fetchall() == [(42,)]


def test_an_error_before_all_answers_are_there_aborts_no_transaction(scripted: Made) -> None:
    one = prepared(scripted(script), "range(3)")
    query = (
        "SELECT CASE WHEN count(*) < 1 THEN error('none') END FROM r "
        "WHERE LLM_GENERATE('y {i}') = 'a1'"
    )
    assert one.con.sql(query).fetchall() == [(None,)]
    one.con.execute("CLEAR CACHE")
    one.con.execute("BEGIN")
    one.con.execute("CREATE TABLE made AS SELECT 1 AS x")
    assert one.con.sql(query).fetchall() == [(None,)]
    one.con.execute("COMMIT")
    assert one.con.execute("FROM made").fetchall() == [(1,)]


def test_a_write_that_fails_in_a_transaction_says_why() -> None:
    with heliumql.connect() as con:
        con.execute("CREATE TEMP MODEL m WITH (engine = 'simulated'); CREATE TABLE t (i INTEGER)")
        con.execute("BEGIN")
        with pytest.raises(heliumql.ExecutionError, match="Could not convert string"):
            con.execute("INSERT INTO t SELECT LLM_GENERATE('x')")
        con.execute("ROLLBACK")
        con.execute("INSERT INTO t SELECT length(LLM_GENERATE('x'))")
        assert con.execute("SELECT count(*) FROM t").fetchall() == [(1,)]
