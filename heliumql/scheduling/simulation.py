"""What a schedule would take: the calls of a workload on event models, in virtual time."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from heliumql.cost.event_model import Completion, Constants, EventModel
from heliumql.scheduling.queue import ReadyQueue
from heliumql.scheduling.schedule import Schedule
from heliumql.scheduling.workload import Worker, Workload

Model = Callable[[Constants], EventModel[int]]


@dataclass(frozen=True)
class Outcome:
    """What a simulated run did. Times are virtual seconds."""

    seconds: float  # until the last answer
    prompt_tokens: int
    hit_tokens: int  # of the prompt tokens, found in prefix caches
    output_tokens: int
    prefill_tokens: int  # computed, after preemptions again
    completions: Sequence[tuple[int, Completion[int]]]  # with their workers, as they came

    @property
    def hit_rate(self) -> float:
        return self.hit_tokens / self.prompt_tokens if self.prompt_tokens else 0.0


def simulate(
    workload: Workload,
    workers: Sequence[Worker],
    schedule: Schedule,
    model: Model = EventModel,
) -> Outcome:
    """Runs the calls as the dispatcher would: those that are ready, in the order of the schedule,
    slightly more on a worker than it computes at once."""
    queue = ReadyQueue(workload, workers, schedule)
    models = [model(w.constants) for w in workers]
    for pin in schedule.pins:
        size = workers[pin.worker].constants.block_size
        models[pin.worker].pin(workload.tree.node_keys(pin.node, size))
    uses = {call: pin for pin in schedule.pins for call in pin.calls}
    left = {id(pin): len(pin.calls) for pin in schedule.pins}
    missing = [len(set(needs)) for needs in workload.needs]
    for call, count in enumerate(missing):
        if not count:
            queue.add(call)
    rooms = [w.room for w in workers]
    inside = [0] * len(workers)
    completions: list[tuple[int, Completion[int]]] = []
    # Of engines that have come further than others: time, order, worker
    pending: list[tuple[float, int, int, Completion[int]]] = []
    later: list[tuple[float, int]] = []  # when a call is there whose answers have come: time, call
    now = 0.0
    while len(completions) < len(workload):
        # A call that may run anywhere goes to the worker that has least to do.
        asking = set(range(len(workers)))
        while asking:
            number = min(asking, key=lambda n: (inside[n] / rooms[n], n))
            taken = queue.take(number) if inside[number] < rooms[number] else None
            if taken is None:
                asking.remove(number)
                continue
            engine = models[number]
            inside[number] += 1
            if not engine.busy:
                engine.advance_to(now)
            engine.add(
                taken,
                workload.prompt[taken],
                workload.keys(taken, workers[number].constants.block_size),
                workload.output[taken],
                schedule.rank[taken],
            )
        busy = [n for n, engine in enumerate(models) if engine.busy]
        number = min(busy, key=lambda n: (models[n].now, n), default=-1)
        event = min(pending[0][0] if pending else math.inf, later[0][0] if later else math.inf)
        if event == math.inf or (busy and models[number].now < event):
            if not busy:
                raise ValueError("calls that wait for each other, or for a stage that never ends")
            # The engine that is behind goes on, no further than where something else happens.
            until = min((models[n].now for n in busy if n != number), default=math.inf)
            for completion in models[number].step(min(until, event)):
                entry = (completion.finished, len(completions) + len(pending), number, completion)
                heapq.heappush(pending, entry)
            continue
        # Every engine has come to this time: now the others may know.
        if later and later[0][0] == event:
            now, call = heapq.heappop(later)
            queue.add(call)
            continue
        now, _, number, completion = heapq.heappop(pending)
        inside[number] -= 1
        completions.append((number, completion))
        call = completion.call
        queue.done(call)
        used = uses.get(call)
        if used is not None:
            left[id(used)] -= 1
            if not left[id(used)]:
                size = workers[used.worker].constants.block_size
                models[used.worker].unpin(workload.tree.node_keys(used.node, size))
        delay = workers[number].constants.answer_seconds
        for dependent in dict.fromkeys(workload.dependents[call]):
            missing[dependent] -= 1
            if missing[dependent]:
                continue
            if delay:
                heapq.heappush(later, (now + delay, dependent))
            else:
                queue.add(dependent)
    return Outcome(
        max((engine.now for engine in models), default=0.0),
        sum(c.prompt_tokens for _, c in completions),
        sum(c.cached_tokens for _, c in completions),
        sum(c.output_tokens for _, c in completions),
        sum(engine.prefill_tokens for engine in models),
        completions,
    )
