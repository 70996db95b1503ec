"""A program that runs one statement and prints its rows as they come, then what it did.

python statement_program.py DATABASE STORE LOG SQL
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from sleeping_engine import SleepingEngine

import heliumql


def main() -> None:
    database, store, log, sql = sys.argv[1:]
    with heliumql.connect(database) as con:
        if store:
            con.set("llm_cache_path", store)
        con.register_model("m", SleepingEngine(Path(log)), model="sleeping")
        relation = con.sql(sql)
        assert relation is not None
        for batch in relation.batches():
            for row in batch.to_pylist():
                print(json.dumps(row), flush=True)
        stats = relation.stats
        print(json.dumps({"run": stats.calls_run, "cached": stats.calls_cached}), flush=True)


if __name__ == "__main__":
    main()
