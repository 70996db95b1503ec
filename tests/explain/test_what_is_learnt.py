"""EXPLAIN estimates with what earlier runs learnt: how many rows pass, how long answers are."""

from __future__ import annotations

import json
from typing import Any

import heliumql
from heliumql.connection import Connection
from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import ScriptedAnswer, SimulatedEngine

QUERY = "SELECT id, LLM_GENERATE('sum up {id}') AS s FROM t WHERE LLM_FILTER('one in ten {id}')"


def answer(messages: tuple[tuple[str, str], ...], spec: CallSpec) -> ScriptedAnswer:
    said = messages[-1][1]
    if said.startswith("one in ten"):
        return ScriptedAnswer("true" if said.split()[3].endswith("0") else "false")
    return ScriptedAnswer("words", output_tokens=77)


def operators(con: Connection) -> dict[str, Any]:
    shown = con.sql(f"EXPLAIN (FORMAT json) {QUERY}")
    assert shown is not None
    found: list[dict[str, Any]] = json.loads(shown.fetchall()[0][1])["operators"]
    return {o["name"].partition("#")[0]: o for o in found}


def test_rows_behind_a_predicate_are_those_that_passed_before() -> None:
    with heliumql.connect() as con:
        con.register_model("m", SimulatedEngine({"log": False}, answer))
        con.execute("CREATE TABLE t AS SELECT i AS id FROM range(1000) r(i)")
        before = operators(con)["LLM_GENERATE"]
        assert before["rows"] == 500  # nothing is known: a half
        con.execute(QUERY + " AND id < 200").fetchall()
        after = operators(con)["LLM_GENERATE"]
        assert 90 <= after["rows"] <= 120
        assert abs(after["output_tokens"] - 77 * after["calls_expected"]) <= 77
