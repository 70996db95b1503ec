"""Local search finds the best orders of small workloads, the same every time."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence

import pytest

from heliumql.scheduling.local_search import local_search, starting_orders
from heliumql.scheduling.prefix_tree import tree_of_segments
from heliumql.scheduling.token_steps import sequence_cost
from heliumql.scheduling.workload import Workload


def workload(seed: int, calls: int) -> Workload:
    """Calls with a system prompt and a document out of three each; some need an earlier one."""
    rng = random.Random(seed)
    lengths = {name: rng.randint(50, 800) for name in ("s0", "s1", "d0", "d1", "d2")}
    output = [rng.randint(20, 200) for _ in range(calls)]
    needs, segments, operator = [], [], []
    for call in range(calls):
        names = [f"s{rng.randrange(2)}", f"d{rng.randrange(3)}"]
        parts = [(name, lengths[name]) for name in names]
        need = rng.randrange(call) if call and rng.random() < 0.5 else None
        if need is not None:
            parts.append((f"answer {need}", output[need]))
        needs.append([] if need is None else [need])
        operator.append(0 if need is None else operator[need] + 1)
        segments.append([*parts, (f"answer {call}", output[call])])
    return Workload(
        query=[call % 3 for call in range(calls)],
        operator=operator,
        prompt=[sum(tokens for _, tokens in parts[:-1]) for parts in segments],
        output=output,
        needs=needs,
        tree=tree_of_segments(segments),
        engine=[0] * calls,
    )


def feasible(needs: Sequence[Sequence[int]]) -> Iterator[tuple[int, ...]]:
    for order in itertools.permutations(range(len(needs))):
        place = {call: at for at, call in enumerate(order)}
        if all(place[need] < place[call] for call in order for need in needs[call]):
            yield order


@pytest.mark.parametrize("seed", range(8))
def test_it_finds_the_best_of_all_orders(seed: int) -> None:
    calls = workload(seed, 7)
    cost = sequence_cost(calls)
    found = local_search(calls.needs, cost, [next(feasible(calls.needs))], 2000)
    assert found.cost == pytest.approx(min(map(cost, feasible(calls.needs))))
    assert cost(found.order) == found.cost


def test_it_keeps_needs_and_counts_what_it_spends() -> None:
    calls = workload(3, 20)
    cost = sequence_cost(calls)
    seen = []

    def watched(order: Sequence[int]) -> float:
        place = {call: at for at, call in enumerate(order)}
        assert sorted(order) == list(range(20))
        assert all(place[need] < place[call] for call in order for need in calls.needs[call])
        seen.append(cost(order))
        return seen[-1]

    found = local_search(calls.needs, watched, starting_orders(calls), 3000)
    assert found.evaluations == len(seen) <= 3000
    assert found.cost == min(seen) < seen[0]


def test_the_same_input_gives_the_same_order() -> None:
    calls = workload(5, 25)
    first = local_search(calls.needs, sequence_cost(calls), starting_orders(calls), 2000)
    random.seed(99)  # others' random numbers have no part in it
    assert local_search(calls.needs, sequence_cost(calls), starting_orders(calls), 2000) == first


def test_more_evaluations_do_no_harm_here() -> None:
    calls = workload(7, 30)
    starts, cost = starting_orders(calls), sequence_cost(calls)
    costs = [local_search(calls.needs, cost, starts, n).cost for n in (1, 100, 20_000)]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] == cost(starts[0])


def test_a_chain_has_one_order() -> None:
    found = local_search([[], [0], [1]], len, [[0, 1, 2]], 100)
    assert (found.order, found.evaluations) == ((0, 1, 2), 1)
    assert local_search([[]], len, [[0]]).order == (0,)
    assert local_search([], len, [[]]).order == ()


def test_two_calls_change_places() -> None:
    found = local_search([[], []], lambda order: float(order[0] == 0), [[0, 1]], 50)
    assert (found.order, found.cost) == ((1, 0), 0.0)


@pytest.mark.parametrize(
    ("starts", "evaluations", "message"),
    [
        ([[1, 0]], 10, "behind those that it needs"),
        ([[0]], 10, "every call once"),
        ([], 10, "an order to start from"),
        ([[0, 1]], 0, "one evaluation"),
    ],
)
def test_what_it_cannot_start_from(starts, evaluations, message):
    with pytest.raises(ValueError, match=message):
        local_search([[], [0]], len, starts, evaluations)


def test_starting_orders_keep_needs_and_differ() -> None:
    calls = workload(1, 12)
    orders = [tuple(order) for order in starting_orders(calls)]
    assert len(set(orders)) == len(orders) > 2
    for order in orders:
        place = {call: at for at, call in enumerate(order)}
        assert all(place[need] < place[call] for call in order for need in calls.needs[call])
