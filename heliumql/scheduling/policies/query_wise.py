"""One query after the other, as an engine does that is handed one query at a time."""

from __future__ import annotations

from collections.abc import Sequence

from heliumql.scheduling.schedule import ANY, Schedule
from heliumql.scheduling.workload import Worker, Workload


def query_wise(workload: Workload, workers: Sequence[Worker]) -> Schedule:
    """A query begins when all calls of those before it are done (Helium paper, section 6).

    Inside a query calls run side by side, as soon as their inputs are there.
    """
    count = len(workload)
    return Schedule("query_wise", range(count), [ANY] * count, stage=workload.query)
