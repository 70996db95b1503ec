"""What is known of the best order of an instance, by all means there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from heliumql.scheduling.local_search import local_search, starting_orders
from heliumql.scheduling.token_steps import CAPACITY, sequence_cost, token_steps

from .dynamic_programming import optimum
from .instances import Instance
from .milp import solve

_LONG_SEARCH = 400_000  # evaluations, where the best order is not known otherwise


@dataclass(frozen=True)
class Reference:
    """The cheapest order that was found, and what no order can fall below, in steps."""

    order: Sequence[int]
    makespan: float
    bound: float
    search: Sequence[int]  # the order that local search found with its usual evaluations
    program: str  # how far the integer program came

    @property
    def proven(self) -> bool:
        return self.makespan <= self.bound * (1 + 1e-6)


def reference(instance: Instance, *, seconds: float, labels: int, milp: bool) -> Reference:
    """Dynamic programming first; the integer program where that did not come to an end.

    `seconds` bound the integer program, `labels` the other; with `milp` it runs in any case, and
    starts from what local search found.
    """
    workload = instance.workload
    calls, cost, starts = token_steps(workload), sequence_cost(workload), starting_orders(workload)
    found = local_search(workload.needs, cost, starts)
    exact = optimum(calls, CAPACITY, found.order, labels)
    order, bound, program = exact.order, exact.bound, "-"
    if not exact.proven:
        longer = local_search(workload.needs, cost, [*starts, order], _LONG_SEARCH)
        order = min(order, longer.order, key=cost)
    if milp or not exact.proven:
        solution = solve(calls, CAPACITY, found.order if milp else order, seconds)
        bound = max(bound, solution.bound)
        order = min(order, solution.order, key=cost)
        ended = f"optimal after {solution.seconds:.1f} s"
        above = f"{solution.makespan / solution.bound - 1:.1%} above its bound"
        program = ended if solution.proven else above
    return Reference(order, cost(order), bound, found.order, program)
