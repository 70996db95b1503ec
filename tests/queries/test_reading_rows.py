"""Readers of rows: after errors, side by side, after changes, and when the connection is closed."""

from __future__ import annotations

import threading

import pytest
from scripted_connection import Made, Scripted

import heliumql
from heliumql.engines.engine import CallSpec
from heliumql.errors import EngineError, ExecutionError
from heliumql.physical.dispatch import Dispatcher

QUERY = "SELECT i, LLM_GENERATE('n {i}') AS u FROM t"
MODES = ["on", "off"]


def prompt(messages: list[tuple[str, str]], spec: CallSpec) -> str:
    return messages[-1][1]


def with_table(one: Scripted, mode: str, rows: int = 40) -> Scripted:
    one.con.set("llm_optimizer", mode)
    one.con.set("llm_batch_rows", 7)
    one.con.execute(f"CREATE TABLE t AS SELECT i FROM range({rows}) r(i)")
    return one


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fetch", ["fetchall", "fetchmany"])
def test_rows_fetched_after_an_error_are_all_of_them(fetch: str, mode: str, scripted: Made) -> None:
    dead = [True]

    def dies_once(messages: list[tuple[str, str]], spec: CallSpec) -> str | EngineError:
        if messages[-1][1] == "n 30" and dead:
            dead.clear()
            return EngineError("gone")
        return prompt(messages, spec)

    relation = with_table(scripted(dies_once, max_num_seqs=4), mode).con.sql(QUERY)
    assert relation is not None
    with pytest.raises(EngineError, match="gone"):
        relation.fetchall()
    rows = relation.fetchall() if fetch == "fetchall" else relation.fetchmany(100)
    assert rows == [(i, f"n {i}") for i in range(40)]


@pytest.mark.parametrize("mode", MODES)
def test_two_relations_are_read_in_turn(mode: str, scripted: Made) -> None:
    con = with_table(scripted(prompt), mode).con
    first, second = con.sql(QUERY), con.sql(QUERY + " WHERE i > 5")
    assert first is not None
    assert second is not None
    pairs = list(zip(first.batches(), second.batches(), strict=False))
    assert sum(b.num_rows for _, b in pairs) == 34
    assert con.execute("INSERT INTO t VALUES (1)").fetchall() == [(1,)]


@pytest.mark.parametrize("mode", MODES)
def test_a_relation_reads_columns_by_name_when_its_table_was_made_anew(
    mode: str, scripted: Made
) -> None:
    con = with_table(scripted(prompt), mode).con
    con.execute("CREATE TABLE s AS SELECT 'a' AS x, 'b' AS y")
    relation = con.sql("SELECT x, y, LLM_GENERATE('{y}') FROM s")
    assert relation is not None
    con.execute("CREATE OR REPLACE TABLE s AS SELECT 'b' AS y, 'a' AS x")
    assert relation.fetchall() == [("a", "b", "b")]


@pytest.mark.parametrize("mode", MODES)
def test_half_read_rows_of_a_closed_connection_do_not_look_complete(
    mode: str, scripted: Made
) -> None:
    con = with_table(scripted(prompt), mode).con
    relation = con.sql(QUERY)
    assert relation is not None
    batches = relation.batches()
    next(batches)
    con.close()
    with pytest.raises(ExecutionError, match="closed"):
        next(batches)


@pytest.mark.parametrize("mode", MODES)
def test_closing_stops_a_statement_that_another_thread_runs(mode: str, scripted: Made) -> None:
    asked = threading.Event()

    def endless(messages: list[tuple[str, str]], spec: CallSpec) -> str:
        asked.set()
        return "not yet"

    con = with_table(scripted(endless, instant=True, max_num_seqs=1), mode).con
    loop = (
        "WITH RECURSIVE l AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM l "
        "WHERE LLM_GENERATE('n {n}') = 'not yet') SELECT max(n) FROM l"
    )
    ended: list[heliumql.HeliumQLError] = []

    def run() -> None:
        relation = con.sql(loop)
        assert relation is not None
        try:
            relation.fetchall()
        except heliumql.HeliumQLError as error:
            ended.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert asked.wait(30)
    con.close()
    thread.join(30)
    assert [e.exit_status for e in ended] == [130]


@pytest.mark.parametrize("mode", MODES)
def test_answers_go_out_inside_a_union_type(mode: str, scripted: Made) -> None:
    con = with_table(scripted(prompt), mode).con
    relation = con.sql("SELECT union_value(a := LLM_GENERATE('n {i}')) FROM t WHERE i = 3")
    assert relation is not None
    assert relation.fetchall() == [("n 3",)]


def test_a_closed_connection_says_so(scripted: Made) -> None:
    con = with_table(scripted(prompt), "on").con
    relation = con.sql(QUERY)
    assert relation is not None
    con.close()
    con.interrupt()
    for use in (con.cursor, relation.fetchall, lambda: relation.schema, lambda: con.sql("FROM t")):
        with pytest.raises(ExecutionError, match="closed"):
            use()


@pytest.mark.parametrize("mode", MODES)
def test_an_interrupt_just_before_calls_are_sent_is_an_interrupt(
    mode: str, scripted: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    con = with_table(scripted(prompt), mode).con
    submit = Dispatcher._submit

    def interrupted_first(dispatcher: Dispatcher) -> int:
        con.interrupt()
        return submit(dispatcher)

    monkeypatch.setattr(Dispatcher, "_submit", interrupted_first)
    relation = con.sql(QUERY)
    assert relation is not None
    with pytest.raises(heliumql.HeliumQLError, match="interrupted"):
        relation.fetchall()
