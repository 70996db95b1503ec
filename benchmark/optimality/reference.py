"""What is known of the best order of an instance, by all means there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from heliumql.scheduling.local_search import local_search, starting_orders
from heliumql.scheduling.token_steps import CAPACITY, sequence_cost, token_steps

from .dynamic_programming import optimum
from .instances import Instance
from .milp import solve

SEARCH = "local search"


@dataclass(frozen=True)
class Reference:
    """The cheapest order that was found, and what no order can fall below, in steps."""

    order: Sequence[int]
    makespan: float
    bound: float
    search: float  # what local search found
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
    calls = token_steps(workload)
    found = local_search(workload.needs, sequence_cost(workload), starting_orders(workload))
    exact = optimum(calls, CAPACITY, found.order, labels)
    best, bound, program = exact.makespan, exact.bound, "-"
    order = exact.order
    if milp or not exact.proven:
        solution = solve(calls, CAPACITY, found.order if milp else exact.order, seconds)
        bound = max(bound, solution.bound)
        if solution.makespan < best:
            best, order = solution.makespan, solution.order
        ended = f"optimal after {solution.seconds:.1f} s"
        program = ended if solution.proven else f"{best / solution.bound - 1:.1%} above its bound"
    return Reference(order, best, bound, found.cost, program)
