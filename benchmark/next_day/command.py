"""Measures both days by turns, says what was reused, and keeps the rows in files."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from bench import running
from bench.chosen import Chosen
from bench.command import heading
from bench.in_process import InProcess
from bench.outcome import outcome
from bench.rows import extent, measures
from bench.size import measure
from measured.row import Row
from progress import say
from report.tables import columns, compared, legend
from suites.runs import Run
from workloads import workload

from heliumql.cli.standard_output import write
from next_day.days import SECOND, Days, turns
from next_day.reuse import Reuse, by_name, reuse

STUDY = "next_day"
TARGET = 0.85  # of the first day, at most
_SYSTEMS = ("first day", "second day", "second day without store")
_MEASURES: dict[str, Callable[[Run], float]] = {
    "seconds": lambda run: run.seconds,
    "engine CPU": lambda run: run.cpu,  # which other work on the machine hardly touches
    "calls run": lambda run: run.calls,
    "prompt tokens": lambda run: run.prompt_tokens,
    "tokens computed": lambda run: run.computed,
    "output tokens": lambda run: run.output_tokens,
}


def command(chosen: Chosen, folder: Path | None, out: TextIO) -> int:
    """The exit status."""
    return outcome(STUDY, chosen, partial(_measured, chosen, out), folder)


def _measured(chosen: Chosen, out: TextIO, fields: Mapping[str, Any]) -> Iterator[Row]:
    """Raises RuntimeError where a call that did not change was asked again."""
    size = measure(SECOND, chosen)
    rows: list[Row] = []
    days: list[Days] = []
    with ExitStack() as stack:
        model = running.model(chosen, stack)
        wanted = size.on(chosen.hardware, chosen.kv_tokens)
        engine, kv_tokens = running.engine(chosen, wanted, model, stack)
        write(heading(SECOND, chosen, size, kv_tokens) + "\n", out)
        for turn, both in enumerate(turns(InProcess(SECOND, chosen, engine, kv_tokens))):
            days.append(both)
            runs = (both.first, both.second, both.without)
            for system, found in zip(_SYSTEMS, runs, strict=True):
                row = Row(
                    **fields,
                    **extent(SECOND, chosen, kv_tokens),
                    **measures(found),
                    suite=STUDY,
                    system=system,
                    turn=turn,
                    # The first day has other answers than the second.
                    equal=found is both.first or both.equal,
                )
                say(f"turn {turn + 1}, {system}: {row.seconds:.2f} s")
                rows.append(row)
                yield row
    found_again = reused(days[0], reuse(days[0]), chosen)
    parts = (compared(rows), legend(columns(rows)), ratios(days), found_again)
    write("\n\n".join(parts) + "\n", out)
    for both in days:
        again = reuse(both)
        if not again.complete:
            raise RuntimeError(
                f"{len(again.unchanged - again.found)} calls that did not change were asked again, "
                f"{len(again.found - again.unchanged)} that did were not"
            )


def ratios(days: Sequence[Days]) -> str:
    """The second day against the first, and against the same day without a store: medians."""
    lines = [
        "| of the second day | to the first day | to the second without store |",
        "|---|---|---|",
    ]
    for name, of in _MEASURES.items():
        if not all(of(d.first) and of(d.without) for d in days):
            continue  # nothing is known of it: a simulated engine takes no CPU
        first = statistics.median(of(d.second) / of(d.first) for d in days)
        without = statistics.median(of(d.second) / of(d.without) for d in days)
        lines.append(f"| {name} | {first:.3f} | {without:.3f} |")
    return "\n".join([*lines, "", f"The target is {TARGET} of the seconds of the first day."])


def reused(both: Days, again: Reuse, chosen: Chosen) -> str:
    """The calls of the second day that were asked on the first one too, by name."""
    rows, scale = chosen.rows_of(SECOND), chosen.scale_of(SECOND)
    work = workload(SECOND.name, rows, scale, chosen.seed)
    lines = [
        f"Of {len(again.asked)} calls of the second day {len(again.unchanged)} are those of the "
        f"first one, {len(again.found)} were found in the store:",
        "",
        "| call | asked | unchanged | found |",
        "|---|---|---|---|",
    ]
    named = by_name(again, work, both.without.record)
    some = [n for n in named if n.unchanged or n.found]
    lines += [f"| {n.name} | {n.asked} | {n.unchanged} | {n.found} |" for n in some]
    return "\n".join(lines)
