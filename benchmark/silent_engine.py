"""An engine that takes calls and never answers: whoever waits for it has planned its statement."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from constant_engine import ConstantEngine
from event_model.hardware import worker

from heliumql.cost.event_model import Constants
from heliumql.errors import EngineError


class Planned(EngineError):
    """The call graph and the schedule are there, and somebody waits for the first answer."""

    def __init__(self) -> None:
        super().__init__("planned")


class SilentEngine(ConstantEngine):
    """One worker, an 8B model on a large GPU; ends the statement when it is asked for an answer."""

    def __init__(self, when_planned: Callable[[], None] = lambda: None) -> None:
        self.workers: Sequence[Constants] = (worker(),)
        super().__init__(slots=self.workers[0].max_num_seqs)
        self._when_planned = when_planned

    def advance(self) -> None:
        self._when_planned()
        raise Planned
