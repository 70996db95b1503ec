"""What planning a query takes, stage by stage; once, in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from fresh_process import peak_bytes
from silent_engine import Planned, SilentEngine
from stages import STAGES, Clock

import heliumql
from heliumql.connection import Connection
from heliumql.physical import scheduler
from heliumql.physical.scheduler import PlannedCalls
from heliumql.physical.survey import Survey
from heliumql.statements.explaining import Looked, look_at
from overhead.metadata import deep_size, operator_tree
from overhead.queries import queries
from overhead.rows import Planning

_FIELDS = {stage: stage.replace(" ", "_").lower() for stage in STAGES} | {"pass": "pass_"}


def planning(query: str, turn: int, texts: int) -> Planning:
    """Plans it, with the silent engine as the model of all calls."""
    with heliumql.connect() as con:
        con.duckdb.execute("SET enable_progress_bar = false")  # on with `python -m`, to stdout
        clock = Clock()
        engine = SilentEngine(clock.stop)
        con.register_model("silent", engine, model="silent")
        text = queries(texts)[query].prepare(con)
        began = time.perf_counter(), time.process_time()
        con.statements("SELECT LLM_GENERATE('Loads the grammar.')")
        grammar = time.perf_counter() - began[0], time.process_time() - began[1]
        with _watched() as plans, clock.running(), suppress(Planned):
            relation = con.sql(text)
            assert relation is not None
            next(relation.batches())
        if not engine.calls or not plans:
            raise RuntimeError("no call was planned")
        peak = peak_bytes()
        survey, looked = _surveyed(con, text)
        tree = operator_tree(looked)
        largest = max(plans, key=lambda plan: len(plan.workload))
        return Planning(
            query,
            turn,
            clock.named,
            len(largest.workload),
            grammar=grammar[1],
            **{name: clock.cpu.get(stage, 0.0) for stage, name in _FIELDS.items()},
            cpu=grammar[1] + sum(clock.cpu.values()),
            seconds=grammar[0] + sum(clock.seconds.values()),
            survey=survey,
            operators=len(tree.templates()),
            operator_tree_bytes=deep_size(tree),
            data_tree_bytes=deep_size(largest.workload.tree),
            peak_bytes=peak,
        )


@contextmanager
def _watched() -> Iterator[list[PlannedCalls]]:
    """The schedules that are made meanwhile."""
    plans: list[PlannedCalls] = []
    planned: Callable[..., PlannedCalls] = scheduler.planned

    def kept(*arguments: Any) -> PlannedCalls:
        plans.append(planned(*arguments))
        return plans[-1]

    setattr(scheduler, "planned", kept)  # noqa: B010
    try:
        yield plans
    finally:
        setattr(scheduler, "planned", planned)  # noqa: B010


def _surveyed(con: Connection, text: str) -> tuple[float, Looked]:
    """CPU of the survey of EXPLAIN, and what it looked at."""
    cpu = 0.0
    survey: Callable[..., Any] = Survey.run

    def timed(*arguments: Any) -> Any:
        nonlocal cpu
        began = time.process_time()
        try:
            return survey(*arguments)
        finally:
            cpu += time.process_time() - began

    setattr(Survey, "run", timed)  # noqa: B010
    try:
        looked = look_at(con._session, text, None, 0)
    finally:
        setattr(Survey, "run", survey)  # noqa: B010
    return cpu, looked
