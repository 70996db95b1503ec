"""Iterative and parallel: what the reviews of an item say."""

from __future__ import annotations

from collections.abc import Iterator

from suites.tables import PIECES, Tables

from workloads.workload import Answer, Call, Item, joined, prompt


def iterative(tables: Tables) -> Iterator[Item]:
    """A summary refined piece by piece."""
    (told,) = tables["instructions"].to_pylist()
    reviews = _reviews(tables)
    for item in tables["items"].column("item").to_pylist():
        calls = [Call("summary_1", "summary_1", (told["summarize"] + reviews[item, 1],))]
        for piece in range(2, PIECES + 1):
            before = Answer(f"summary_{piece - 1}")
            name = f"summary_{piece}"
            calls.append(Call(name, name, (told["refine"], before, reviews[item, piece])))
        yield Item(str(item), tuple(calls))


def parallel(tables: Tables) -> Iterator[Item]:
    """Experts take notes on every piece and sum them up; a writer merges the summaries."""
    (told,) = tables["instructions"].to_pylist()
    reviews = _reviews(tables)
    experts = tables["experts"].to_pylist()
    for row in tables["items"].to_pylist():
        item, description = row["item"], row["description"]
        notes = [
            Call(
                f"note_{piece}_{e['expert']}",
                "note",
                (told["extract"] + description + reviews[item, piece],),
                system=e["role"],
            )
            for piece in range(1, PIECES + 1)
            for e in experts
        ]
        summaries = [
            Call(
                f"summary_{e['expert']}",
                "summary",
                prompt(
                    "Sum up your notes:\n",
                    joined("\n", [Answer(f"note_{p}_{e['expert']}") for p in range(1, PIECES + 1)]),
                ),
                system=e["role"],
            )
            for e in experts
        ]
        written = prompt(
            f"{description}\nExperts wrote on this product:\n",
            joined("\n", [Answer(s.name) for s in summaries]),
            "\nWrite one report.",
        )
        report = Call("report", "report", written, system="You are a writer who merges reports.")
        yield Item(str(item), (*notes, *summaries, report))


def _reviews(tables: Tables) -> dict[tuple[int, int], str]:
    return {(p["item"], p["piece"]): p["reviews"] for p in tables["pieces"].to_pylist()}
