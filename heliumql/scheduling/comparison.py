"""Schedules of the same calls, compared by what they are expected to take."""

from __future__ import annotations

from collections.abc import Sequence

from heliumql.scheduling.forecast import Forecast, forecast
from heliumql.scheduling.lengths import draws
from heliumql.scheduling.schedule import Schedule
from heliumql.scheduling.workload import Worker, Workload


class Comparison:
    """The quick form of the event model; on one worker with several lengths of the answers.

    Calls move between several workers, which the quick form does not follow: more lengths would not
    make it truer there.
    """

    def __init__(self, workload: Workload, workers: Sequence[Worker]) -> None:
        self._workload = workload
        self._workers = workers
        self.paths = [workload.tree.path(call) for call in range(len(workload))]
        self._drawn = draws(workload) if len(workers) == 1 else [workload]
        self._first: list[Forecast] = []  # of the first schedule, with each of the lengths
        self._expected = 0.0  # seconds of the first schedule, with the expected lengths

    def foretell(self, schedule: Schedule) -> Forecast:
        """Seconds with the expected lengths, in proportion to the first schedule as the draws say;
        hits with the first of them."""
        outcomes = [self._forecast(drawn, schedule) for drawn in self._drawn]
        if not self._first:
            self._first = outcomes
            self._expected = self._forecast(self._workload, schedule).seconds
        ratios = [
            one.seconds / first.seconds if first.seconds else 1.0
            for one, first in zip(outcomes, self._first, strict=True)
        ]
        seconds = self._expected * sum(ratios) / len(ratios)
        return Forecast(seconds, outcomes[0].hit_tokens)

    def _forecast(self, workload: Workload, schedule: Schedule) -> Forecast:
        return forecast(workload, self._workers, schedule, self.paths)
