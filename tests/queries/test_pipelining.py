"""A call starts the moment its own inputs are there: no operator waits for another's rows."""

from __future__ import annotations

import json

import pytest
from scripted_connection import Made

from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import ScriptedAnswer
from heliumql.stats import Stats

SLOW = 1000.0
FIRST = "SELECT i, LLM_GENERATE('first {i}') AS a FROM range(40) r(i)"
STRUCT = "STRUCT(score INTEGER)"
CHAINS = {
    "text": f"SELECT i, LLM_GENERATE('second {{i}}: {{a}}') FROM ({FIRST})",
    "field": (
        "SELECT i, h.text FROM range(40) r(i), "
        f"LATERAL LLM_GENERATE('first {{i}}', returns => '{STRUCT}') g, "
        "LATERAL LLM_GENERATE('second {i}: {g.score}') h"
    ),
    "enum": (
        "SELECT i, LLM_GENERATE('second {i}: {a}') FROM "
        "(SELECT i, LLM_GENERATE('first {i}', returns => 'ENUM(''x'', ''y'')') AS a "
        "FROM range(40) r(i))"
    ),
    "history": (
        "SELECT i, h.text FROM range(40) r(i), LATERAL LLM_GENERATE('first {i}') g, "
        "LATERAL LLM_GENERATE('second {i}', history => g.messages) h"
    ),
}


def script(messages: list[tuple[str, str]], spec: CallSpec) -> ScriptedAnswer:
    prompt = messages[-1][1]
    seconds = SLOW if prompt.startswith("first 7") and len(messages) == 1 else 1.0
    match spec.returns.name:
        case "STRUCT":
            return ScriptedAnswer(json.dumps({"score": 3}), seconds=seconds)
        case "ENUM":
            return ScriptedAnswer("y", seconds=seconds)
        case _:
            return ScriptedAnswer(f"said {prompt[:9]}", seconds=seconds)


@pytest.mark.parametrize("chain", CHAINS)
def test_second_calls_do_not_wait_for_the_slow_first_call_of_another_row(
    chain: str, scripted: Made
) -> None:
    one = scripted(script)
    rows = one.con.sql(CHAINS[chain]).fetchall()
    assert [r[0] for r in rows] == list(range(40))
    seconds = [c for c in one.engine.log if c.prompt.startswith("second")]
    late = [c for c in seconds if c.submitted >= SLOW]
    assert len(seconds) == 40
    assert [c.prompt[:9] for c in late] == ["second 7:" if chain != "history" else "second 7"]
    assert one.con.last_stats is not None
    assert one.con.last_stats.passes == 1


def test_rows_before_the_slow_one_come_out_while_it_runs(scripted: Made) -> None:
    one = scripted(script)
    one.con.set("llm_batch_rows", 1)
    batches = iter(one.con.sql(CHAINS["text"]).batches())
    for number in range(7):
        assert next(batches).column(0).to_pylist() == [number]
    assert one.engine.now < SLOW
    assert next(batches).column(0).to_pylist() == [7]
    assert one.engine.now >= SLOW


def test_a_condition_on_the_first_answer_takes_two_passes_and_no_call_twice(
    scripted: Made,
) -> None:
    one = scripted(lambda messages, spec: messages[-1][1][-1])
    query = (
        "SELECT LLM_GENERATE('second {a}') FROM (SELECT LLM_GENERATE('first {i}') AS a "
        "FROM range(4) r(i)) WHERE a <> '3'"
    )
    assert one.con.sql(query).fetchall() == [("0",), ("1",), ("2",)]
    stats = one.con.last_stats or Stats()
    assert (stats.passes, stats.calls_asked, stats.calls_run) == (2, 7, 7)
