"""What each rule of the optimizer saves: the same query with the rule on and with it disabled.

    python benchmark/rules.py [--rows 2000]

The engine is simulated (an 8B model on one large GPU, in virtual time); a predicate's answer is a
function of its text. Rows are checked to be equal. `calls` are those that an engine answered,
`seconds` virtual ones until the last row, `CPU` what HeliumQL itself took.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from dataclasses import dataclass
from typing import Any

import heliumql
from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import ScriptedAnswer, SimulatedEngine


@dataclass(frozen=True)
class Shown:
    """A query that a rule makes cheaper. `before` is run first, so that something is learnt."""

    rule: str
    title: str
    query: str
    before: str = ""


SHOWN = (
    Shown(
        "pull_up_llm_predicate",
        "a predicate above a join that keeps 3 of 50 kinds",
        "SELECT n.id, k.name FROM notes n JOIN kinds k USING (kind) "
        "WHERE LLM_FILTER('Is it polite? {n.body}')",
    ),
    Shown(
        "join_then_ask",
        "a semantic join of 40 pairs a key, LIMIT 5",
        "SELECT n.id, k.name FROM notes n JOIN kinds k ON n.kind = k.kind "
        "AND LLM_FILTER('Is {n.body} about {k.name}?') ORDER BY n.id LIMIT 5",
    ),
    Shown(
        "group_then_ask",
        "a predicate on the key of a GROUP BY",
        "SELECT kind, count(*) FROM notes WHERE LLM_FILTER('Is {kind} even?') GROUP BY kind",
    ),
    Shown(
        "order_llm_predicates",
        "the rarer predicate first, as learnt",
        "SELECT id FROM notes WHERE LLM_FILTER('Is it text? {body}') "
        "AND LLM_FILTER('Is it rare? {body}')",
        "SELECT count(*) FROM notes WHERE LLM_FILTER('Is it text? {body}') AND id < 100; "
        "SELECT count(*) FROM notes WHERE LLM_FILTER('Is it rare? {body}') AND id < 100",
    ),
    Shown(
        "limit_stops_early",
        "LIMIT 5 over a predicate that one in three rows passes",
        "SELECT id FROM notes WHERE LLM_FILTER('Is it polite? {body}') LIMIT 5",
    ),
    Shown(
        "limit_stops_early",
        "the same with ORDER BY a column",
        "SELECT id FROM notes WHERE LLM_FILTER('Is it polite? {body}') ORDER BY body LIMIT 5",
    ),
    Shown(
        "ask_early",
        "a summary behind a predicate that thinks first and lets nine of ten rows pass",
        "SELECT id, LLM_GENERATE('Sum up {body}') FROM notes "
        "WHERE LLM_GENERATE('Is it text? Think first. {body}') LIKE 'yes%' AND id < 150",
        "SELECT count(*) FROM notes "
        "WHERE LLM_GENERATE('Is it text? Think first. {body}') LIKE 'yes%' AND id > 1900",
    ),
    Shown(
        "merge_equal_subplans",
        "eight CTEs, four distinct",
        "WITH "
        + ", ".join(
            f"c{i} AS MATERIALIZED "
            f"(SELECT id, LLM_GENERATE('Trader {i % 4}: {{body}}') AS x FROM notes)"
            for i in range(8)
        )
        + " SELECT c0.id, "
        + " || ".join(f"c{i}.x" for i in range(8))
        + " AS x FROM c0 "
        + " ".join(f"JOIN c{i} ON c{i}.id = c0.id" for i in range(1, 8)),
    ),
)


def answer(messages: tuple[tuple[str, str], ...], spec: CallSpec) -> ScriptedAnswer:
    """A predicate is true of one text in three, of nine in ten ('text'), of one in ten ('rare')."""
    said = messages[-1][1]
    draw = int(hashlib.md5(said.encode()).hexdigest()[:4], 16) / 0x10000
    if spec.returns.sql() == "BOOLEAN":
        share = 0.9 if "Is it text" in said else 0.1 if "Is it rare" in said else 1 / 3
        return ScriptedAnswer("true" if draw < share else "false", output_tokens=2)
    if "Think first" in said:
        return ScriptedAnswer(("yes " if draw < 0.9 else "no ") + said, output_tokens=120)
    return ScriptedAnswer(f"answer {draw}", output_tokens=int(20 + 60 * draw / (1.15 - draw)))


def run(shown: Shown, rows: int, disabled: str) -> dict[str, Any]:
    engine = SimulatedEngine({"log": False}, answer)
    with heliumql.connect() as con:
        con.register_model("simulated", engine)
        con.execute(
            "CREATE TABLE notes AS SELECT i AS id, 'kind ' || (i % 50) AS kind, "
            f"md5(i::VARCHAR) || repeat(' words', 40) AS body FROM range({rows}) r(i); "
            "CREATE TABLE kinds AS SELECT 'kind ' || i AS kind, 'name ' || i AS name "
            "FROM range(3) r(i)"
        )
        if shown.before:
            con.execute(shown.before).fetchall()
            con.execute("CLEAR CACHE WHERE true")
        con.set("llm_disabled_rules", disabled)
        began, cpu = engine.now, time.process_time()
        relation = con.sql(shown.query)
        assert relation is not None
        found = relation.fetchall()
        return {
            "rows": sorted(map(repr, found)),
            "calls": relation.stats.calls_run,
            "seconds": engine.now - began,
            "cpu": time.process_time() - cpu,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=2000)
    rows = parser.parse_args().rows
    columns = ("rule", "query", "calls without", "with", "seconds without", "with", "CPU")
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|")
    for shown in SHOWN:
        off, on = run(shown, rows, shown.rule), run(shown, rows, "")
        if "LIMIT" not in shown.query or "ORDER" in shown.query:
            assert on["rows"] == off["rows"], shown.title
        print(
            f"| `{shown.rule}` | {shown.title} | {off['calls']:,} | {on['calls']:,} "
            f"| {off['seconds']:.2f} | {on['seconds']:.2f} | {on['cpu'] / off['cpu']:.2f}x |"
        )


if __name__ == "__main__":
    main()
