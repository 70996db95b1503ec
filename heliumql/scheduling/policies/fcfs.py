"""First come, first served: what a server does with requests as they arrive."""

from __future__ import annotations

from collections.abc import Sequence

from heliumql.scheduling.schedule import ANY, Schedule
from heliumql.scheduling.workload import Worker, Workload


def fcfs(workload: Workload, workers: Sequence[Worker]) -> Schedule:
    """Ready calls in the order in which rows asked for them, on any worker that has room."""
    count = len(workload)
    return Schedule("fcfs", range(count), [ANY] * count)
