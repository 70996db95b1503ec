"""Debate: agents answer a question about a report, hear the others, and answer again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from suites.tables import Tables

from workloads.workload import Answer, Call, Item, joined, prompt

_OPTIONS = "You answer questions with four options, one of which is right."
_REPORTS = "You answer questions about financial reports from what the report says."


def debate(tables: Tables) -> Iterator[Item]:
    reports = dict(zip(*tables["contexts"].to_pydict().values(), strict=True))
    agents = tables["agents"].to_pylist()
    for asked in tables["questions"].to_pylist():
        about = f"{reports[asked['context']]}\nQuestion:{asked['body']}"
        first = {a["agent"]: (_REPORTS, f"{about}\n{a['role']}") for a in agents}
        yield Item(f"{asked['context']}/{asked['question']}", _rounds(first))


def about_questions(tables: Tables) -> Iterator[Item]:
    agents = tables["agents"].to_pylist()
    for asked in tables["questions"].to_pylist():
        first = {a["agent"]: (_OPTIONS, f"{asked['body']}\n{a['role']}") for a in agents}
        yield Item(str(asked["question"]), _rounds(first))


def of_mix(tables: Tables) -> Iterator[Item]:
    """A debate with the lengths of a prefix mix."""
    agents = tables["agents"].to_pylist()
    for asked in tables["questions"].to_pylist():
        first = {a["agent"]: (a["role"], asked["context"] + asked["body"]) for a in agents}
        yield Item(str(asked["question"]), _rounds(first))


def _rounds(first: Mapping[int, tuple[str, str]]) -> tuple[Call, ...]:
    """Both rounds. `first` has what each agent is told and asked in the first."""
    begun = [
        Call(f"first_{me}", "first", (asked,), system=system)
        for me, (system, asked) in first.items()
    ]
    return (*begun, *(_second(me, [other for other in first if other != me]) for me in first))


def _second(me: int, others: Sequence[int]) -> Call:
    said = joined("\n", [Answer(f"first_{other}") for other in others])
    asked = prompt("The others said:\n", said, "\nRevise your answer.")
    return Call(f"second_{me}", "second", asked, history=f"first_{me}")
