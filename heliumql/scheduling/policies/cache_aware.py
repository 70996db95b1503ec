"""cache_aware: candidate orders, scored by simulation on the engine's own constants; the best.

Prefix groups come from the data (`groups.py`), go to workers as wholes (`placement.py`), and are
worked on a few at a time, or many, or query by query (`orders.py`); which is best depends on how
much the KV cache holds, how long chains of calls are and how full the batch gets, so the event
model says: a quick form of it for all of them; on one worker with several lengths of the answers
(`lengths.py`), on several the model itself for the best ones of a small workload. Large workloads
are judged by a part of their queries. Everything is counted, nothing timed: the same input gives
the same schedule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from heliumql.scheduling.comparison import Comparison
from heliumql.scheduling.forecast import Forecast
from heliumql.scheduling.groups import prefix_groups
from heliumql.scheduling.local_search import Cost, local_search, starting_orders
from heliumql.scheduling.orders import Order, Unit, ranks, units_of
from heliumql.scheduling.pins import worthwhile
from heliumql.scheduling.placement import placed
from heliumql.scheduling.policies.helium import helium
from heliumql.scheduling.sample import sampled
from heliumql.scheduling.schedule import Schedule
from heliumql.scheduling.simulation import simulate
from heliumql.scheduling.workload import Worker, Workload

_JUDGED_CALLS = 8000  # a larger workload is judged by a part of it
_SEARCHED_CALLS = 48  # in another model than the engine's
_REFINED = 2  # of the best candidates, that are varied
# Events of simulations of the best candidates by the event model itself. On one worker the quick
# form ranks them alike, where calls move between workers it does not.
_EXACT_EVENTS = 20_000
_FINALISTS = 3  # more of them cost time and chose no better on the suites of benchmark/
_BETTER = 0.995  # of the seconds; candidates that are closer are alike


def cache_aware(
    workload: Workload,
    workers: Sequence[Worker],
    cost: Callable[[Workload], Cost] | None = None,
    *,
    search: bool = True,
    keep: bool = True,
) -> Schedule:
    """The best of the candidates for these calls on these workers.

    `cost` prices orders of one worker that runs one call after the other, for comparisons in other
    models than the engine's: a small workload then gets the best order that a local search finds.
    Without `search` the first candidate is taken, without `keep` no prefixes are kept.
    """
    if not len(workload):
        return Schedule("cache_aware", [], [])
    if cost is not None and len(workers) == 1 and len(workload) <= _SEARCHED_CALLS:
        return _searched(workload, cost(workload))
    part = sampled(workload, _JUDGED_CALLS)
    candidates = _Candidates(part, workers)
    comparison = Comparison(part, workers)
    judged: dict[Candidate, Forecast] = {}

    def judge(candidate: Candidate) -> None:
        if candidate not in judged:
            judged[candidate] = comparison.foretell(candidates.schedule(candidate))

    def best() -> list[Candidate]:
        """The best ones first."""
        return sorted(judged, key=lambda c: judged[c].seconds)

    for candidate in islice(candidates.first(), None if search else 1):
        judge(candidate)
    if len(judged) > 1:
        for candidate in candidates.beside(best()[:_REFINED]):
            judge(candidate)
    if len(workers) > 1:
        many = min(_FINALISTS, _EXACT_EVENTS // _events(part, workers))
        finalists = _unlike(best())[:many]
        if len(finalists) > 1 or len(finalists) == len(judged):
            judged = {
                c: _exactly(part, workers, candidates.schedule(c)) for c in judged if c in finalists
            }
    least = judged[best()[0]].seconds
    alike = [c for c in judged if judged[c].seconds * _BETTER <= least]
    chosen = max(alike, key=lambda c: judged[c].hit_tokens)  # what is not computed costs nothing
    share = sum(workload.prompt) / max(1, sum(part.prompt))
    whole = candidates if part is workload else _Candidates(workload, workers)
    schedule, expected, order = whole.schedule(chosen), judged[chosen], chosen.named(len(workers))
    looked_at = [(c.named(len(workers)), judged[c].seconds) for c in best()]
    pins = (
        worthwhile(workload, workers, schedule, comparison.paths)
        if keep and part is workload
        else ()
    )
    if pins:
        pinned = replace(schedule, pins=pins)
        outcome = comparison.foretell(pinned)
        name = f"{order}; {len(pins)} prefixes kept"
        looked_at.append((name, outcome.seconds))
        if outcome.seconds < expected.seconds * _BETTER:
            schedule, expected, order = pinned, outcome, name
    return replace(
        schedule,
        policy="cache_aware",
        order=order,
        looked_at=tuple((name, seconds * share) for name, seconds in looked_at),
        seconds=expected.seconds * share,
        hit_tokens=round(expected.hit_tokens * share),
    )


def _unlike(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The first of each kind: what stays together on a worker counts more, where there are several,
    than how many units are open at once."""
    kinds: dict[object, Candidate] = {}
    for candidate in candidates:
        kind = candidate.order and (candidate.order.unit, candidate.together)
        kinds.setdefault(kind, candidate)
    return list(kinds.values())


def _events(workload: Workload, workers: Sequence[Worker]) -> int:
    """How many events a simulation would have, about: it takes 10 us for each."""
    block = min(w.constants.block_size for w in workers)
    return sum(2 + output // block for output in workload.output)


def _exactly(workload: Workload, workers: Sequence[Worker], schedule: Schedule) -> Forecast:
    """What the event model says, block by block and step by step."""
    outcome = simulate(workload, workers, schedule)
    return Forecast(outcome.seconds, outcome.hit_tokens)


def _searched(workload: Workload, cost: Cost) -> Schedule:
    """The order that a local search finds, to be kept strictly: it may be worth to wait."""
    found = local_search(workload.needs, cost, starting_orders(workload))
    rank = [0] * len(workload)
    for place, call in enumerate(found.order):
        rank[call] = place
    return Schedule("cache_aware", rank, [0] * len(workload), strict=True)


@dataclass(frozen=True)
class Candidate:
    """An order and how calls are placed on workers; without an order it is the paper's schedule."""

    order: Order | None
    together: Unit = "prefix"  # what stays on one worker

    def named(self, workers: int) -> str:
        """What it is in words, on so many workers."""
        if self.order is None:
            return "as the policy helium orders them"
        if workers == 1:
            return str(self.order)
        kept = {"prefix": "prefix groups", "query": "queries"}[self.together]
        return f"{self.order}; {kept} stay on a worker"


class _Candidates:
    """The candidates for a workload, and what they come to."""

    def __init__(self, workload: Workload, workers: Sequence[Worker]) -> None:
        self._workload = workload
        self._workers = workers
        self._groups = prefix_groups(workload, max(w.constants.block_size for w in workers))
        self._units: dict[Unit, list[int]] = {
            "prefix": units_of(workload, self._groups, "prefix"),
            "query": units_of(workload, self._groups, "query"),
        }
        self._placed: dict[Unit, list[int]] = {}

    def first(self) -> Iterator[Candidate]:
        """Those that are looked at in any case, the most promising first."""
        workload, workers = self._workload, self._workers
        yield Candidate(Order("prefix", 1))
        if not any(workload.needs):
            if len(set(workload.output)) > 1:
                yield Candidate(Order("prefix", 1, chain_first=False))
                yield Candidate(Order("prefix", 0))
            return
        slots = sum(w.slots for w in workers)
        queries = len(set(self._units["query"]))
        yield Candidate(Order("prefix", 0))
        yield Candidate(Order("prefix", 0, chain_first=False))
        if queries > 1:
            yield Candidate(Order("query", 1), "query")
            fill = max(1, slots * queries // len(workload))  # queries that fill the slots
            for many in (fill, 4 * fill):
                if 1 < many < queries:
                    yield Candidate(Order("query", many), "query")
        if len(set(self._units["prefix"])) > 4:
            yield Candidate(Order("prefix", 4))
        yield Candidate(None)

    def beside(self, best: Sequence[Candidate]) -> Iterator[Candidate]:
        """Those that differ a little from the best ones."""
        for candidate in best:
            order = candidate.order
            if order is None:
                continue
            if len(self._workers) > 1:
                other: Unit = "query" if candidate.together == "prefix" else "prefix"
                yield replace(candidate, together=other)
            yield replace(candidate, order=replace(order, chain_first=not order.chain_first))
            if order.open_units:
                for many in (2 * order.open_units, max(1, order.open_units // 2)):
                    yield replace(candidate, order=replace(order, open_units=many))

    def schedule(self, candidate: Candidate) -> Schedule:
        order = candidate.order
        if order is None:
            return helium(self._workload, self._workers)
        return Schedule(
            "cache_aware",
            ranks(self._workload, self._groups, order, self._units[order.unit]),
            self._places(candidate.together),
            group=self._groups.group if len(self._workers) > 1 else (),
        )

    def _places(self, together: Unit) -> list[int]:
        """The workers of calls of which those of a unit stay together."""
        if together not in self._placed:
            units = self._units["query"] if together == "query" else self._groups.group
            self._placed[together] = placed(self._workload, self._workers, units, self._groups)
        return self._placed[together]
