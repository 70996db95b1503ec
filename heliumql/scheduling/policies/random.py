"""Any ready call: what a program does whose tasks run as they come, like LangGraph's."""

from __future__ import annotations

import random as numbers
from collections.abc import Sequence

from heliumql.scheduling.schedule import ANY, Schedule
from heliumql.scheduling.workload import Worker, Workload

_SEED = 42  # the same calls, the same schedule


def random(workload: Workload, workers: Sequence[Worker]) -> Schedule:
    """Ready calls in an order that is drawn once, on any worker that has room."""
    rank = list(range(len(workload)))
    numbers.Random(_SEED).shuffle(rank)
    return Schedule("random", rank, [ANY] * len(workload))
