"""`heliumql bench overhead`: what HeliumQL itself takes to plan and to run calls, and to hold them.

No model answers: the engine is silent where planning is measured, else a constant. Each measurement
has a process of its own, so that loading the grammar counts and the peak of memory is its own.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from fresh_process import fresh
from measured.figures import write_figures
from measured.folder import made
from progress import say

from heliumql.cli.standard_output import write
from overhead.chosen import MORE, Chosen, chosen
from overhead.naming import WINDOWS
from overhead.rows import Calls, Naming, Planning, Scheduling
from overhead.scheduling import workflows
from overhead.tables import (
    calls_table,
    metadata_table,
    naming_table,
    planning_table,
    scheduling_table,
)

__all__ = ["main"]


def main(options: argparse.Namespace) -> int:
    """The exit status: 1 where a measurement failed. Tables go to standard output."""
    asked = chosen(options)
    folder: Path | None = options.output
    made(folder)
    for part in asked.parts:
        measure, titles = _PARTS[part]
        rows: list[Any] = []
        try:
            for row in measure(asked):
                rows.append(row)
        except RuntimeError as error:
            say(f"error: {part}: {error}")
            return 1
        finally:  # also of what was measured before Ctrl-C
            if rows:
                if folder is not None:
                    say(f"written: {write_figures(folder, f'overhead-{part}', rows)}")
                for title, table in titles.items():
                    write(f"\n### {title}\n\n{table(rows)}\n")
    return 0


def _planning(asked: Chosen) -> Iterator[Planning]:
    for query in asked.queries:
        for turn in range(asked.runs):
            row = Planning(**fresh("overhead", "planning", query, turn, asked.calls * MORE))
            say(f"planning {query}: {row.seconds:.2f} s")
            yield row


def _scheduling(asked: Chosen) -> Iterator[Scheduling]:
    for number in range(len(workflows(asked.calls))):
        row = Scheduling(**fresh("overhead", "scheduling", number, asked.calls))
        say(f"scheduling {row.workflow}: {row.seconds:.2f} s")
        yield row


def _calls(asked: Chosen) -> Iterator[Calls]:
    for optimizer in ("on", "off"):
        row = Calls(**fresh("overhead", "calls", optimizer, asked.calls))
        say(f"calls, optimizer {optimizer}: {row.seconds:.2f} s")
        yield row


def _naming(asked: Chosen) -> Iterator[Naming]:
    for window in WINDOWS:
        row = Naming(**fresh("overhead", "naming", asked.calls * MORE, window))
        say(f"naming {row.calls:,} calls: {row.seconds:.2f} s")
        yield row


_Tables = dict[str, Callable[[Sequence[Any]], str]]
_PARTS: dict[str, tuple[Callable[[Chosen], Iterator[Any]], _Tables]] = {
    "planning": (
        _planning,
        {"From the text of a query to its schedule, ms of CPU": planning_table,
         "Trees that prompts are planned with": metadata_table},
    ),
    "scheduling": (_scheduling, {"From the call graph to the schedule": scheduling_table}),
    "calls": (_calls, {"A call from SQL to its row": calls_table}),
    "naming": (_naming, {"To name a call": naming_table}),
}  # fmt: skip
