"""The tables of the study, in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter

from overhead.rows import Calls, Naming, Planning, Scheduling

STAGES = (
    "grammar", "parse", "desugar", "bind", "rules", "carry", "take_sql", "pass_", "naming",
    "graph", "tree", "schedule", "rest",
)  # fmt: skip
_TARGET_KIB = 552  # of the tree over operators: what the Helium paper reports for trading


def planning_table(rows: Sequence[Planning]) -> str:
    """Milliseconds of CPU, medians of the runs of a query."""
    head = ["query", "calls", *(s.strip("_").replace("_", " ") for s in STAGES)]
    lines = []
    for name, mine in _by_query(rows).items():
        stages = [_median(mine, attrgetter(stage)) for stage in STAGES]
        whole = [_median(mine, lambda r: r.cpu), _median(mine, lambda r: r.seconds)]
        survey = _median(mine, lambda r: r.survey)
        figures = [f"{seconds * 1000:,.1f}" for seconds in (*stages, *whole, survey)]
        peak = max(r.peak_bytes for r in mine) / 1e6
        lines.append([name, f"{mine[0].calls:,}", *figures, f"{peak:,.0f}"])
    return _table([*head, "all", "all, wall", "survey", "peak, MB"], lines)


def metadata_table(rows: Sequence[Planning]) -> str:
    """KiB of the trees."""
    lines = [
        [
            name,
            str(mine[0].operators),
            f"{mine[0].operator_tree_bytes / 1024:.1f}",
            f"{mine[0].planned:,}",
            f"{mine[0].data_tree_bytes / 1024:,.1f}",
        ]
        for name, mine in _by_query(rows).items()
    ]
    head = ["query", "operators", f"tree over operators, KiB (target for trading: {_TARGET_KIB})"]
    return _table([*head, "calls planned together", "tree over their prompts, KiB"], lines)


def scheduling_table(rows: Iterable[Scheduling]) -> str:
    head = ["calls planned together", "calls", "target, ms", "wall, ms", "CPU, ms"]
    lines = [
        [r.workflow, f"{r.calls:,}", *(f"{s * 1000:,.0f}" for s in (r.target, r.seconds, r.cpu))]
        for r in rows
    ]
    return _table(head, lines)


def calls_table(rows: Iterable[Calls]) -> str:
    head = ["optimizer", "calls", "CPU a call, µs", "of the engine, µs", "seconds"]
    lines = [
        [
            "on" if r.optimizer else "off",
            f"{r.calls:,}",
            f"{r.cpu / r.calls * 1e6:.1f}",
            f"{r.engine_cpu / r.calls * 1e6:.1f}",
            f"{r.seconds:.2f}",
            f"{r.first_row_seconds:.2f}",
            f"{r.held_bytes / r.calls:,.0f}",
        ]
        for r in rows
    ]
    return _table([*head, "first row, s", "bytes a call"], lines)


def naming_table(rows: Iterable[Naming]) -> str:
    head = ["calls named", "messages in memory, MB", "texts, MB", "CPU a call, µs", "seconds"]
    lines = [
        [
            f"{r.calls:,}",
            f"{r.window_bytes / 1e6:,.0f}",
            f"{r.text_bytes / 1e6:,.0f}",
            f"{r.cpu / r.calls * 1e6:.2f}",
            f"{r.seconds:.2f}",
            f"{r.held_bytes / r.calls:,.0f}",
        ]
        for r in rows
    ]
    return _table([*head, "bytes a call"], lines)


def _by_query(rows: Iterable[Planning]) -> dict[str, list[Planning]]:
    found: dict[str, list[Planning]] = {}
    for row in rows:
        found.setdefault(row.query, []).append(row)
    return found


def _median(rows: Iterable[Planning], of: Callable[[Planning], float]) -> float:
    return statistics.median(map(of, rows))


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    return "\n".join(
        [
            f"| {' | '.join(head)} |",
            "|---" * len(head) + "|",
            *(f"| {' | '.join(line)} |" for line in lines),
        ]
    )
