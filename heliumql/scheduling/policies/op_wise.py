"""One operator after the other, as batch systems do: a map over all rows, then the next map."""

from __future__ import annotations

from collections.abc import Sequence

from heliumql.scheduling.schedule import ANY, Schedule
from heliumql.scheduling.workload import Worker, Workload


def op_wise(workload: Workload, workers: Sequence[Worker]) -> Schedule:
    """An operator begins when all calls of those before it are done (Helium paper, section 6)."""
    count = len(workload)
    return Schedule("op_wise", range(count), [ANY] * count, stage=workload.operator)
