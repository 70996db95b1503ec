"""The best order of calls on one worker by dynamic programming over the sets of calls done.

What comes after a set of calls depends on the last of them, on the time, and on when the calls
that are still to come may begin. So a set and its last call have labels (time, begins); one that
is no earlier anywhere than another is dropped, as is one that cannot lead to a cheaper order than
the best known (Held and Karp's method with the dominance of labels).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from heliumql.cost.token_steps import TokenSteps, order_cost

from .precedence import least_usage, pair_usage, tails, topological

_SAME = 1e-9

# time, earliest begins of the pending calls, bound, label before, last call
_Label = tuple[float, tuple[float, ...], float, "_Label | None", int | None]


@dataclass(frozen=True)
class Optimum:
    """The cheapest order, and what no order can fall below: the same where the search ended."""

    order: Sequence[int]
    makespan: float  # steps
    bound: float  # steps
    labels: int  # that were made

    @property
    def proven(self) -> bool:
        return self.makespan <= self.bound + 1e-6


def optimum(
    calls: TokenSteps, capacity: int, start: Sequence[int], labels: int = 500_000
) -> Optimum:
    """`start` is an order that is known already. `labels` bounds the work; beyond it, the search
    ends with the bound it has."""
    count = len(calls)
    needs = [sum(1 << p for p in set(n)) for n in calls.needs]
    delay = [calls.delay(j) for j in range(count)]
    usage = pair_usage(calls, capacity)
    least = least_usage(calls, usage)
    order = topological(calls.needs)
    # From the completion of a call to that of the last one, at least.
    tail = tails(calls, least)
    by_tail = sorted(range(count), key=lambda j: -tail[j])
    required = [tuple(dict.fromkeys(n)) for n in calls.needs]
    price = order_cost(calls, capacity)
    best_order, best = list(start), price(start)

    @cache
    def pending(done: int) -> tuple[int, ...]:
        """The calls to come that need a call that is done."""
        return tuple(k for k in range(count) if not done >> k & 1 and needs[k] & done)

    def bound(done: int, time: float, begins: Sequence[float]) -> float:
        """No order that goes on from here ends earlier."""
        begin = dict(zip(pending(done), begins, strict=True))
        lowest = time
        for k in order:
            if done >> k & 1:
                continue
            earliest = begin.get(k, time)
            for p in required[k]:
                if not done >> p & 1:
                    earliest = max(earliest, begin[p] + least[p] + delay[p])
            begin[k] = earliest
            lowest = max(lowest, earliest + least[k] + tail[k])
        soonest, work = float("inf"), 0.0
        for k in by_tail:
            if not done >> k & 1:
                soonest, work = min(soonest, begin[k]), work + least[k]
                lowest = max(lowest, soonest + work + tail[k])
        return lowest

    everything = (1 << count) - 1
    layer: dict[tuple[int, int | None], list[_Label]] = {
        (0, None): [(0.0, (), bound(0, 0.0, ()), None, None)]
    }
    made = 0
    for _ in range(count):
        following: dict[tuple[int, int | None], list[_Label]] = {}
        for (done, last), states in layer.items():
            before = pending(done)
            for j in range(count):
                if done >> j & 1 or needs[j] & ~done:
                    continue
                then = done | 1 << j
                at = before.index(j) if j in before else -1
                place = {k: number for number, k in enumerate(before)}
                sources = [(place.get(k, -1), needs[k] >> j & 1) for k in pending(then)]
                kept = following.setdefault((then, j), [])
                for state in states:
                    time, begins = state[0], state[1]
                    time = max(time, begins[at] if at >= 0 else 0.0) + usage[last, j]
                    ready = time + delay[j]
                    new = tuple(
                        max(begins[s] if s >= 0 else 0.0, ready if needed else time)
                        for s, needed in sources
                    )
                    if any(_dominates(other, time, new) for other in kept):
                        continue
                    lowest = bound(then, time, new)
                    if lowest >= best - _SAME:
                        continue
                    kept[:] = [o for o in kept if not _dominates((time, new), o[0], o[1])]
                    kept.append((time, new, lowest, state, j))
                    made += 1
            if made > labels:
                # What was not extended may still lead to an order as cheap as its bound.
                lowest = min(label[2] for states in layer.values() for label in states)
                return Optimum(best_order, best, min(lowest, best), made)
        layer = {key: states for key, states in following.items() if states}
    label = min((s for states in layer.values() for s in states), default=None)
    if label is not None:
        assert all(done == everything for done, _ in layer)
        best_order = []
        while label is not None and label[4] is not None:
            best_order.append(label[4])
            label = label[3]
        best_order.reverse()
        best = price(best_order)
    return Optimum(best_order, best, best, made)


def _dominates(label: Sequence, time: float, begins: Sequence[float]) -> bool:
    return label[0] <= time + _SAME and all(
        mine <= other + _SAME for mine, other in zip(label[1], begins, strict=True)
    )
