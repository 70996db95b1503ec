"""The best order of calls on one worker as a mixed integer program, solved by HiGHS.

The prefill of a call depends on the call before it, so a binary variable says for each pair that
one follows the other at once; times are continuous, as in the paper (section 5).
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import highspy

from heliumql.cost.token_steps import TokenSteps, order_cost

from .precedence import heads, least_usage, pair_usage, tails


@dataclass(frozen=True)
class Solution:
    """The cheapest order the solver knows, and what no order can fall below."""

    order: Sequence[int]
    makespan: float  # steps
    bound: float  # steps
    seconds: float

    @property
    def proven(self) -> bool:
        return self.makespan <= self.bound * (1 + 1e-6)


def solve(
    calls: TokenSteps, capacity: int, start: Sequence[int], seconds: float, threads: int = 1
) -> Solution:
    """`start` is an order that is known already; the solver only has to look for cheaper ones."""
    best = order_cost(calls, capacity)(start)
    program = _Program(calls, capacity, best)
    return program.solve(start, seconds, threads)


class _Program:
    """Variables are numbers of columns, rows are added one by one."""

    def __init__(self, calls: TokenSteps, capacity: int, best: float) -> None:
        self._calls = calls
        self._capacity = capacity
        self._best = best
        count = len(calls)
        self._usage = pair_usage(calls, capacity)
        least = least_usage(calls, self._usage)
        self._head = heads(calls, least)
        self._tail = tails(calls, least)
        with _quiet():
            self._highs = highspy.Highs()
        self._highs.setOptionValue("output_flag", False)
        self._columns = 0
        self._follows = {pair: self._column(0, 1, integer=True) for pair in self._usage}
        self._begin = [
            self._column(self._head[j], best - self._tail[j] - least[j]) for j in range(count)
        ]
        self._last = self._column(
            max(map(sum, zip(self._head, least, self._tail, strict=True))), best, cost=1.0
        )
        self._ahead = {
            (i, j): self._column(0, 1, integer=True)
            for i in range(count)
            for j in range(count)
            if i != j
        }
        self._rows()

    def solve(self, start: Sequence[int], seconds: float, threads: int) -> Solution:
        highs = self._highs
        highs.setOptionValue("time_limit", float(seconds))
        highs.setOptionValue("threads", threads)
        highs.setOptionValue("random_seed", 0)
        highs.setOptionValue("mip_rel_gap", 1e-7)
        self._suggest(start)
        highs.run()
        info = highs.getInfo()
        bound = info.mip_dual_bound
        order = list(start)
        if info.primal_solution_status == 2:
            order = self._order(highs.getSolution().col_value)
        cost = order_cost(self._calls, self._capacity)
        order = min([order, list(start)], key=cost)
        makespan = cost(order)
        return Solution(order, makespan, min(max(bound, 0.0), makespan), highs.getRunTime())

    def _rows(self) -> None:
        count = len(self._calls)
        calls = range(count)
        work = [
            [(self._follows[i, j], u) for (i, to), u in self._usage.items() if to == j]
            for j in calls
        ]
        for j in calls:
            self._row(1, 1, [(self._follows[i, j], 1) for (i, to) in self._usage if to == j])
        for i in (None, *calls):
            leaving = [(x, 1) for (of, _), x in self._follows.items() if of == i]
            self._row(int(i is None), 1, leaving)
        for j in calls:
            # It completes, and the calls that need it have their tail.
            terms = [(self._last, 1.0), (self._begin[j], -1.0)]
            self._row(self._tail[j], math.inf, terms + [(x, -u) for x, u in work[j]])
            for p in set(self._calls.needs[j]):
                terms = [(self._begin[j], 1.0), (self._begin[p], -1.0)]
                terms += [(x, -u) for x, u in work[p]]
                self._row(self._calls.delay(p), math.inf, terms)
        for (i, j), ahead in self._ahead.items():
            if i in self._calls.needs[j]:
                self._row(1, 1, [(ahead, 1)])
            if i < j:
                self._row(1, 1, [(ahead, 1), (self._ahead[j, i], 1)])
            if (i, j) in self._follows:
                self._row(0, 1, [(ahead, 1), (self._follows[i, j], -1)])
            # begin[j] >= begin[i] + work of i, where i is ahead of j
            free = self._best - self._tail[i] - self._head[j]
            terms = [(self._begin[j], 1.0), (self._begin[i], -1.0), (ahead, -free)]
            self._row(-free, math.inf, terms + [(x, -u) for x, u in work[i]])
            for k in calls:
                if k not in (i, j) and i < j and i < k:
                    cycle = [(ahead, 1), (self._ahead[j, k], 1), (self._ahead[k, i], 1)]
                    self._row(0, 2, cycle)
        # The worker does the calls that begin late and end early one after the other.
        seen = set()
        for head in sorted(set(self._head)):
            for tail in sorted(set(self._tail)):
                inside = [j for j in calls if self._head[j] >= head and self._tail[j] >= tail]
                if inside and tuple(inside) not in seen:
                    seen.add(tuple(inside))
                    head_ = min(self._head[j] for j in inside)
                    tail_ = min(self._tail[j] for j in inside)
                    terms = [(self._last, 1.0)]
                    terms += [(x, -u) for j in inside for x, u in work[j]]
                    self._row(head_ + tail_, math.inf, terms)

    def _suggest(self, start: Sequence[int]) -> None:
        columns, values = [], []
        place = {call: number for number, call in enumerate(start)}
        for (i, j), column in self._follows.items():
            columns.append(column)
            follows = place[j] == 0 if i is None else place[j] == place[i] + 1
            values.append(float(follows))
        for (i, j), column in self._ahead.items():
            columns.append(column)
            values.append(float(place[i] < place[j]))
        self._highs.setSolution(len(columns), columns, values)

    def _order(self, values: Sequence[float]) -> list[int]:
        after = {i: j for (i, j), column in self._follows.items() if values[column] > 0.5}
        order = []
        call = after.get(None)
        while call is not None:
            order.append(call)
            call = after.get(call)
        return order

    def _column(self, low: float, high: float, *, cost: float = 0.0, integer: bool = False) -> int:
        self._highs.addCol(cost, low, high, 0, [], [])
        if integer:
            self._highs.changeColIntegrality(self._columns, highspy.HighsVarType.kInteger)
        self._columns += 1
        return self._columns - 1

    def _row(self, low: float, high: float, terms: Sequence[tuple[int, float]]) -> None:
        columns = [column for column, _ in terms]
        self._highs.addRow(low, high, len(columns), columns, [value for _, value in terms])


@contextmanager
def _quiet() -> Iterator[None]:
    """HiGHS names itself on standard output when it is made, before it can be told not to."""
    sys.stdout.flush()
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
