"""KVFlow's policy: first come, first served, on engines whose KV caches look ahead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from heliumql.cost.event_model import Constants
from heliumql.cost.step_aware_cache import AgentSteps, StepAwareModel
from heliumql.scheduling.policies.fcfs import fcfs
from heliumql.scheduling.schedule import Schedule
from heliumql.scheduling.workload import Worker, Workload


def kvflow(workload: Workload, workers: Sequence[Worker]) -> Schedule:
    """The order of `fcfs`: KVFlow does not reorder or place calls, its engines evict otherwise.

    `step_aware` makes those engines, for a simulation.
    """
    return replace(fcfs(workload, workers), policy="kvflow")


def step_aware(workload: Workload) -> Callable[[Constants], StepAwareModel]:
    """Makes the engines of one simulated run of the workload; they share its table of steps.

    An agent is what KVFlow takes for one: the calls with the same first segment, their system text.
    """
    needs: dict[int, set[int]] = {}
    for call, below in enumerate(workload.needs):
        operators = needs.setdefault(workload.operator[call], set())
        operators.update(workload.operator[n] for n in below)
        operators.discard(workload.operator[call])
    agent = [path[0] if (path := workload.tree.path(call)) else 0 for call in range(len(workload))]
    table = AgentSteps(workload.operator, agent, needs)
    return lambda constants: StepAwareModel(constants, table)
