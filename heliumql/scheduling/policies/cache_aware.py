"""cache_aware: candidate orders, scored by simulation on the engine's own constants; the best.

Prefix groups come from the data (`groups.py`), go to workers as wholes (`placement.py`), and are
worked on a few at a time, or many, or query by query (`orders.py`); which is best depends on how
much the KV cache holds, how long chains of calls are and how full the batch gets, so the event
model says. Large workloads are judged by a part of their queries. Everything is counted, nothing
timed: the same input gives the same schedule.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from heliumql.scheduling.forecast import forecast
from heliumql.scheduling.groups import Groups, prefix_groups
from heliumql.scheduling.orders import Order, ranks, units_of
from heliumql.scheduling.placement import placed
from heliumql.scheduling.sample import sampled
from heliumql.scheduling.schedule import Schedule
from heliumql.scheduling.workload import Worker, Workload

_JUDGED_CALLS = 1000  # a larger workload is judged by a part of it
_BETTER = 0.995  # of the seconds, for an order that is further down the list to be taken


def cache_aware(workload: Workload, workers: Sequence[Worker]) -> Schedule:
    """The best of the candidate orders for these calls on these workers."""
    if not len(workload):
        return Schedule("cache_aware", [], [])
    groups = prefix_groups(workload)
    units = {unit: units_of(workload, groups, unit) for unit in ("prefix", "query")}
    orders = list(_orders(workload, workers, units))
    if len(orders) == 1:
        return _schedule(workload, workers, groups, orders[0], units)
    part = sampled(workload, _JUDGED_CALLS)
    part_groups = groups if part is workload else prefix_groups(part)
    part_units = (
        units
        if part is workload
        else {unit: units_of(part, part_groups, unit) for unit in ("prefix", "query")}
    )
    paths = [part.tree.path(call) for call in range(len(part))]
    best, least, hits, looked_at = orders[0], float("inf"), 0, []
    for order in orders:
        schedule = _schedule(part, workers, part_groups, order, part_units)
        outcome = forecast(part, workers, schedule, paths)
        looked_at.append((str(order), outcome.seconds))
        if outcome.seconds < least * _BETTER:
            best, least, hits = order, outcome.seconds, outcome.hit_tokens
    chosen = _schedule(workload, workers, groups, best, units)
    if part is not workload:
        share = sum(workload.prompt) / max(1, sum(part.prompt))
        least, hits = least * share, round(hits * share)
        looked_at = [(name, seconds * share) for name, seconds in looked_at]
    return replace(chosen, looked_at=tuple(looked_at), seconds=least, hit_tokens=hits)


def _orders(
    workload: Workload, workers: Sequence[Worker], units: dict[str, list[int]]
) -> Iterator[Order]:
    """The candidates, the most promising first."""
    slots = sum(w.slots for w in workers)
    yield Order("prefix", 1)
    if not any(workload.needs):
        if len(set(workload.output)) > 1:
            yield Order("prefix", 1, chain_first=False)
            yield Order("prefix", 0)
        return
    yield Order("prefix", 0)
    yield Order("prefix", 0, chain_first=False)
    queries = len(set(units["query"]))
    if queries > 1:
        width = max(1, len(workload) // queries)  # calls of a query
        fill = max(1, slots // width)
        for many in sorted({1, fill, 2 * fill, 4 * fill}):
            if many < queries:
                yield Order("query", many)
                yield Order("query", many, chain_first=False)
    prefixes = len(set(units["prefix"]))
    for many in (4, 16):
        if many < prefixes:
            yield Order("prefix", many)


def _schedule(
    workload: Workload,
    workers: Sequence[Worker],
    groups: Groups,
    order: Order,
    units: dict[str, list[int]],
) -> Schedule:
    own = units[order.unit]
    return Schedule(
        "cache_aware",
        ranks(workload, groups, order, own),
        placed(workload, workers, own if order.unit == "query" else groups.group, groups),
        group=groups.group if len(workers) > 1 else (),
    )
