"""Better orders of a small workload for one worker, by moving calls about; deterministic.

Simulated annealing from the best start, then a descent until no move helps. Moves keep every call
behind those that it needs. The search ends after a number of evaluations of the cost, never after
a time: the same input gives the same order everywhere.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from heliumql.scheduling.workload import Workload

Cost = Callable[[Sequence[int]], float]

_LONGEST_RUN = 3  # neighbouring calls that move together
_ROUNDS = 4  # of annealing
_HOT, _COLD = 0.03, 0.001  # temperatures of a round, as shares of the best cost
_DESCENT = 0.03  # share of the evaluations that is kept for the descent
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
    those that it needs; there must be one. Raises ValueError otherwise. Costs are zero or more.
    """
    for start in starts:
        if not _keeps(needs, start):
            raise ValueError("a start must name every call once, behind those that it needs")
    if not starts or evaluations < 1:
        raise ValueError("the search needs an order to start from and one evaluation")
    search = _Search(needs, cost, evaluations)
    with suppress(_Spent):
        search.run(starts)
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
        self.best: list[int] = []
        self.best_cost = math.inf

    def run(self, starts: Sequence[Sequence[int]]) -> None:
        """Ends where a descent found no better neighbour, or by _Spent."""
        for start in starts:
            self._price(list(start))
        if not any(True for _ in self._neighbours(self.best)):
            return
        anneal = int(self._limit * (1 - _DESCENT)) - self.evaluations
        for _ in range(_ROUNDS):
            self._anneal(anneal // _ROUNDS)
        self._descend()

    def _price(self, order: list[int]) -> float:
        if self.evaluations >= self._limit:
            raise _Spent
        self.evaluations += 1
        cost = self._cost(order)
        if cost < self.best_cost - _SAME or not self.best:
            self.best, self.best_cost = order, cost
        return cost

    def _anneal(self, moves: int) -> None:
        """From the best order on: moves at random, dearer ones the more rarely the later."""
        order, cost = self.best, self.best_cost
        draw = self._random.random
        for number in range(moves):
            other = self._moved(order)
            other_cost = self._price(other)
            heat = self.best_cost * _HOT * (_COLD / _HOT) ** (number / moves)
            dearer = other_cost - cost
            if dearer <= 0 or (heat > 0 and draw() < math.exp(-dearer / heat)):
                order, cost = other, other_cost

    def _moved(self, order: list[int]) -> list[int]:
        """A neighbour drawn at random. There must be one."""
        draw = self._random.random
        while True:
            length = 1 + int(draw() * _LONGEST_RUN) if draw() < 0.5 else 1
            place = int(draw() * len(order))
            if draw() < 0.5:
                low, high = place + length, self._latest(order, place, length)
            else:
                low, high = self._earliest(order, place, length), place - 1
            if low <= high and place + length <= len(order):
                return _with_run_at(order, place, length, low + int(draw() * (high - low + 1)))

    def _descend(self) -> None:
        """Take every move that helps, until a whole round of moves has none that does."""
        improved = True
        while improved:
            before = self.best_cost
            improved = False
            for other in self._neighbours(self.best):
                if self._price(other) < before - _SAME:
                    improved = True
                    break

    def _neighbours(self, order: list[int]) -> Iterator[list[int]]:
        """All orders that one move of a run leads to, and swaps of two calls."""
        for place in range(len(order)):
            for length in range(1, min(_LONGEST_RUN, len(order) - place) + 1):
                # To go forward is the same as that the calls jumped over go back.
                for to in range(place + length, self._latest(order, place, length) + 1):
                    yield _with_run_at(order, place, length, to)
            yield from self._swaps(order, place)

    def _latest(self, order: list[int], place: int, length: int) -> int:
        """The place of the last call that the run may go behind; one within the run: none."""
        run = order[place : place + length]
        to = place + length
        while to < len(order) and self._needs[order[to]].isdisjoint(run):
            to += 1
        return to - 1

    def _earliest(self, order: list[int], place: int, length: int) -> int:
        """The place of the first call that the run may go before; `place`: none."""
        run = order[place : place + length]
        to = place
        while to and not any(order[to - 1] in self._needs[call] for call in run):
            to -= 1
        return to

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


def _with_run_at(order: list[int], place: int, length: int, to: int) -> list[int]:
    """The run of `length` calls at `place` moved to the place of the call at `to`."""
    run = order[place : place + length]
    if to > place:
        return [*order[:place], *order[place + length : to + 1], *run, *order[to + 1 :]]
    return [*order[:to], *run, *order[to:place], *order[place + length :]]


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
