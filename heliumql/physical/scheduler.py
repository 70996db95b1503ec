"""The scheduler of a run: plans the open calls of the call graph, and says which one goes next.

Calls are planned when there are new ones (a pass has been read), all that are open together. What
a policy says of them is followed by a `ReadyQueue`; calls that came since the last plan go behind
those of the plan.
"""

from __future__ import annotations

import gc
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice

from heliumql.calls.graph import CallGraph
from heliumql.calls.learnt import OperatorStats
from heliumql.catalog.techniques import DEFER, KEEP, SEARCH
from heliumql.cost.event_model import Constants
from heliumql.engines.engine import Engine, Warmup
from heliumql.physical.arrived import Arrived
from heliumql.physical.conversations import beginning, workload_of
from heliumql.physical.site import Site
from heliumql.scheduling.policies import POLICIES
from heliumql.scheduling.policies.cache_aware import cache_aware
from heliumql.scheduling.queue import ReadyQueue
from heliumql.scheduling.schedule import Pin, Schedule
from heliumql.scheduling.workload import Worker, Workload

_MOST_PLANNED = 1 << 17  # calls; those behind them are planned when these have gone
_BY_ARRIVAL = "fcfs"  # the policy that needs no plan
_SMALL = 2048  # so many open calls are planned anew whenever there are new ones


@dataclass(frozen=True)
class PlannedCalls:
    """Open calls as they were planned; call `i` is number `i` of the workload."""

    sites: Sequence[int]  # of the calls
    workload: Workload
    workers: Sequence[Worker]
    places: Sequence[tuple[int, int]]  # of each worker: the id of its engine, its number there
    schedule: Schedule
    warmups: Sequence[tuple[Pin, Warmup]] = ()  # of the prefixes that are to be kept


class Scheduler:
    """Not safe for threads: the dispatcher drives it."""

    def __init__(
        self,
        graph: CallGraph,
        sites: Mapping[int, Site],
        known: Callable[[bytes], OperatorStats | None],
        policy: str = "cache_aware",
        off: Set[str] = frozenset(),
    ) -> None:
        self.policy = policy
        self._off = off
        self._plans = policy != _BY_ARRIVAL or DEFER in off
        self.plan: PlannedCalls | None = None
        self._graph = graph
        self._sites = sites
        self._known = known
        self._open: dict[bytes, None] = {}  # in the order in which rows asked for them
        self._unplanned = Arrived(self._waits)  # ready calls that no plan has
        self._given_up = Arrived(graph.is_ready)  # those that go before anything is planned
        self._calls: list[bytes] = []  # of the plan
        self._number: dict[bytes, int] = {}
        self._flying: dict[bytes, int] = {}  # taken calls of the plan that are not over yet
        self._queue: ReadyQueue | None = None
        self._places: dict[tuple[int, int], int] = {}  # (engine, its worker) -> worker of the plan
        self._ready_sites: set[int] = set()  # of calls that are or were ready
        self._kept_for: dict[bytes, list[tuple[int, bytes]]] = {}  # call -> engine, prefix
        self._uses: Counter[tuple[int, bytes]] = Counter()  # calls left of kept prefixes
        self.to_warm: list[tuple[int, Warmup, int, int]] = []
        """Prefixes to be kept from now on: engine, what to compute, tokens, calls that use it."""
        self.to_release: list[tuple[int, bytes]] = []  # prefixes whose last use is over

    def next(
        self, engine: Engine, worker: int, engines: Mapping[int, Sequence[Worker]]
    ) -> bytes | None:
        """The identity of the ready call that the engine's worker is to run next; None: none now.

        `engines` has the workers of all started engines, by id.
        """
        self._look()
        if self._given_up:
            identity = self._given_up.take(id(engine))
            if identity is not None:
                return identity
        if self._plans and self._unplanned and self._is_due():
            self._plan(engines)
        place = self._places.get((id(engine), worker))
        while self._queue is not None and place is not None:
            call = self._queue.take(place)
            if call is None:
                break
            identity = self._calls[call]
            self._flying[identity] = call
            if self._graph.is_ready(identity):
                return identity
        return self._unplanned.take(id(engine))

    @property
    def last_rank(self) -> int:
        """The priority of what goes behind all that is planned."""
        return _MOST_PLANNED

    def ready_sites(self) -> Set[int]:
        """The sites of calls that are ready, or were."""
        self._look()
        return self._ready_sites

    def give_up(self) -> None:
        """Calls of the plan wait for something that will not be: they go as they became ready.

        What becomes ready after them is planned again.
        """
        self._queue, self._number, self._flying = None, {}, {}
        self._given_up, self._unplanned = Arrived(self._graph.is_ready), Arrived(self._waits)
        for identity in self._graph.ready_calls():
            self._given_up.add(self._engine_of(identity), identity)

    def rank(self, identity: bytes) -> int:
        """The priority of a call: smaller first."""
        call = self._flying.get(identity)
        if call is None or self.plan is None:
            return self.last_rank
        return self.plan.schedule.rank[call]

    def _look(self) -> None:
        """Takes in what has become of the calls of the graph."""
        graph = self._graph
        if graph.opened:
            self._open |= dict.fromkeys(graph.opened)
            graph.opened.clear()
        if graph.readied:
            for identity in graph.readied:
                if identity in graph.minted:
                    self._ready_sites.add(graph.minted.site(identity))
                number = self._number.get(identity)
                if number is not None and self._queue is not None:
                    self._queue.add(number)
                elif graph.is_ready(identity):
                    self._unplanned.add(self._engine_of(identity), identity)
            graph.readied.clear()
        if graph.over:
            for identity in graph.over:
                self._open.pop(identity, None)
                self._used(identity)
                number = self._number.pop(identity, None)
                if number is not None and self._queue is not None:
                    if self._flying.pop(identity, None) is not None:
                        self._queue.done(number)
                    else:
                        self._queue.drop(number)
            graph.over.clear()

    def _used(self, identity: bytes) -> None:
        """The call is over: one use less of the prefixes that were kept for it."""
        for prefix in self._kept_for.pop(identity, ()):
            self._uses[prefix] -= 1
            if not self._uses[prefix]:
                del self._uses[prefix]
                self._release([prefix])

    def _keep(self, plan: PlannedCalls, calls: Sequence[bytes]) -> None:
        """The prefixes that the plan wants kept, and no others."""
        before, self._uses, self._kept_for = self._uses, Counter(), {}
        for pin, warmup in plan.warmups:
            prefix = (plan.places[pin.worker][0], warmup.key)
            if prefix not in before:
                self.to_warm.append((prefix[0], warmup, pin.tokens, len(pin.calls)))
            self._uses[prefix] = len(pin.calls)
            for call in pin.calls:
                self._kept_for.setdefault(calls[call], []).append(prefix)
        self._release([prefix for prefix in before if prefix not in self._uses])

    def let_go(self) -> None:
        """Nothing is to be kept any more."""
        self._release(list(self._uses))
        self._uses, self._kept_for = Counter(), {}

    def _release(self, prefixes: Sequence[tuple[int, bytes]]) -> None:
        """They are not needed any more; of those not asked for yet the engine hears nothing."""
        over = set(prefixes)
        told = over.difference((w[0], w[1].key) for w in self.to_warm)
        self.to_warm = [w for w in self.to_warm if (w[0], w[1].key) not in over]
        self.to_release += [prefix for prefix in prefixes if prefix in told]

    def _waits(self, identity: bytes) -> bool:
        """The call is ready, and no plan has it."""
        return identity not in self._number and self._graph.is_ready(identity)

    def _engine_of(self, identity: bytes) -> int:
        return id(self._sites[self._graph.minted.site(identity)].engine)

    def _is_due(self) -> bool:
        """Planning takes time: where there are many calls, only when as many new ones are there,
        and not before half of a plan that could not take all of them has gone. Later would be less
        planning, but a plan at its end has no calls left that share a prefix."""
        planned, new = len(self._number), len(self._open) - len(self._number)
        return len(self._open) <= _SMALL or planned <= min(new, _MOST_PLANNED // 2)

    def _plan(self, engines: Mapping[int, Sequence[Worker]]) -> None:
        with _without_collecting():
            self._make_plan(engines)

    def _make_plan(self, engines: Mapping[int, Sequence[Worker]]) -> None:
        graph = self._graph
        engine_of = {n: id(site.engine) for n, site in self._sites.items()}
        may_be_planned = (
            identity
            for identity in self._open
            if graph.is_open(identity) and engine_of[graph.minted.site(identity)] in engines
        )
        calls = list(islice(may_be_planned, _MOST_PLANNED))
        plan = planned(graph, calls, self._sites, engines, self._known, self.policy, self._off)
        self.plan = plan
        self._keep(plan, calls)
        self._places = {place: n for n, place in enumerate(plan.places)}
        self._queue = ReadyQueue(plan.workload, plan.workers, plan.schedule)
        self._calls = calls
        self._number = {identity: n for n, identity in enumerate(calls)}
        self._flying = {}
        for number, identity in enumerate(calls):
            if graph.is_ready(identity):
                self._queue.add(number)


def planned(
    graph: CallGraph,
    calls: Sequence[bytes],
    sites: Mapping[int, Site],
    engines: Mapping[int, Sequence[Worker]],
    known: Callable[[bytes], OperatorStats | None],
    policy: str,
    off: Set[str] = frozenset(),
) -> PlannedCalls:
    """The calls with the schedule that a policy gives them. `engines` has workers by engine id."""
    numbers = {key: n for n, key in enumerate(engines)}
    places = [(key, n) for key, of_engine in engines.items() for n in range(len(of_engine))]
    workers = [Worker(numbers[key], engines[key][n].constants) for key, n in places]
    of_site = {n: numbers[id(s.engine)] for n, s in sites.items() if id(s.engine) in numbers}
    workload = workload_of(graph, calls, sites, of_site, known)
    schedule = _scheduled(workload, workers, policy, off)
    warmups = []
    for pin in schedule.pins:
        if any(sites[graph.minted.site(calls[c])].spec.task == "embed" for c in pin.calls):
            continue  # a warm-up generates
        messages = graph.minted.messages(calls[pin.calls[0]])
        engine = workload.engine[pin.calls[0]]
        first, second = beginning(messages, workload.tree.characters[pin.node], engine)
        if not any(graph.references.inside(text) for _, text in first):
            worker = places[pin.worker][1]
            key = hashlib.blake2b(repr((worker, first)).encode(), digest_size=16).digest()
            warmups.append((pin, Warmup(key, worker, first, second, keep=True)))
    return PlannedCalls(
        tuple(graph.minted.site(identity) for identity in calls),
        workload,
        workers,
        places,
        schedule,
        warmups,
    )


def _scheduled(
    workload: Workload, workers: Sequence[Worker], policy: str, off: Set[str]
) -> Schedule:
    """What the policy says, without the techniques that are off."""
    if policy == "cache_aware" and not off.isdisjoint((SEARCH, KEEP)):
        schedule = cache_aware(workload, workers, search=SEARCH not in off, keep=KEEP not in off)
    else:
        schedule = POLICIES[policy](workload, workers)
    if DEFER in off and not schedule.stage:
        return replace(schedule, stage=workload.level)
    return schedule


def workers_of(engine: Engine) -> Sequence[Worker]:
    """The workers of an engine; one that does not show them is taken for a single one."""
    constants = getattr(engine, "workers", None)
    if constants:
        return [Worker(constants=c) for c in constants]
    slots = max(1, engine.slots)
    most = max(slots, Constants.max_num_batched_tokens)
    return [Worker(constants=Constants(max_num_seqs=slots, max_num_batched_tokens=most))]


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Planning makes many small values that live on; looking for cycles among them takes longer
    than the planning."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
