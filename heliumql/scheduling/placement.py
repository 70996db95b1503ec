"""Which worker runs which call: groups stay together, the work is balanced."""

from __future__ import annotations

from collections.abc import Sequence

from heliumql.scheduling.groups import Groups
from heliumql.scheduling.workload import Worker, Workload


def placed(
    workload: Workload, workers: Sequence[Worker], units: Sequence[int], groups: Groups
) -> list[int]:
    """The worker of each call. Calls of a unit stay together; longest units first, each to the
    worker that has least to do (in seconds, by its own speed).

    A unit that is more than a fair share of all work is split in depth-first order.
    """
    if len(workers) == 1:
        return [0] * len(workload)
    seconds = _seconds(workload, workers, groups)
    candidates = _by_engine(workers)
    members: dict[tuple[int, int], list[int]] = {}
    for call, unit in enumerate(units):
        members.setdefault((workload.engine[call], unit), []).append(call)
    total: dict[int, float] = {}
    for call, engine in enumerate(workload.engine):
        total[engine] = total.get(engine, 0.0) + seconds[call]
    parts: list[tuple[float, int, list[int]]] = []
    for (engine, _), calls in members.items():
        fair = total[engine] / len(candidates[engine])
        calls.sort(key=groups.place.__getitem__)
        work = sum(seconds[call] for call in calls)
        pieces = 1 if work <= fair * 1.05 else min(len(calls), len(candidates[engine]))
        size = -(-len(calls) // pieces)
        for start in range(0, len(calls), size):
            part = calls[start : start + size]
            parts.append((sum(seconds[c] for c in part), groups.place[part[0]], part))
    parts.sort(key=lambda p: (-p[0], p[1]))
    load = [0.0] * len(workers)
    result = [0] * len(workload)
    for work, _, calls in parts:
        worker = min(candidates[workload.engine[calls[0]]], key=lambda w: (load[w], w))
        load[worker] += work / _speed(workers, worker)
        for call in calls:
            result[call] = worker
    return result


def _by_engine(workers: Sequence[Worker]) -> dict[int, list[int]]:
    result: dict[int, list[int]] = {}
    for number, worker in enumerate(workers):
        result.setdefault(worker.engine, []).append(number)
    return result


def _seconds(workload: Workload, workers: Sequence[Worker], groups: Groups) -> list[float]:
    """What each call adds to the work of a worker: a shared prefix is computed once a group."""
    first = {w.engine: w for w in reversed(workers)}
    met: set[int] = set()
    result = []
    for call in range(len(workload)):
        group = groups.group[call]
        shared = workload.tree.end[groups.node[group]] if group in met else 0
        met.add(group)
        prefill = max(1, workload.prompt[call] - shared)
        result.append(first[workload.engine[call]].seconds(prefill, workload.output[call]))
    return result


def _speed(workers: Sequence[Worker], worker: int) -> float:
    """How fast a worker is, against the first one of its engine."""
    first = next(w for w in workers if w.engine == workers[worker].engine)
    own = workers[worker].seconds(1000, 100)
    return first.seconds(1000, 100) / own if own else 1.0
