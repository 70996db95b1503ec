"""Tables: a request about a subject each; a row without a request is not asked about."""

from __future__ import annotations

from collections.abc import Iterator

from suites.tables import Tables

from workloads.workload import Call, Item


def tables(tables: Tables) -> Iterator[Item]:
    for row in tables["requests"].to_pylist():
        if row["request"] is not None:
            yield Item(
                str(row["number"]), (Call("answer", "answer", (row["subject"], row["request"])),)
            )
