"""Map-reduce: experts answer a question, a summarizer merges what they say."""

from __future__ import annotations

from collections.abc import Iterator

from suites.tables import Tables

from workloads.workload import Answer, Call, Item, joined, prompt

_REPORTS = "You answer questions about financial reports from what the report says."
_OPTIONS = "You answer questions with four options, one of which is right."
_SUMMARIZER = "You are a careful summarizer of what others say."
_MOST = "\nGive the answer that most of them support, and say why."


def about_reports(tables: Tables) -> Iterator[Item]:
    reports = dict(zip(*tables["contexts"].to_pydict().values(), strict=True))
    experts = tables["experts"].to_pylist()
    for asked in tables["questions"].to_pylist():
        names = [f"opinion_{e['expert']}" for e in experts]
        opinions = [
            Call(
                name,
                "opinion",
                (f"{reports[asked['context']]}\nQuestion:{asked['body']}\n{e['role']}",),
                system=_REPORTS,
            )
            for name, e in zip(names, experts, strict=True)
        ]
        merged = prompt(
            f"Experts were asked:{asked['body']}\nThey answered:\n",
            joined("\n", [Answer(n) for n in names]),
            _MOST,
        )
        conclusion = Call("conclusion", "conclusion", merged, system=_SUMMARIZER)
        yield Item(f"{asked['context']}/{asked['question']}", (*opinions, conclusion))


def about_questions(tables: Tables) -> Iterator[Item]:
    experts = tables["experts"].to_pylist()
    for asked in tables["questions"].to_pylist():
        names = [f"opinion_{e['expert']}" for e in experts]
        opinions = [
            Call(name, "opinion", (f"{asked['body']}\n{e['role']}",), system=_OPTIONS)
            for name, e in zip(names, experts, strict=True)
        ]
        said = joined("\n", [Answer(n) for n in names])
        merged = prompt("Experts answered a question:\n", said, _MOST)
        conclusion = Call("conclusion", "conclusion", merged, system=_SUMMARIZER)
        yield Item(str(asked["question"]), (*opinions, conclusion))


def of_mix(tables: Tables) -> Iterator[Item]:
    """Map and reduce with the lengths of a prefix mix."""
    experts = tables["experts"].to_pylist()
    (summarizer,) = tables["summarizers"].to_pylist()
    for asked in tables["questions"].to_pylist():
        opinions = [
            Call(
                f"opinion_{e['expert']}",
                "opinion",
                (asked["context"], asked["body"]),
                system=e["role"],
            )
            for e in experts
        ]
        said = joined("\n", [Answer(o.name) for o in opinions])
        merged = prompt("Experts answered a question:\n", said, _MOST)
        conclusion = Call("conclusion", "conclusion", merged, system=summarizer["role"])
        yield Item(str(asked["question"]), (*opinions, conclusion))
