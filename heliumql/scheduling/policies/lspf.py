"""Longest shared prefix first: what SGLang does with the requests that wait."""

from __future__ import annotations

from collections.abc import Sequence

from heliumql.scheduling.schedule import ANY, Schedule
from heliumql.scheduling.workload import Worker, Workload


def lspf(workload: Workload, workers: Sequence[Worker]) -> Schedule:
    """Of the ready calls the one of which the worker's prefix cache holds most.

    Ties go by the order in which rows asked. SGLang falls back to that order altogether where more
    than 128 calls wait; here it does not.
    """
    count = len(workload)
    return Schedule("lspf", range(count), [ANY] * count, choice="longest_prefix")
