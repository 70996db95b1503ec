"""What must come before what, and what follows from it for every order on one worker."""

from __future__ import annotations

from collections.abc import Sequence

from heliumql.cost.token_steps import TokenSteps


def topological(needs: Sequence[Sequence[int]]) -> list[int]:
    """The calls, each behind those that it needs."""
    order: list[int] = []
    placed: set[int] = set()
    while len(order) < len(needs):
        free = [c for c in range(len(needs)) if c not in placed and placed.issuperset(needs[c])]
        if not free:
            raise ValueError("calls that wait for each other")
        order += free
        placed.update(free)
    return order


def pair_usage(calls: TokenSteps, capacity: int) -> dict[tuple[int | None, int], float]:
    """The usage of a call by the call right before it, for all pairs that an order may have.

    None stands before the first call.
    """
    count = len(calls)
    before = _ancestors(calls.needs)
    usage: dict[tuple[int | None, int], float] = {}
    for j in range(count):
        if not calls.needs[j]:
            usage[None, j] = calls.usage(None, j, capacity)
        for i in range(count):
            between = any(i in before[k] for k in before[j])
            if i != j and j not in before[i] and not between:
                usage[i, j] = calls.usage(i, j, capacity)
    return usage


def least_usage(calls: TokenSteps, usage: dict[tuple[int | None, int], float]) -> list[float]:
    """What each call takes at least, whatever is before it."""
    least = [float("inf")] * len(calls)
    for (_, j), steps in usage.items():
        least[j] = min(least[j], steps)
    return least


def heads(calls: TokenSteps, least: Sequence[float]) -> list[float]:
    """No call begins before: its chain, and all the work that must come before it."""
    delays = [calls.delay(j) for j in range(len(calls))]
    result = [0.0] * len(calls)
    for j in topological(calls.needs):
        if calls.needs[j]:
            result[j] = one_at_a_time(calls.needs[j], result, least, delays)
    return result


def tails(calls: TokenSteps, least: Sequence[float]) -> list[float]:
    """What comes at least between the completion of a call and that of the last call."""
    result = [0.0] * len(calls)
    dependents: list[list[int]] = [[] for _ in least]
    for j, needs in enumerate(calls.needs):
        for p in set(needs):
            dependents[p].append(j)
    at_once = [0.0] * len(calls)
    for p in reversed(topological(calls.needs)):
        if dependents[p]:
            rest = one_at_a_time(dependents[p], at_once, least, result)
            result[p] = calls.delay(p) + rest
    return result


def one_at_a_time(
    calls: Sequence[int],
    heads: Sequence[float],
    least: Sequence[float],
    tails: Sequence[float],
) -> float:
    """When all these calls and their tails are over at least, where a worker does one at a time."""
    bound, soonest, work = 0.0, float("inf"), 0.0
    for c in sorted(set(calls), key=lambda c: -tails[c]):
        soonest, work = min(soonest, heads[c]), work + least[c]
        bound = max(bound, heads[c] + least[c] + tails[c], soonest + work + tails[c])
    return bound


def _ancestors(needs: Sequence[Sequence[int]]) -> list[frozenset[int]]:
    """All calls that come before each call."""
    result = [frozenset[int]()] * len(needs)
    for call in topological(needs):
        result[call] = frozenset(needs[call]).union(*(result[need] for need in needs[call]))
    return result
