"""Mixed: eight questions about a document, and eight labels of a note by long rules."""

from __future__ import annotations

from collections.abc import Iterator

from suites.tables import Tables

from workloads.workload import Call, Item


def mixed(tables: Tables) -> Iterator[Item]:
    (rules,) = tables["instructions"].to_pylist()
    for row in tables["documents"].to_pylist():
        answers = [
            Call(f"answer_{n}", f"answer_{n}", (row["body"] + row[f"question_{n}"],))
            for n in range(1, 9)
        ]
        labels = [
            Call(f"label_{n}", f"label_{n}", (rules[f"rules_{n}"] + row["note"],))
            for n in range(1, 9)
        ]
        yield Item(str(row["document"]), (*answers, *labels))
