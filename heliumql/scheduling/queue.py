"""The ready calls of a schedule, each worker's own: the same in simulations and in real runs."""

from __future__ import annotations

import heapq
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from functools import partial

from heliumql.scheduling.schedule import ANY, Schedule
from heliumql.scheduling.workload import Worker, Workload


class ReadyQueue:
    """`add` calls whose inputs are there, `take` the next one for a worker, tell when it is `done`.

    Calls are numbers of the workload.
    """

    def __init__(self, workload: Workload, workers: Sequence[Worker], schedule: Schedule) -> None:
        self._workload = workload
        self._workers = workers
        self._schedule = schedule
        self.worker = list(schedule.worker)  # where each call is to run, as taken over since
        self._ready: list[list[tuple[int, int]]] = [[] for _ in workers]
        # (rank, call) of calls that any worker of their engine may take
        self._anywhere: dict[int, list[tuple[int, int]]] = {w.engine: [] for w in workers}
        # The calls of a strict schedule that have not gone, the last one first.
        self._turns = (
            sorted(range(len(workload)), key=schedule.rank.__getitem__, reverse=True)
            if schedule.strict
            else []
        )
        self._waiting: set[int] = set()  # ready calls; heaps may hold others by mistake
        self._flying: Counter[int] = Counter()  # of each worker
        self._left: Counter[int] = Counter(schedule.stage)
        self._stages = sorted(self._left)
        self._later: list[tuple[int, int]] = []  # ready calls of stages that have not begun
        self._caches = (
            [
                _Mirror(workload, w.constants.kv_cache_tokens, partial(self._is_here, worker=n))
                for n, w in enumerate(workers)
            ]
            if schedule.choice == "longest_prefix"
            else []
        )
        self._members: dict[int, list[int]] = {}
        self._begun: set[int] = set()  # groups of which a call has been taken
        for call, group in enumerate(schedule.group):
            self._members.setdefault(group, []).append(call)

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, call: int) -> None:
        """The inputs of the call are there."""
        self._waiting.add(call)
        stage = self._schedule.stage
        if stage and stage[call] != self._stages[0]:
            heapq.heappush(self._later, (stage[call], call))
        else:
            self._offer(call)

    def drop(self, call: int) -> None:
        """The call is not needed any more; it was not taken."""
        self._waiting.discard(call)
        if call in self._turns:
            self._turns.remove(call)
        self._over(call)

    def done(self, call: int) -> None:
        """The call that was taken is answered."""
        self._flying[self.worker[call]] -= 1
        self._over(call)

    def take(self, worker: int) -> int | None:
        """The next call for the worker; None where there is none for it now."""
        if self._schedule.strict and not self._is_due(worker):
            return None
        most = self._schedule.at_once
        if most and self._flying[worker] >= most:
            return None
        call = self._longest_prefix(worker) if self._caches else self._first(worker)
        if call is None and self._schedule.group and self._take_over(worker):
            call = self._first(worker)
        if call is None:
            return None
        if self._turns:
            self._turns.pop()
        self._waiting.discard(call)
        self.worker[call] = worker
        self._flying[worker] += 1
        if self._schedule.group:
            self._begun.add(self._schedule.group[call])
        if self._caches:
            self._caches[worker].use(call)
        return call

    def _is_due(self, worker: int) -> bool:
        """The next call of a strict schedule is ready, and this worker's."""
        return bool(self._turns) and self._is_here(self._turns[-1], worker)

    def _offer(self, call: int) -> None:
        worker = self.worker[call]
        entry = (self._schedule.rank[call], call)
        if worker == ANY:
            heapq.heappush(self._anywhere[self._workload.engine[call]], entry)
        else:
            heapq.heappush(self._ready[worker], entry)
        for number, cache in enumerate(self._caches):
            engine = self._workers[number].engine
            if worker == number or (worker == ANY and engine == self._workload.engine[call]):
                cache.offer(*entry)

    def _over(self, call: int) -> None:
        stage = self._schedule.stage
        if not stage:
            return
        self._left[stage[call]] -= 1
        while self._stages and not self._left[self._stages[0]]:
            self._stages.pop(0)
            while self._later and self._stages and self._later[0][0] == self._stages[0]:
                self._offer(heapq.heappop(self._later)[1])

    def _heaps(self, worker: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        heaps = self._ready[worker], self._anywhere[self._workers[worker].engine]
        for heap in heaps:
            while heap and not self._is_here(heap[0][1], worker):
                heapq.heappop(heap)
        return heaps

    def _is_here(self, call: int, worker: int) -> bool:
        return call in self._waiting and self.worker[call] in (worker, ANY)

    def _first(self, worker: int) -> int | None:
        own, anywhere = self._heaps(worker)
        if own and (not anywhere or own[0] <= anywhere[0]):
            return heapq.heappop(own)[1]
        return heapq.heappop(anywhere)[1] if anywhere else None

    def _longest_prefix(self, worker: int) -> int | None:
        call = self._caches[worker].best()
        return self._first(worker) if call is None else call

    def _take_over(self, worker: int) -> bool:
        """The worker has nothing to do: it takes a group that another one has not begun.

        Of the worker that has most to do, and has no room for it now, its last group; else half of
        the calls that wait in a group that is being computed.
        """
        engine = self._workers[worker].engine
        waiting: dict[int, dict[int, list[int]]] = {}
        for call in self._waiting:
            other = self.worker[call]
            if other not in (worker, ANY) and self._workload.engine[call] == engine:
                group = self._schedule.group[call]
                waiting.setdefault(other, {}).setdefault(group, []).append(call)
        count = {
            w: number
            for w, groups in waiting.items()
            if (number := sum(map(len, groups.values()))) > self._workers[w].room - self._flying[w]
        }
        if not count:
            return False
        rank = self._schedule.rank
        victim = max(count, key=lambda w: (count[w], -w))
        groups = waiting[victim]
        fresh = [g for g in groups if g not in self._begun]
        if fresh and len(groups) > 1:
            group = max(fresh, key=lambda g: (min(rank[c] for c in groups[g]), g))
            moved = [c for c in self._members[group] if self.worker[c] == victim]
        else:
            group = max(groups, key=lambda g: (len(groups[g]), -g))
            calls = sorted(groups[group], key=lambda c: (rank[c], c))
            moved = calls[len(calls) - len(calls) // 2 :]
        for call in moved:
            self.worker[call] = worker
            if call in self._waiting:
                self._offer(call)
        return bool(moved)


class _Mirror:
    """What a worker's prefix cache holds, whole nodes of the tree, and which ready calls begin
    with it. Nodes that are longest unused go; a node goes before those above it."""

    def __init__(self, workload: Workload, tokens: int, waits_here: Callable[[int], bool]) -> None:
        self._workload = workload
        self._room = tokens
        self._waits_here = waits_here
        self._nodes: OrderedDict[int, int] = OrderedDict()  # node -> its tokens
        self._held = 0
        self._ready: dict[int, list[tuple[int, int]]] = {}  # node -> (rank, call) of ready calls
        # The first call of each node that is held, the longest prefix first. Calls that have gone
        # stay until they are met, so that a look costs little however many calls are ready.
        self._best: list[tuple[int, int, int, int]] = []  # -end, rank, call, node

    def offer(self, rank: int, call: int) -> None:
        """The call is ready."""
        for node in self._workload.tree.path(call):
            heapq.heappush(self._ready.setdefault(node, []), (rank, call))
            if node in self._nodes:
                heapq.heappush(self._best, (-self._workload.tree.end[node], rank, call, node))

    def best(self) -> int | None:
        """The ready call that most is held of; None where nothing is held of any."""
        while self._best:
            _, _, call, node = self._best[0]
            if node in self._nodes and self._waits_here(call):
                return call
            heapq.heappop(self._best)
            if node in self._nodes:
                self._bring(node)
        return None

    def use(self, call: int) -> None:
        """The call is computed: all of it is held."""
        tree = self._workload.tree
        for node in reversed(tree.path(call)):  # a prefix outlives what follows it
            tokens = self._nodes.pop(node, None)
            fresh = tokens is None
            if tokens is None:
                tokens = tree.end[node] - tree.end[tree.parent[node]]
                self._held += tokens
            self._nodes[node] = tokens
            if fresh:
                self._bring(node)
        while self._held > self._room and len(self._nodes) > 1:
            self._held -= self._nodes.popitem(last=False)[1]

    def _bring(self, node: int) -> None:
        """The first ready call of the node, to those that are looked at."""
        ready = self._ready.get(node, [])
        while ready and not self._waits_here(ready[0][1]):
            heapq.heappop(ready)
        if ready:
            heapq.heappush(self._best, (-self._workload.tree.end[node], *ready[0], node))
