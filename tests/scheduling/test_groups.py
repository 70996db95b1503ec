"""Prefix groups, orders and places: the best cut by trying all, and what must stay together."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_workloads import workloads

from heliumql.cost.event_model import Constants
from heliumql.scheduling.groups import Groups, prefix_groups
from heliumql.scheduling.orders import Order, Unit, ranks, units_of
from heliumql.scheduling.placement import placed
from heliumql.scheduling.prefix_tree import tree_of_segments
from heliumql.scheduling.sample import sampled
from heliumql.scheduling.workload import Worker, Workload

QUICK = settings(max_examples=80, derandomize=True, deadline=None, database=None)
UNITS: tuple[Unit, ...] = ("prefix", "query")


def alone(prompts: list[list[tuple[str, int]]], output: int = 8) -> Workload:
    """Calls without answers in their prompts, each a query."""
    count = len(prompts)
    conversations = [[*p, (f"answer {n}", output)] for n, p in enumerate(prompts)]
    return Workload(
        range(count), [0] * count, [sum(t for _, t in p) for p in prompts], [output] * count,
        [()] * count, tree_of_segments(conversations), [0] * count,
    )  # fmt: skip


def most_saved(workload: Workload) -> int:
    """Tokens that the best choice of shared prefixes, none inside another, computes once only."""
    tree = workload.tree
    below: dict[int, int] = {}
    for call in range(len(workload)):
        for node in tree.path(call):
            below[node] = below.get(node, 0) + 1
    children: dict[int, list[int]] = {}
    for node in range(1, len(tree.parent)):
        children.setdefault(tree.parent[node], []).append(node)

    def best(node: int) -> int:
        cut = (below.get(node, 0) - 1) * tree.end[node] if node else 0
        return max(cut, sum(best(child) for child in children.get(node, ())))

    return best(0)


def saved(workload: Workload, groups: Groups) -> int:
    sizes: dict[int, int] = {}
    for group in groups.group:
        sizes[group] = sizes.get(group, 0) + 1
    return sum((n - 1) * workload.tree.end[groups.node[g]] for g, n in sizes.items())


@QUICK
@given(workload=workloads())
def test_no_other_cut_of_the_tree_saves_more(workload: Workload) -> None:
    assert saved(workload, prefix_groups(workload)) == most_saved(workload)


@QUICK
@given(workload=workloads(), block=st.sampled_from([1, 16, 64]))
def test_every_call_has_a_place_in_one_group_whose_prefix_it_begins_with(
    workload: Workload, block: int
) -> None:
    groups = prefix_groups(workload, block)
    assert sorted(groups.place) == list(range(len(workload)))
    in_order = sorted(range(len(workload)), key=groups.place.__getitem__)
    numbers = [groups.group[call] for call in in_order]
    assert numbers == sorted(numbers), "a group is not in one piece"
    assert set(numbers) == set(range(len(groups.node)))
    shared = [node for node in groups.node if node]
    assert len(set(shared)) == len(shared)
    for call, group in enumerate(groups.group):
        node = groups.node[group]
        assert node == 0 or node in workload.tree.path(call)
        assert node == 0 or workload.tree.end[node] >= block
        assert node or groups.group.count(group) == 1


@QUICK
@given(tokens=st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, max_size=12))
def test_calls_that_share_less_than_a_block_stay_in_the_order_of_arrival(tokens: list[str]) -> None:
    workload = alone([[(name, 15), (f"row {n}", 40)] for n, name in enumerate(tokens)])
    assert prefix_groups(workload, 16).place == list(range(len(tokens)))
    longer = alone([[(name, 16), (f"row {n}", 40)] for n, name in enumerate(tokens)])
    by_name = sorted(range(len(tokens)), key=lambda n: (tokens.index(tokens[n]), n))
    groups = prefix_groups(longer, 16)
    assert sorted(range(len(tokens)), key=groups.place.__getitem__) == by_name


def test_what_is_under_the_longest_chain_comes_first() -> None:
    conversations = [
        [("a", 64), ("1", 16)], [("a", 64), ("2", 16)],
        [("b", 64), ("3", 16)], [("b", 64), ("4", 16)],
    ]  # fmt: skip
    workload = replace(alone(conversations), output=[8, 8, 8, 99])  # type: ignore[arg-type]
    groups = prefix_groups(workload, 16)
    assert groups.place == [2, 3, 1, 0]


@QUICK
@given(
    workload=workloads(),
    unit=st.sampled_from(UNITS),
    open_units=st.integers(0, 5),
    chain_first=st.booleans(),
)
def test_ranks_are_a_permutation_that_opens_units_in_their_order(
    workload: Workload, unit: Unit, open_units: int, chain_first: bool
) -> None:
    groups = prefix_groups(workload, 16)
    units = units_of(workload, groups, unit)
    order = Order(unit, open_units, chain_first)
    rank = ranks(workload, groups, order, units)
    assert sorted(rank) == list(range(len(workload)))
    in_order = sorted(range(len(workload)), key=rank.__getitem__)
    if open_units:
        blocks = [units[call] // open_units for call in in_order]
        assert blocks == sorted(blocks)
    for one, other in pairwise(in_order):
        if open_units and units[one] // open_units != units[other] // open_units:
            continue
        if chain_first:
            assert workload.chain[one] >= workload.chain[other]
        else:
            assert groups.place[one] < groups.place[other]


@QUICK
@given(workload=workloads())
def test_a_call_is_of_no_earlier_unit_than_what_it_waits_for(workload: Workload) -> None:
    groups = prefix_groups(workload, 16)
    units = units_of(workload, groups, "prefix")
    for call, needs in enumerate(workload.needs):
        assert all(units[call] >= units[need] for need in needs)
        if groups.node[groups.group[call]] and not needs:
            assert units[call] == groups.group[call]
    by_query = units_of(workload, groups, "query")
    assert len(set(zip(by_query, workload.query, strict=True))) == len(set(workload.query))
    assert set(by_query) == set(range(len(set(workload.query))))


@QUICK
@given(workload=workloads(engines=2), count=st.integers(1, 3), unit=st.sampled_from(UNITS))
def test_calls_go_to_workers_of_their_engine_and_only_large_units_are_split(
    workload: Workload, count: int, unit: Unit
) -> None:
    workers = [Worker(engine) for engine in (0, 1) for _ in range(count)]
    groups = prefix_groups(workload, 16)
    units = units_of(workload, groups, unit)
    chosen = placed(workload, workers, units, groups)
    assert all(workers[w].engine == e for w, e in zip(chosen, workload.engine, strict=True))
    assert chosen == placed(workload, workers, units, groups)
    for engine in (0, 1):
        calls = [c for c in range(len(workload)) if workload.engine[c] == engine]
        # What the calls cost at least: all but a token of each prompt is in the cache.
        fair = sum(workers[0].seconds(1, workload.output[c]) for c in calls) / count
        for own in {units[c] for c in calls}:
            inside = [c for c in calls if units[c] == own]
            if len({chosen[c] for c in inside}) > 1:
                costs = [workers[0].seconds(workload.prompt[c], workload.output[c]) for c in inside]
                assert sum(costs) > fair


@QUICK
@given(outputs=st.lists(st.integers(1, 50), min_size=1, max_size=30), count=st.integers(1, 4))
def test_no_worker_has_more_than_its_share_and_one_call(outputs: list[int], count: int) -> None:
    workload = alone([[(f"row {n}", 64)] for n in range(len(outputs))])
    workload = replace(workload, output=outputs)
    workers = [Worker() for _ in range(count)]
    groups = prefix_groups(workload, 16)
    chosen = placed(workload, workers, groups.group, groups)
    seconds = [workers[0].seconds(64, output) for output in outputs]
    load = [0.0] * count
    for call, worker in enumerate(chosen):
        load[worker] += seconds[call]
    assert max(load) <= sum(seconds) / count + max(seconds) + 1e-9


def test_groups_of_equal_weight_are_spread_and_a_lone_large_one_is_split() -> None:
    workers = [Worker(), Worker()]
    even = alone([[(f"document {n % 4}", 320), (f"row {n}", 16)] for n in range(16)])
    groups = prefix_groups(even, 16)
    chosen = placed(even, workers, groups.group, groups)
    assert sorted(chosen) == [0] * 8 + [1] * 8
    assert all(chosen[n] == chosen[n % 4] for n in range(16))
    lone = alone([[("document", 320), (f"row {n}", 16)] for n in range(16)])
    groups = prefix_groups(lone, 16)
    assert sorted(placed(lone, workers, groups.group, groups)) == [0] * 8 + [1] * 8


def test_what_a_group_shares_counts_once() -> None:
    # Twelve calls of 1600 tokens compute less than twelve of 160 that share nothing.
    texts = [[("document", 1584), (f"row {n}", 16)] for n in range(12)]
    workload = alone([*texts, *([(f"other {n}", 160)] for n in range(12))])
    groups = prefix_groups(workload, 16)
    slow = Constants(prefill_seconds_per_token=0.01, step_seconds=0.0)
    chosen = placed(workload, [Worker(constants=slow)] * 2, groups.group, groups)
    assert len(set(chosen[:12])) == 1


def test_a_faster_worker_gets_more() -> None:
    slow = Constants(step_seconds=0.08, prefill_seconds_per_token=0.0004,
                     decode_seconds_per_sequence=0.0005)  # fmt: skip
    workload = alone([[(f"row {n}", 64)] for n in range(66)])
    groups = prefix_groups(workload, 16)
    chosen = placed(workload, [Worker(), Worker(constants=slow)], groups.group, groups)
    assert chosen.count(0) == 60


@QUICK
@given(workload=workloads(most=20), calls=st.integers(1, 20))
def test_a_sample_has_whole_queries_and_what_they_need(workload: Workload, calls: int) -> None:
    workload = replace(workload, output=range(1000, 1000 + len(workload)))
    part = sampled(workload, calls)
    assert 0 < len(part) <= calls or part is workload
    if part is workload:
        assert len(workload) <= calls
        return
    kept = [output - 1000 for output in part.output]
    assert kept == sorted(set(kept)), "other calls, or in another order"
    number = {call: n for n, call in enumerate(kept)}
    sizes = {q: workload.query.count(q) for q in workload.query}
    fits = next(iter(sizes.values())) <= calls
    queries = set(part.query)
    assert not fits or queries == set([*sizes][: len(queries)]), "others than the first"
    for n, call in enumerate(kept):
        for column in ("query", "operator", "prompt", "engine"):
            assert getattr(part, column)[n] == getattr(workload, column)[call]
        ends = [workload.tree.end[node] for node in workload.tree.path(call)]
        assert [part.tree.end[node] for node in part.tree.path(n)] == ends
        # Whole queries and the first calls of one are both closed under what calls need.
        assert sorted(part.needs[n]) == sorted(number[need] for need in workload.needs[call])
        assert not fits or part.query.count(part.query[n]) == sizes[part.query[n]]
    assert sorted(part.topological) == list(range(len(part)))


@pytest.mark.parametrize("output", [8, 80])
def test_chains_and_levels_count_the_longest_way(output: int) -> None:
    base = alone([[("a", 16)], [("b", 16)], [("c", 16)], [("d", 16)]], output)
    workload = replace(base, needs=[(2,), (0, 2), (), ()])
    assert workload.topological == [2, 3, 0, 1]
    assert workload.chain == [2 * output, output, 3 * output, output]
    assert workload.level == [1, 2, 0, 0]
