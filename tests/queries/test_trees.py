"""Aggregates that are longer than the context: trees of calls."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from scripted_connection import Made

from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import Messages
from heliumql.prompts import taken_apart
from heliumql.session import Session
from heliumql.stats import Stats
from heliumql.syntax import CallSite

NOTES = """
    CREATE TABLE notes AS
    SELECT 'short' AS topic, i, 'note ' || i AS body FROM range(3) AS r(i)
    UNION ALL SELECT 'long', i, 'a somewhat longer note of number ' || i FROM range(200) AS r(i)
    UNION ALL SELECT 'odd', i, repeat('é', i % 40) || i FROM range(60) AS r(i)
"""
QUERY = """
    SELECT topic, LLM_GENERATE('Sum up.' || e'\\n---\\n' ||
                               string_agg(body, e'\\n---\\n' ORDER BY i), max_tokens => 32) AS said
    FROM notes GROUP BY topic ORDER BY topic
"""
WAYS: dict[str, dict[str, object]] = {
    "on": {"llm_verify": True},
    "small": {"llm_batch_rows": 1, "llm_window_bytes": 1},
    "off": {"llm_optimizer": "off"},
}


@pytest.fixture(autouse=True)
def aggregates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls of LLM_GENERATE are taken for those of LLM_AGG."""
    bound = Session._site

    def aggregate(self: Session, call: CallSite) -> object:
        return replace(bound(self, call), aggregate=True)

    monkeypatch.setattr(Session, "_site", aggregate)


def numbers(messages: Messages, spec: CallSpec) -> str:
    """Which of the numbers of the texts come first and last, and how many texts there are."""
    found = re.findall(r"\d+", messages[-1][1].partition("\n---\n")[2])
    return f"{found[0]}..{found[-1]} of {len(taken_apart(messages[-1][1]).texts)}"


def consistent(stats: Stats) -> bool:
    return stats.calls_asked == (
        stats.calls_shared + stats.calls_cached + stats.calls_run - stats.calls_wasted
    )


def test_all_ways_give_the_same_rows_and_a_second_run_asks_nothing(scripted: Made) -> None:
    made = scripted(numbers, max_model_len=256)
    made.con.execute(NOTES)
    outcomes = {}
    for way, settings in WAYS.items():
        made.con.execute("CLEAR CACHE")
        for name, value in {"llm_optimizer": "on", **settings}.items():
            made.con.set(name, value)
        made.engine.log.clear()
        relation = made.con.sql(QUERY)
        rows, stats = relation.fetchall(), relation.stats
        print(way, rows, stats)
        asked = len(made.engine.log)
        assert consistent(stats)
        assert stats.calls_run == stats.requests_sent == asked
        assert all(taken_apart(prompt).texts for prompt in made.prompts)
        outcomes[way] = rows
        if way != "off":
            again = made.con.sql(QUERY)
            assert again.fetchall() == rows
            assert len(made.engine.log) == asked
            assert (again.stats.calls_asked, again.stats.calls_cached) == (3, 3)
    assert outcomes["on"] == outcomes["small"] == outcomes["off"]
