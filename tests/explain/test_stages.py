"""`--stages`: every stage is told, and the same in every run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from to_explain import QUERIES, TABLES, explained

import heliumql
from heliumql.connection import Connection


def stages(connection: Connection, query: str, options: str = "FORMAT stages") -> dict[str, str]:
    """What is told, by the title of its stage."""
    text = explained(connection, query, f"({options})")
    parts = re.split(r"(?m)^\d+\. (.*)$", text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("path", QUERIES, ids=[p.stem for p in QUERIES])
def test_stages_are_the_same_in_another_process_and_after_other_statements(path: Path) -> None:
    told = []
    for warm_up in range(2):
        with heliumql.connect() as connection:
            connection.execute(TABLES)
            for _ in range(3 * warm_up):
                explained(connection, "SELECT LLM_GENERATE('{body}') FROM reviews")
            told.append(explained(connection, path.read_text("utf-8"), "(FORMAT stages, ANALYZE)"))
    if path.stem != "call_by_call":  # random() is in it
        assert told[0] == told[1]


def test_every_stage_of_a_query_is_told(tables: Connection) -> None:
    query = "SELECT id, LLM_GENERATE('Sum up {body}') AS s FROM reviews WHERE LLM_FILTER('ok {id}')"
    told = stages(tables, query, "FORMAT stages, ANALYZE")
    rooms = [title.partition(":")[0] for title in told]
    assert rooms == [
        "The text, as written.",
        "syntax.parse",
        "syntax.desugar",
        "binder.bind",
        "The bound plan in words; a node names those that it reads.",
        "optimizer.optimize",
        "binder.carry",
        "physical.passes",
        "calls",
        "prompts.RadixTree",
        "explain",
        "The rows, and what they took.",
    ]
    assert query in told["The text, as written."]
    by_room = dict(zip(rooms, told.values(), strict=True))
    assert "__hql_llm('LLM_GENERATE#1', 'Sum up ' || " in by_room["syntax.desugar"]
    assert "__hql_ready(" in by_room["physical.passes"]
    assert "- user: ok 0\\nAnswer true or false." in by_room["calls"]
    assert re.search(r"\d passes; calls asked: ", by_room["The rows, and what they took."])


def test_answers_in_messages_go_by_the_name_of_their_operator(tables: Connection) -> None:
    query = """WITH a AS (SELECT id, LLM_GENERATE('One {id}') AS s FROM reviews)
               SELECT LLM_GENERATE('Two {s}') FROM a"""
    told = stages(tables, query)
    (calls,) = [text for title, text in told.items() if title.startswith("calls")]
    assert "- user: One 0" in calls
    assert "- user: Two {LLM_GENERATE#1}" in calls


def test_statements_evaluated_call_by_call_say_why(tables: Connection) -> None:
    told = stages(tables, "UPDATE agents SET role = LLM_GENERATE('{role}')")
    assert any("update with calls" in text for text in told.values())
