"""Parrot's policy: a group of ready calls with a first segment in common goes to one engine."""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from heliumql.scheduling.schedule import Schedule
from heliumql.scheduling.workload import Worker, Workload


@dataclass
class _Engine:
    """What the dispatcher knows of a worker."""

    number: int
    worker: Worker
    tokens: int = 0  # of the calls that are there
    calls: int = 0
    segments: set[int] = field(default_factory=set)  # first segments that calls have brought

    @property
    def room(self) -> int:
        return self.worker.constants.kv_cache_tokens - self.tokens


def parrot(workload: Workload, workers: Sequence[Worker]) -> Schedule:
    """The scheduler of ParrotServe with app_fifo, ctx_group and ctx_aware on.

    Calls whose inputs are there wait in a queue, deeper ones before others. The first one takes
    all with the same first segment along to the engine that has computed that segment, else to the
    fullest one that has room for it. Nothing is planned over calls that are not ready.

    Parrot does not count the tokens of engines behind an API, so all calls go to the first one;
    here they are counted. When calls end is estimated: each takes its prefill and a step a token.
    """
    chosen = _dispatched(workload, [_Engine(n, w) for n, w in enumerate(workers)])
    # The queue stays first come, first served on each engine, deeper calls first.
    order = sorted(range(len(workload)), key=lambda c: (-workload.level[c], c))
    rank = [0] * len(workload)
    for place, call in enumerate(order):
        rank[call] = place
    return Schedule("parrot", rank, chosen)


def _dispatched(workload: Workload, engines: Sequence[_Engine]) -> list[int]:
    """The worker of each call, as the dispatcher decides while time goes by."""
    first = [path[0] if (path := workload.tree.path(c)) else 0 for c in range(len(workload))]
    missing = [len(set(needs)) for needs in workload.needs]
    chosen = [0] * len(workload)
    # The queue: calls with the same engine and first segment, deeper ones first.
    groups: dict[tuple[int, int], list[tuple[int, int]]] = {}

    def queue(call: int) -> None:
        group = groups.setdefault((workload.engine[call], first[call]), [])
        bisect.insort(group, (-workload.level[call], call))

    for call, count in enumerate(missing):
        if not count:
            queue(call)
    running: list[tuple[float, int]] = []
    now = 0.0
    while groups or running:
        for (kind, segment), calls in sorted(groups.items(), key=lambda group: group[1][0]):
            tokens = _tokens(workload, calls[0][1])
            engine = _found((e for e in engines if e.worker.engine == kind), segment, tokens)
            if engine is None:
                continue
            del groups[kind, segment]
            engine.segments.add(segment)
            for _, call in calls:
                chosen[call] = engine.number
                engine.tokens += _tokens(workload, call)
                engine.calls += 1
                heapq.heappush(running, (now + _seconds(workload, call, engine), call))
        if not running:
            raise ValueError("a call needs more tokens than any worker of its engine holds")
        now, call = heapq.heappop(running)
        engine = engines[chosen[call]]
        engine.tokens -= _tokens(workload, call)
        engine.calls -= 1
        for dependent in dict.fromkeys(workload.dependents[call]):
            missing[dependent] -= 1
            if not missing[dependent]:
                queue(dependent)
    return chosen


def _found(engines: Iterable[_Engine], segment: int, tokens: int) -> _Engine | None:
    """One that has computed the segment goes first, then the one with the least room left."""
    fitting = (e for e in engines if tokens <= e.room)
    best = min(fitting, key=lambda e: (segment not in e.segments, e.room, e.number), default=None)
    return best


def _tokens(workload: Workload, call: int) -> int:
    return workload.prompt[call] + workload.output[call]


def _seconds(workload: Workload, call: int, engine: _Engine) -> float:
    constants = engine.worker.constants
    batch = min(engine.calls, constants.max_num_seqs)
    step = constants.step_seconds + batch * constants.decode_seconds_per_sequence
    prefill = workload.prompt[call] * constants.prefill_seconds_per_token
    return prefill + workload.output[call] * step
