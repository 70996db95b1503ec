"""JSON and Mermaid of explanations: whole, well-formed, and nothing in them is taken for markup."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from to_explain import QUERIES, explained

from heliumql.connection import Connection

NASTY = """SELECT LLM_GENERATE('<script>alert("x")</script> & ]]> `{body}` "q" | {stars} \\ #;')
           AS "<b>|]" FROM reviews"""

KEYS = {"statement", "plan", "rules", "operators", "passes", "tree", "schedule",
        "seconds_expected", "price_expected"}  # fmt: skip
OPERATOR_KEYS = {"name", "template", "model", "rows", "calls_expected", "calls_fetched",
                 "prompt_tokens", "output_tokens", "static_prefix_tokens", "cuts"}  # fmt: skip


def texts() -> list[str]:
    return [path.read_text("utf-8") for path in QUERIES] + [NASTY]


def as_json(connection: Connection, query: str, analyze: bool = False) -> dict[str, Any]:
    options = "(ANALYZE, FORMAT json)" if analyze else "(FORMAT json)"
    document: dict[str, Any] = json.loads(explained(connection, query, options))
    return document


@pytest.mark.parametrize("query", texts())
def test_json_has_every_key_and_its_plan_hangs_together(query: str, forbidden: Connection) -> None:
    found = as_json(forbidden, query)
    assert found.keys() >= KEYS
    assert found["statement"].strip() == query.strip()
    for operator in found["operators"]:
        assert operator.keys() >= OPERATOR_KEYS
    for rule in found["rules"]:
        assert rule.keys() == {"name", "fired", "what"}
    if found["plan"] is None:
        assert found["call_by_call"]
        return
    nodes = found["plan"]["nodes"]
    reached, stack = set[str](), [found["plan"]["output"]]
    while stack:
        number = stack.pop()
        reached.add(number)
        stack += nodes[number]["inputs"]
    assert reached == nodes.keys()
    shown = [n["operator"] for n in nodes.values() if "operator" in n]
    assert sorted(set(shown)) == sorted(o["name"] for o in found["operators"])


def test_json_tells_what_is_estimated(forbidden: Connection) -> None:
    query = "SELECT LLM_GENERATE('{body}') FROM reviews WHERE LLM_FILTER('ok? {body}')"
    filtering, writing = as_json(forbidden, query)["operators"]
    assert (filtering["rows"], filtering["calls_expected"]) == (12, 12)
    assert "rows" not in filtering["estimated"]
    assert {"rows", "calls_expected"} <= set(writing["estimated"])


def test_json_after_analyze_tells_what_the_run_did(tables: Connection) -> None:
    found = as_json(tables, "SELECT LLM_GENERATE('{stars}') FROM reviews", analyze=True)
    stats = tables.last_stats
    assert stats is not None
    happened = found["happened"]
    assert (happened["rows"], happened["calls_asked"], happened["calls_run"]) == (12, 12, 5)
    for key in ("calls_shared", "calls_cached", "prompt_tokens", "output_tokens", "passes"):
        assert happened[key] == getattr(stats, key)


def test_analyze_tells_what_each_operator_took(tables: Connection) -> None:
    query = """SELECT LLM_GENERATE('{body}'), LLM_GENERATE('x {stars}') FROM reviews
               WHERE LLM_FILTER('ok? {id}')"""
    operators = as_json(tables, query, analyze=True)["operators"]
    stats = tables.last_stats
    assert stats is not None
    (asked,) = [o["happened"] for o in operators if o["name"].startswith("LLM_FILTER")]
    assert (asked["run"], asked["failed"]) == (12, 0)
    for key in ("prompt_tokens", "prefix_hit_tokens", "output_tokens"):
        assert sum(o["happened"][key] for o in operators) == getattr(stats, key)
    assert sum(o["happened"]["run"] for o in operators) == stats.calls_run
    assert "happened: 12 calls run, 0 failed" in explained(tables, "SELECT LLM_GENERATE('{id}')"
                                                           " FROM reviews", "ANALYZE")  # fmt: skip


def test_the_relation_of_analyze_has_the_stats_of_the_run(tables: Connection) -> None:
    relation = tables.sql("EXPLAIN ANALYZE SELECT LLM_GENERATE('{stars}') FROM reviews")
    assert relation is not None
    (row,) = relation.fetchall()
    assert row[0] == "analyzed_plan"
    assert relation.stats == tables.last_stats
    assert "calls asked: 12; shared: 7; remembered: 0; run: 5" in row[1]


def test_analyze_runs_what_writes(tables: Connection) -> None:
    query = "INSERT INTO agents SELECT id, LLM_GENERATE('{body}') FROM reviews WHERE id > 9"
    explained(tables, query)
    assert tables.execute("SELECT count(*) FROM agents").fetchall() == [(2,)]
    assert "run: 2" in explained(tables, query, "ANALYZE")
    assert tables.execute("SELECT count(*) FROM agents").fetchall() == [(4,)]


@pytest.mark.parametrize("query", texts())
def test_mermaid_is_nodes_and_edges_and_nothing_else(query: str, forbidden: Connection) -> None:
    first, *lines = explained(forbidden, query, "(FORMAT mermaid)").split("\n")
    assert first == "flowchart TD"
    text = r"[^\"<>`{}\[\]|\\&]*"
    label = rf"\"{text}(?:<br/>{text})*\""
    node = re.compile(rf"  (n\d+)(?:\[\[{label}\]\]|\[{label}\]|\(\[{label}\]\))")
    edge = re.compile(r"  (n\d+) --> (n\d+)")
    made = set[str]()
    for line in lines:
        found = node.fullmatch(line)
        if found:
            made.add(found[1])
        else:
            ends = edge.fullmatch(line)
            assert ends, line
            assert {ends[1], ends[2]} <= made


def test_formats_are_written_in_files_of_queries() -> None:
    assert {p.suffix for p in (Path(__file__).parent / "queries").iterdir()} == {".sql", ".txt"}
