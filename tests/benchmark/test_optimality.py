"""The best order of tiny workflows: three means that share little must agree."""

from __future__ import annotations

import itertools
from importlib import import_module
from typing import Any

import pytest

from heliumql.cost.token_steps import TokenSteps, order_cost
from heliumql.scheduling.token_steps import sequence_cost, sequence_makespan, token_steps

TINY = [
    ("map_reduce", 2, 2), ("map_reduce", 3, 2), ("debate", 2, 2), ("iterative", 2, 4),
    ("iterative", 4, 2), ("iterative", 2, 3),
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def optimality() -> Any:
    return import_module("optimality")


def part(name: str) -> Any:
    return import_module(f"optimality.{name}")


def brute_force(calls: TokenSteps, capacity: int) -> float:
    cost = order_cost(calls, capacity)
    best = float("inf")
    for order in itertools.permutations(range(len(calls))):
        place = {call: at for at, call in enumerate(order)}
        if all(place[n] < place[c] for c in order for n in calls.needs[c]):
            best = min(best, cost(order))
    return best


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("shape", "agents", "queries"), TINY)
def test_three_ways_to_the_best_order_agree(
    shape: str, agents: int, queries: int, seed: int
) -> None:
    workload = part("instances").instance(shape, agents, queries, seed).workload
    assert len(workload) <= 8
    calls, capacity = token_steps(workload), 2048 * (seed + 1)
    best = brute_force(calls, capacity)
    start = workload.topological  # not an order that local search has made good already
    exact = part("dynamic_programming").optimum(calls, capacity, start)
    assert exact.proven
    assert exact.makespan == pytest.approx(best)
    assert sequence_makespan(workload, exact.order, capacity) == pytest.approx(best)
    solved = part("milp").solve(calls, capacity, start, seconds=60)
    assert solved.proven
    assert solved.makespan == pytest.approx(best)
    assert sequence_makespan(workload, solved.order, capacity) == pytest.approx(best)


def test_bounds_hold_where_the_search_ends_early() -> None:
    workload = part("instances").instance("debate", 3, 2).workload
    calls, start = token_steps(workload), workload.topological
    exact = part("dynamic_programming").optimum(calls, 8192, start)
    cut = part("dynamic_programming").optimum(calls, 8192, start, labels=50)
    assert exact.proven
    assert not cut.proven
    assert 0 < cut.bound <= exact.makespan <= cut.makespan
    solved = part("milp").solve(calls, 8192, start, seconds=0.5)
    assert 0 < solved.bound <= exact.makespan * (1 + 1e-6)
    assert exact.makespan <= solved.makespan * (1 + 1e-6)


def test_local_search_finds_the_best_orders_of_up_to_12_calls() -> None:
    for instance in part("instances").instances(3):
        if len(instance.workload) <= 12:
            known = part("reference").reference(instance, seconds=5, labels=50_000, milp=False)
            assert known.proven
            assert sequence_makespan(instance.workload, known.search) == pytest.approx(
                known.makespan
            )


def test_instances_are_the_same_every_time_and_fit_the_cache() -> None:
    made = list(part("instances").instances())
    assert len(made) == 36
    assert made == list(part("instances").instances())
    for instance in made:
        w = instance.workload
        assert len(w) <= 40
        assert max(p + o for p, o in zip(w.prompt, w.output, strict=True)) <= 8192
        assert sequence_cost(w)(w.topological) > 0


def test_every_policy_has_an_order(optimality: Any) -> None:
    from heliumql.scheduling.policies import POLICIES

    instance = part("instances").instance("trading", 2, 2)
    spans = optimality.makespans(instance)
    assert set(spans) == set(POLICIES)
    best = part("dynamic_programming").optimum(
        token_steps(instance.workload), 8192, instance.workload.topological
    )
    assert all(span >= best.makespan - 1e-6 for span in spans.values())
