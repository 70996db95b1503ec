"""One client of a server: python flight_client.py URL FIRST COUNT. Prints what it got.

It asks for COUNT rows from FIRST on, and says `row` when the first ones are there.
"""

from __future__ import annotations

import sys

import heliumql

url, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with heliumql.connect(url, token=None) as con:
    con.execute("CREATE TEMP TABLE mine AS SELECT 1 AS a")
    con.execute("SET llm_batch_rows = 8")
    rows = con.sql(
        "SELECT i, LLM_GENERATE('Question {i}') AS answer "
        f"FROM range({first}, {first + count}) r(i) ORDER BY i"
    )
    got = []
    for batch in rows.batches():
        got += batch.to_pylist()
        print("row", flush=True)
    assert [r["i"] for r in got] == list(range(first, first + count))
    assert all(r["answer"] == f"echo Question {r['i']}" for r in got), got[:3]
    print("complete", len(got), flush=True)
