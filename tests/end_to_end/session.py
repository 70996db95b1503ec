"""A larger session on the demonstration model, run by test_quickstart.py in a process of its own.

Prints one JSON object. Leaves without close(), or with the exception that its argument asks for.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import heliumql


def opinions(reviews: int) -> str:
    """The query of queries/quickstart.hql that reads reviews, for so many of them."""
    text = Path("queries/quickstart.hql").read_text("utf-8")
    query = text.partition("CREATE TEMP TABLE opinions AS")[2].partition(";")[0]
    assert "LIMIT 24" in query
    return query.replace("LIMIT 24", f"LIMIT {reviews}")


def run(con: heliumql.Connection, query: str) -> dict[str, Any]:
    relation = con.sql(query)
    assert relation is not None
    rows = relation.fetchall()
    stats = relation.stats
    return {
        "rows": [[str(value) for value in row] for row in rows],
        "run": stats.calls_run,
        "cached": stats.calls_cached,
        "shared": stats.calls_shared,
        "failed": stats.calls_failed,
        "prefix_hit_tokens": stats.prefix_hit_tokens,
    }


def main() -> None:
    con = heliumql.connect()
    con.execute("CREATE TEMP VIEW reviews AS FROM 'catalog/data/reviews.csv'")
    if sys.argv[1:] == ["raise"]:
        con.sql(opinions(2)).fetchall()
        raise RuntimeError("as the test asked")
    seen = {"first": run(con, opinions(60)), "again": run(con, opinions(60))}
    seen["twelve"] = run(con, opinions(12))
    con.execute("SET llm_optimizer = 'off'")
    seen["off"] = run(con, opinions(12))
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
