"""What a schedule is expected to take, quickly: the event model without its blocks and steps.

`simulate` follows every block of KV cache and every step of an engine. To compare many schedules
this is enough: a call is admitted when its turn comes, a slot is free and its tokens fit the KV
cache; nodes of the tree that no call uses stay until the room is needed, longest unused first;
computing what is not there takes the engine's prefill time, in which nothing else goes on; then all
running calls draw a token a step. Two events a call, so a thousand calls take about 10 ms.
"""

from __future__ import annotations

import heapq
import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from heliumql.scheduling.schedule import ANY, Schedule
from heliumql.scheduling.workload import Worker, Workload


@dataclass(frozen=True)
class Forecast:
    """Seconds until the last answer, and prompt tokens found in prefix caches."""

    seconds: float
    hit_tokens: int


class _Line:
    """One worker: its clock, the calls that run on it, its prefix cache."""

    __slots__ = (
        "c", "context", "free", "held", "hits", "idle", "kept", "now", "ready", "running",
        "steps", "users",
    )  # fmt: skip

    def __init__(self, worker: Worker) -> None:
        self.c = worker.constants
        self.now = 0.0
        self.steps = 0.0
        self.free = self.c.kv_cache_tokens  # not used by running calls
        self.held = 0  # by nodes that no running call uses
        self.hits = 0
        self.context = 0  # tokens that the running calls look back at
        self.kept: set[int] = set()
        self.users: dict[int, int] = {}
        self.idle: OrderedDict[int, None] = OrderedDict()
        self.ready: list[tuple[int, int]] = []
        self.running: list[tuple[float, int, int]] = []  # step of the last token, call, prefill

    def step_seconds(self) -> float:
        c = self.c
        return (
            c.step_seconds
            + len(self.running) * c.decode_seconds_per_sequence
            + self.context * (c.attention_seconds_per_pair + c.kv_read_seconds_per_token)
        )

    def next(self) -> float:
        """When the next running call is done."""
        if not self.running:
            return math.inf
        return self.now + max(0.0, self.running[0][0] - self.steps) * self.step_seconds()

    def advance(self, time: float) -> None:
        if time <= self.now:
            return
        if self.running:
            cost = self.step_seconds()
            self.steps += (time - self.now) / cost if cost else math.inf
        self.now = time


def forecast(
    workload: Workload,
    workers: Sequence[Worker],
    schedule: Schedule,
    paths: Sequence[Sequence[int]],
) -> Forecast:
    """`paths` are the nodes of the calls, from the root to the leaf (`tree.path`), made once for
    all schedules that are compared. Stages are not looked at, pins are kept to the end."""
    end, parent = workload.tree.end, workload.tree.parent
    size = [end[node] - end[above] for node, above in enumerate(parent)]
    rank, prompt, output = schedule.rank, workload.prompt, workload.output
    lines = [_Line(w) for w in workers]
    kept: list[set[int]] = [set() for _ in workers]
    for pin in schedule.pins:
        node = pin.node
        while node:
            kept[pin.worker].add(node)
            node = parent[node]
    for line, nodes in zip(lines, kept, strict=True):
        line.kept = nodes
    place = list(schedule.worker)
    missing = [len(needs) for needs in workload.needs]
    dependents = workload.dependents
    left = len(workload)

    def offer(call: int) -> None:
        worker = place[call]
        if worker == ANY:
            own = [n for n, w in enumerate(workers) if w.engine == workload.engine[call]]
            worker = min(own, key=lambda n: len(lines[n].running) + len(lines[n].ready))
            place[call] = worker
        heapq.heappush(lines[worker].ready, (rank[call], call))

    def admit(line: _Line) -> None:
        c = line.c
        most = c.max_num_seqs
        users, idle, ready = line.users, line.idle, line.ready
        while ready and len(line.running) < most:
            call = ready[0][1]
            path = paths[call]
            hit = unused = 0
            for node in path:
                if node not in users:
                    if node not in idle:
                        break
                    unused += size[node]
                hit += size[node]
            more = prompt[call] + output[call] - hit + unused  # that idle nodes cannot have
            if more > line.free and line.running:
                break
            heapq.heappop(ready)
            for node in path:
                if node in users:
                    users[node] += 1
                else:
                    users[node] = 2 if node in line.kept else 1
                    if node in idle:
                        del idle[node]
            line.held -= unused
            line.free -= more
            while line.held > line.free and idle:
                line.held -= size[idle.popitem(last=False)[0]]
            hit = min(hit, prompt[call] - 1) // c.block_size * c.block_size
            line.hits += hit
            fresh = prompt[call] - hit
            pairs = fresh * (hit + fresh / 2)
            line.now += (
                fresh * c.prefill_seconds_per_token
                + pairs * c.attention_seconds_per_pair
                + c.call_seconds
            )
            line.steps += fresh / c.max_num_batched_tokens
            context = prompt[call] + output[call] // 2
            line.context += context
            heapq.heappush(line.running, (line.steps + output[call], call, context))

    def release(line: _Line, call: int) -> None:
        users = line.users
        line.free += prompt[call] + output[call] - end[paths[call][-1]]  # what the tree lacks of it
        for node in reversed(paths[call]):
            if users[node] > 1:
                users[node] -= 1
            else:
                del users[node]
                line.idle[node] = None
                line.held += size[node]
                line.free += size[node]

    for call, count in enumerate(missing):
        if not count:
            offer(call)
    for line in lines:
        admit(line)
    later: list[tuple[float, int]] = []  # when a call is there whose answers have come: time, call
    while left:
        line = min(lines, key=_Line.next) if len(lines) > 1 else lines[0]
        due = line.next()
        if later and later[0][0] < due:
            due, call = heapq.heappop(later)
            offer(call)
            line = lines[place[call]]
            line.advance(due)
            admit(line)
            continue
        if due == math.inf:
            raise ValueError("calls that wait for each other")
        line.now = due
        line.steps = max(line.steps, line.running[0][0])
        delay = line.c.answer_seconds
        changed = {id(line): line}
        while line.running and line.running[0][0] <= line.steps + 0.5:
            _, call, context = heapq.heappop(line.running)
            line.context -= context
            release(line, call)
            left -= 1
            for dependent in dependents[call]:
                missing[dependent] -= 1
                if missing[dependent]:
                    continue
                if delay:
                    heapq.heappush(later, (due + delay, dependent))
                else:
                    offer(dependent)
                    other = lines[place[dependent]]
                    changed[id(other)] = other
        for other in changed.values():
            if other is not line:
                other.advance(due)
            admit(other)
    return Forecast(max(line.now for line in lines), sum(line.hits for line in lines))
