"""The table of a run of the study, in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from scale.chosen import POLICY
from scale.row import Row

_COLUMNS = (
    "workflow", "calls", "planning, s", "planning, CPU s", "CPU a call, µs", "of it naming, µs",
    "of the engine, µs", "seconds", "peak, MB", "bytes a call", "makespan, s", "hits",
)  # fmt: skip


def table(rows: Sequence[Row], others: Sequence[str]) -> str:
    """A line for each workflow and size; makespans of the others are against POLICY's."""
    columns = (*_COLUMNS, *(f"{name}, makespan" for name in others), "answers")
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    groups: dict[tuple[str, int], dict[str, Row]] = {}
    for row in rows:
        groups.setdefault((row.workflow, row.calls), {})[row.policy] = row
    for group in groups.values():
        if POLICY in group:
            lines.append(f"| {' | '.join(_cells(group, others))} |")
    return "\n".join(lines)


def differing(rows: Sequence[Row]) -> list[str]:
    """Runs whose rows are not those of the first policy of the workflow and size."""
    first: dict[tuple[str, int], str] = {}
    return [
        f"{row.workflow}, {row.calls} calls, {row.policy}"
        for row in rows
        if first.setdefault((row.workflow, row.calls), row.answers) != row.answers
    ]


def _cells(group: dict[str, Row], others: Sequence[str]) -> list[str]:
    row = group[POLICY]
    ratios = [
        f"{group[name].makespan / row.makespan:.2f}x" if name in group else "" for name in others
    ]
    compared = len(group) > 1
    return [
        row.workflow,
        f"{row.calls:,}",
        f"{row.planning_seconds:.2f}",
        f"{row.planning_cpu:.2f}",
        f"{row.cpu_per_call * 1e6:.1f}",
        f"{row.naming_cpu / row.calls * 1e6:.1f}",
        f"{row.engine_cpu / row.calls * 1e6:.1f}",
        f"{row.seconds:.1f}",
        f"{row.peak_bytes / 1e6:,.0f}",
        f"{row.bytes_per_call:,.0f}",
        f"{row.makespan:.2f}",
        f"{row.hit_tokens / row.prompt_tokens:.1%}",
        *ratios,
        ("DIFFER" if differing(list(group.values())) else "equal") if compared else "",
    ]
