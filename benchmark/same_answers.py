"""How many answers are the same however they are asked for: python benchmark/same_answers.py

    [--dtype float32,bfloat16] [--prompts 64] [--json]

The demonstration model on vLLM, greedy. The same prompts are asked with the optimizer on (all at
once, ordered for the prefix cache), off (call by call), and once more from the store; then on
another engine with another number of calls at once. In float32 all must be equal; in bfloat16 sums
depend on how many calls are computed together, and a model may say something else where two tokens
are nearly as likely.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import heliumql
from heliumql.connection import Connection

ROOT = Path(__file__).parent.parent
MODEL = ROOT / "catalog" / "models" / "demo"
_AT_ONCE = (32, 5)  # calls, of the two engines


def asked(prompts: int) -> str:
    """Four operators over reviews: free and typed, long and short, with and without a history."""
    reviews = prompts // 4
    return f"""
    WITH s AS (FROM '{ROOT / "catalog/data/reviews.csv"}' ORDER BY review_id LIMIT {reviews})
    SELECT s.review_id, a.text AS summary, b.text AS longer,
           LLM_GENERATE('Sentiment? {{s.body}}'
             RETURNS ENUM('positive', 'negative', 'mixed')) AS felt,
           LLM_GENERATE('Of kettle {{s.review_id}}, what do you say?', max_tokens => 60) AS free
    FROM   s,
           LATERAL LLM_GENERATE('Summarize this review in one line. {{s.body}}') AS a,
           LATERAL LLM_GENERATE('Say more.', history => a.messages, max_tokens => 60) AS b
    ORDER BY s.review_id"""


def answers(con: Connection, query: str) -> tuple[list[str], int]:
    """All answers, row by row, and how many calls were run for them."""
    relation = con.sql(query)
    assert relation is not None
    rows = [str(value) for row in relation.fetchall() for value in row[1:]]
    assert not relation.stats.calls_failed, relation.stats.failures
    return rows, relation.stats.calls_run


def ways(dtype: str, prompts: int) -> dict[str, list[str]]:
    query = asked(prompts)
    found: dict[str, list[str]] = {}
    for at_once in _AT_ONCE:
        with heliumql.connect() as con:
            con.execute(
                f"CREATE MODEL m WITH (engine = 'vllm', model = '{MODEL}', dtype = '{dtype}', "
                f"concurrency = {at_once})"
            )
            found[f"on, {at_once} at once"], run = answers(con, query)
            assert run
            found[f"from the store, {at_once} at once"], run = answers(con, query)
            assert not run
            con.execute("SET llm_optimizer = 'off'")
            found[f"off, {at_once} at once"], _ = answers(con, query)
    return found


def shares(found: dict[str, list[str]]) -> dict[str, float]:
    """Of the answers of each way, the share that equals those of the first one."""
    first, *_ = found.values()
    return {
        way: sum(a == b for a, b in zip(first, texts, strict=True)) / len(first)
        for way, texts in found.items()
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dtype", default="float32,bfloat16")
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    found = {dtype: shares(ways(dtype, given.prompts)) for dtype in given.dtype.split(",")}
    if given.json:
        print(json.dumps(found))
        return
    for dtype, by_way in found.items():
        for way, share in by_way.items():
            print(f"{dtype:10} {way:30} {share:7.1%}")


if __name__ == "__main__":
    main()
