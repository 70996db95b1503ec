"""Better orders of a small workload for one worker, by moving calls about; deterministic.

Iterated local search: an order is improved until no move helps, then shaken a little and improved
again. Moves keep every call behind those that it needs. The search ends after a number of
evaluations of the cost, never after a time: the same input gives the same order everywhere.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from heliumql.scheduling.workload import Workload

Cost = Callable[[Sequence[int]], float]

_LONGEST_RUN = 3  # neighbouring calls that move together
_SHAKES = 3  # moves at random between two descents
_PATIENCE = 12  # descents without a gain, until the search goes on from the next start
_SAME = 1e-9  # costs that differ by less are the same: sums of floats


@dataclass(frozen=True)
class Found:
    """The cheapest order that was seen."""

    order: Sequence[int]
    cost: float
    evaluations: int  # of the cost function


class _Spent(Exception):
    """All evaluations are used up."""


def local_search(
    needs: Sequence[Sequence[int]],
    cost: Cost,
    starts: Sequence[Sequence[int]],
    evaluations: int = 20_000,
) -> Found:
    """The cheapest order found with so many evaluations of `cost` at most.

    `needs` are the calls that each call waits for. `starts` are orders of all calls, each behind
    those that it needs; there must be one. Raises ValueError otherwise.
    """
    for start in starts:
        if not _keeps(needs, start):
            raise ValueError("a start must name every call once, behind those that it needs")
    if not starts or evaluations < 1:
        raise ValueError("the search needs an order to start from and one evaluation")
    search = _Search(needs, cost, evaluations)
    try:
        search.run(starts)
    except _Spent:
        pass
    return Found(tuple(search.best), search.best_cost, search.evaluations)


def starting_orders(workload: Workload) -> list[list[int]]:
    """Orders to start from: as asked for, by operator, by prefix, and longest chain first."""
    calls = range(len(workload))
    place = _tree_places(workload)
    level, chain, operator = workload.level, workload.chain, workload.operator
    keys: list[Callable[[int], tuple[int, ...]]] = [
        lambda call: (workload.query[call], operator[call]),
        lambda call: (operator[call], place[call]),
        lambda call: (level[call], place[call]),
        lambda call: (place[call],),
        lambda call: (-chain[call], place[call]),
    ]
    orders = [_feasible(workload.needs, sorted(calls, key=lambda c: (*key(c), c))) for key in keys]
    return [list(order) for order in dict.fromkeys(map(tuple, orders))]


class _Search:
    def __init__(self, needs: Sequence[Sequence[int]], cost: Cost, evaluations: int) -> None:
        self._cost = cost
        self._limit = evaluations
        self._random = random.Random(0)
        self._needs = [frozenset(n) for n in needs]
        self.evaluations = 0
        self.best: Sequence[int] = ()
        self.best_cost = float("inf")

    def run(self, starts: Sequence[Sequence[int]]) -> None:
        """Ends by _Spent, or where no order has a neighbour."""
        orders = [(self._price(start), list(start)) for start in starts]
        orders.sort(key=lambda pair: pair[0])
        orders = [self._descend(order, cost) for cost, order in orders]
        if not any(True for _ in self._moves(orders[0][1])):
            return
        while True:
            for number, (cost, order) in enumerate(orders):
                left = _PATIENCE
                while left:
                    shaken = self._shake(order)
                    other_cost, other = self._descend(shaken, self._price(shaken))
                    left = _PATIENCE if other_cost < cost - _SAME else left - 1
                    if other_cost < cost + _SAME:  # equal ones too: costs have plains
                        cost, order = other_cost, other
                orders[number] = cost, order

    def _price(self, order: Sequence[int]) -> float:
        if self.evaluations >= self._limit:
            raise _Spent
        self.evaluations += 1
        cost = self._cost(order)
        if cost < self.best_cost - _SAME or not self.best:
            self.best, self.best_cost = list(order), cost
        return cost

    def _descend(self, order: list[int], cost: float) -> tuple[float, list[int]]:
        """Take every move that helps, until a whole round of moves has none that does."""
        while True:
            for other in self._moves(order):
                other_cost = self._price(other)
                if other_cost < cost - _SAME:
                    order, cost = other, other_cost
                    break
            else:
                return cost, order

    def _moves(self, order: list[int]) -> Iterator[list[int]]:
        """The neighbours of an order, in an order of their own drawn at random."""
        places = list(range(len(order)))
        self._random.shuffle(places)
        for place in places:
            for length in range(1, _LONGEST_RUN + 1):
                yield from self._later(order, place, length)
            yield from self._swaps(order, place)

    def _later(self, order: list[int], place: int, length: int) -> Iterator[list[int]]:
        """The run of calls behind the next one, behind the one after it, and so on.

        That a run goes forward is the same as that the calls before it go back.
        """
        run = order[place : place + length]
        if len(run) < length:
            return
        for to in range(place + length, len(order)):
            if not self._needs[order[to]].isdisjoint(run):
                return
            yield [*order[:place], *order[place + length : to + 1], *run, *order[to + 1 :]]

    def _swaps(self, order: list[int], place: int) -> Iterator[list[int]]:
        """The call changes places with one that comes later, not its neighbour."""
        call = order[place]
        between: set[int] = set()
        for to in range(place + 1, len(order)):
            other = order[to]
            if call in self._needs[other]:
                return
            if to > place + 1 and between.isdisjoint(self._needs[other]):
                swapped = list(order)
                swapped[place], swapped[to] = other, call
                yield swapped
            between.add(other)

    def _shake(self, order: list[int]) -> list[int]:
        for _ in range(_SHAKES):
            place = self._random.randrange(len(order))
            length = self._random.randint(1, _LONGEST_RUN)
            moved = list(self._later(order, place, length))
            if moved:
                order = moved[self._random.randrange(len(moved))]
        return order


def _keeps(needs: Sequence[Sequence[int]], order: Sequence[int]) -> bool:
    if sorted(order) != list(range(len(needs))):
        return False
    place = {call: number for number, call in enumerate(order)}
    return all(place[need] < place[call] for call in order for need in needs[call])


def _feasible(needs: Sequence[Sequence[int]], wanted: Sequence[int]) -> list[int]:
    """The order that is wanted, each call held back until those that it needs are placed."""
    order: list[int] = []
    placed: set[int] = set()
    held = list(wanted)
    while held:
        call = next((c for c in held if placed.issuperset(needs[c])), None)
        if call is None:
            raise ValueError("calls that wait for each other")
        held.remove(call)
        placed.add(call)
        order.append(call)
    return order


def _tree_places(workload: Workload) -> list[int]:
    """The place of each call in the depth-first order of the tree."""
    paths = sorted((workload.tree.path(call), call) for call in range(len(workload)))
    places = [0] * len(workload)
    for place, (_, call) in enumerate(paths):
        places[call] = place
    return places
