"""What deferring answers gains: a workflow in one graph against one operator after the other.

    python benchmark/small_batches/deferral.py [--items 200]

Map-reduce: 5 experts look at each item, one call merges what they say. Reflection: a draft, a
criticism, a revision. The engine is simulated (an 8B model on one large GPU, in virtual time) with
answers of very different lengths. Call by call, as DuckDB evaluates a function, no merging call
starts before the last expert has spoken. Deferred, each starts when its own five are there.
"""

from __future__ import annotations

import argparse
import hashlib
from typing import Any

import heliumql
from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import ScriptedAnswer, SimulatedEngine

_MAP_REDUCE = """
SELECT id, LLM_GENERATE('Merge these opinions. {opinions}', system => 'You are a writer.') AS merged
FROM (SELECT id, string_agg(opinion, chr(10) ORDER BY expert) AS opinions
      FROM (SELECT i.id, e.expert,
                   LLM_GENERATE('{i.body} Give your opinion as expert {e.expert}.') AS opinion
            FROM items AS i CROSS JOIN range(5) AS e(expert))
      GROUP BY id)
ORDER BY id"""
_REFLECTION = """
SELECT id, LLM_GENERATE('Revise: {draft} A critic says: {critic}') AS revised
FROM (SELECT id, draft, LLM_GENERATE('Criticize: {draft}') AS critic
      FROM (SELECT id, LLM_GENERATE('Sum up: {body}') AS draft FROM items))
ORDER BY id"""


def answer(messages: tuple[tuple[str, str], ...], spec: CallSpec) -> ScriptedAnswer:
    """Most answers are short, a few are ten times as long, the same in every run."""
    digest = hashlib.md5(messages[-1][1].encode()).hexdigest()
    draw = int(digest[:4], 16) / 0x10000
    tokens = int(20 + 60 * draw / (1.15 - draw))
    return ScriptedAnswer(f"answer {digest} " * (tokens // 10 + 1), output_tokens=tokens)


def run(query: str, items: int, optimizer: str, slots: int) -> dict[str, Any]:
    engine = SimulatedEngine({"log": False, "max_num_seqs": slots}, answer)
    with heliumql.connect() as con:
        con.register_model("simulated", engine)
        con.execute(
            "CREATE TABLE items AS SELECT i AS id, "
            "'Item ' || i || ': ' || repeat(md5(i::VARCHAR) || ' ', 30) AS body "
            f"FROM range({items}) r(i)"
        )
        con.execute(f"SET llm_optimizer = '{optimizer}'")
        relation = con.sql(query)
        assert relation is not None
        rows = relation.fetchall()
        return {"rows": rows, "seconds": engine.now, "stats": relation.stats}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--items", type=int, default=200)
    items = parser.parse_args().items
    print("workflow    calls  slots  call by call  deferred   gain")
    for name, query in (("map-reduce", _MAP_REDUCE), ("reflection", _REFLECTION)):
        for slots in (32, 256):
            barrier = run(query, items, "off", slots)
            graph = run(query, items, "on", slots)
            assert barrier["rows"] == graph["rows"]
            before, after = barrier["seconds"], graph["seconds"]
            calls = graph["stats"].calls_run
            times = f"{before:11.1f} s {after:7.1f} s {before / after:5.2f}x"
            print(f"{name:10} {calls:6,} {slots:6} {times}")


if __name__ == "__main__":
    main()
