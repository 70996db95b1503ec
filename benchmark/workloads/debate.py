"""Debate: agents answer a question about a report, hear the others, and answer again."""

from __future__ import annotations

from collections.abc import Iterator

from suites.tables import Tables

from workloads.workload import Answer, Call, Item, joined, prompt

_SYSTEM = "You answer questions about financial reports from what the report says."


def debate(tables: Tables) -> Iterator[Item]:
    reports = dict(zip(*tables["contexts"].to_pydict().values(), strict=True))
    agents = tables["agents"].to_pylist()
    numbers = [a["agent"] for a in agents]
    for asked in tables["questions"].to_pylist():
        first = [
            Call(
                f"first_{a['agent']}",
                "first",
                (f"{reports[asked['context']]}\nQuestion:{asked['body']}\n{a['role']}",),
                system=_SYSTEM,
            )
            for a in agents
        ]
        second = [
            Call(
                f"second_{me}",
                "second",
                prompt(
                    "The others said:\n",
                    joined("\n", [Answer(f"first_{n}") for n in numbers if n != me]),
                    "\nRevise your answer.",
                ),
                history=f"first_{me}",
            )
            for me in numbers
        ]
        yield Item(f"{asked['context']}/{asked['question']}", (*first, *second))
