"""Reflection: an analyst answers, two critics look at it, the analyst answers again."""

from __future__ import annotations

from collections.abc import Iterator

from suites.tables import Tables

from workloads.workload import Answer, Call, Item, prompt


def reflection(tables: Tables) -> Iterator[Item]:
    reports = dict(zip(*tables["contexts"].to_pydict().values(), strict=True))
    (critics,) = tables["critics"].to_pylist()
    for asked in tables["questions"].to_pylist():
        question = f"{reports[asked['context']]}\nQuestion:{asked['body']}"
        said = prompt(f"{question}\nThe analyst says:", Answer("answer"))
        looked = prompt(said, "\nThe first critic says:", Answer("extraction"))
        again = prompt(
            "One critic says:",
            Answer("extraction"),
            "\nAnother one says:",
            Answer("calculation"),
            "\nAnswer the question again.",
        )
        calls = (
            Call("answer", "answer", (question,), system=critics["analyst"]),
            Call("extraction", "extraction", said, system=critics["extraction"]),
            Call("calculation", "calculation", looked, system=critics["calculation"]),
            Call("revised", "revised", again, history="answer"),
        )
        yield Item(f"{asked['context']}/{asked['question']}", calls)
