"""The stages on the way of a query, and a clock that says what each of them takes."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from heliumql import optimizer, syntax
from heliumql.binder import bind, carry
from heliumql.calls.graph import CallGraph
from heliumql.physical import scheduler
from heliumql.physical.passes import Passes
from heliumql.physical.scheduler import Scheduler

# The function that is a stage: what holds it, its name there, the name of the stage.
_FUNCTIONS: tuple[tuple[Any, str, str], ...] = (
    (syntax, "parse", "parse"),
    (syntax, "desugar", "desugar"),
    (bind, "bind", "bind"),
    (optimizer, "optimize", "rules"),
    (carry, "carry", "carry"),
    (Passes, "rewrite", "take SQL"),
    (Passes, "_drain", "pass"),
    (Passes, "_call", "naming"),
    (CallGraph, "demand", "graph"),
    (scheduler, "workload_of", "tree"),
    (Scheduler, "_plan", "schedule"),
)
STAGES = (*(stage for _, _, stage in _FUNCTIONS), "rest")
COMPILING = ("parse", "desugar", "bind", "rules", "carry", "take SQL")  # before the first row
SCHEDULING = ("tree", "schedule")  # the templated tree of the prompts, and orders of the calls


class Clock:
    """Seconds and CPU seconds by stage; what a stage spends in another one is the other one's.

    CPU is that of all threads of this process.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.cpu: dict[str, float] = defaultdict(float)
        self.named = 0  # calls, as far as the graph knew them when rows last asked for some
        self._inside = ["rest"]
        self._since: tuple[float, float] | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Times what stands inside, unless it stops the clock before."""
        before = [(owner, name, getattr(owner, name)) for owner, name, _ in _FUNCTIONS]
        for owner, name, stage in _FUNCTIONS:
            setattr(owner, name, self._timed(getattr(owner, name), stage))
        self._since = _now()
        try:
            yield
        finally:
            self.stop()
            for owner, name, function in before:
                setattr(owner, name, function)

    def stop(self) -> None:
        self._pass_time()
        self._since = None

    @contextmanager
    def inside(self, stage: str) -> Iterator[None]:
        """What stands inside belongs to the stage."""
        self._pass_time()
        self._inside.append(stage)
        try:
            yield
        finally:
            self._pass_time()
            self._inside.pop()

    def _pass_time(self) -> None:
        if self._since is None:
            return
        now = _now()
        self.seconds[self._inside[-1]] += now[0] - self._since[0]
        self.cpu[self._inside[-1]] += now[1] - self._since[1]
        self._since = now

    def _timed(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            with self.inside(stage):
                result = function(*arguments, **named)
            if stage == "graph":
                self.named = len(arguments[0].minted)
            return result

        return timed


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()
