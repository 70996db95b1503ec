"""How far HeliumQL is from the limit, and what the difference consists of."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from measured.row import Row
from workloads import WORKFLOWS, workload
from workloads.rounds import calls_with_needs, fewest_rounds

from report.tables import BASE, LIMITS, by_system, groups, limit

_COLUMNS = (
    "suite", "KV cache", "workers", "seconds", "oracle", "one row", "to the limit", "gap",
    "of it planning", "of it the rest", "prompt tokens computed, to the oracle's",
    "steps, to the oracle's", "steps, to the fewest",
)  # fmt: skip


def section(rows: Sequence[Row]) -> str:
    """Markdown: a line for each group that has HeliumQL and both limits; empty where none has.

    What planning (of the statement, without the search for a schedule) does not explain of a gap
    is that search, batches that are not full as calls wait for answers, and prompt tokens that the
    oracle finds in the cache. The oracle's calls wait for none: the fewest steps are those that no
    order of calls that wait can go below, told of one worker.
    """
    lines = []
    for group in groups(rows):
        systems = by_system(group)
        least = limit(systems)
        if least is not None and BASE in systems:
            lines.append("| " + " | ".join(_cells(systems, least)) + " |")
    if not lines:
        return ""
    head = ["| " + " | ".join(_COLUMNS) + " |", "|---" * len(_COLUMNS) + "|"]
    return "\n".join(["## To the limit", "", *head, *lines])


def _cells(systems: Mapping[str, Sequence[Row]], least: float) -> list[str]:
    rows = systems[BASE]
    oracle, one_row = (systems[name] for name in LIMITS)
    seconds = _seconds(rows)
    virtual = rows[0].engine == "simulated"  # its seconds do not pass while a statement is planned
    planning = statistics.median(0.0 if virtual else r.planning_seconds or 0.0 for r in rows)
    computed = statistics.median(r.computed_tokens for r in rows)
    known = statistics.median(r.computed_tokens for r in oracle)
    return [
        rows[0].suite,
        f"{rows[0].kv_tokens:,}",
        str(rows[0].workers),
        f"{seconds:.2f}",
        f"{_seconds(oracle):.2f}",
        f"{_seconds(one_row):.2f}",
        f"{seconds / least:.2f}",
        f"{seconds - least:+.2f}",
        f"{planning:.2f}",
        f"{seconds - least - planning:+.2f}",
        f"{computed / known:.2f}",
        _over(_steps(rows), _steps(oracle)),
        _over(_steps(rows), _fewest_steps(rows[0])),
    ]


def _over(steps: float | None, others: float | None) -> str:
    return f"{steps / others:.2f}" if steps and others else ""


def _steps(rows: Sequence[Row]) -> float | None:
    """None where they were not counted."""
    counted = [row.engine_steps for row in rows if row.engine_steps]
    return statistics.median(counted) if counted else None


def _fewest_steps(row: Row) -> int | None:
    """That any order of its calls needs; None where the workload as a program is another one, or
    answers that happened to be equal left fewer calls."""
    if row.workers > 1 or row.apart or row.parameter or row.suite not in WORKFLOWS:
        return None
    made = workload(row.suite, row.rows, row.scale, row.seed)
    if len(calls_with_needs(made)) != row.calls_run:
        return None
    return fewest_rounds(made, row.slots) * made.max_tokens


def _seconds(rows: Sequence[Row]) -> float:
    return statistics.median(r.seconds for r in rows)
