"""How many rounds of answers a workload needs: by hand, by trying everything, and by running it."""

from __future__ import annotations

import random
from itertools import combinations
from typing import Any

import pytest


def made(*items: dict[str, str]) -> Any:
    """A workload of items; a call is named by a letter and its inputs are letters."""
    from workloads.workload import Answer, Call, Item, Workload

    return Workload(
        "made", len(items), 1.0, 0, 5,
        tuple(
            Item(
                f"item {n}",
                tuple(
                    Call(name, name, (f"{name} of {n}: ", *map(Answer, inputs)))
                    for name, inputs in calls.items()
                ),
            )
            for n, calls in enumerate(items)
        ),
    )  # fmt: skip


def optimum(needs: dict[Any, frozenset[Any]], slots: int) -> int:
    """The fewest rounds of all orders, by trying them all."""
    reached, rounds = {frozenset[Any]()}, 0
    while frozenset(needs) not in reached:
        after = set()
        for done in reached:
            ready = [c for c, before in needs.items() if c not in done and before <= done]
            for chosen in combinations(ready, min(slots, len(ready))):
                after.add(done | frozenset(chosen))
        reached, rounds = after, rounds + 1
    return rounds


CHAIN = {"a": "", "b": "a", "c": "b"}
FAN = {"a": "", "b": "", "c": "", "d": "abc"}


@pytest.mark.parametrize(
    ("items", "slots", "rounds"),
    [
        ([], 4, 0),
        ([CHAIN], 4, 3),
        ([CHAIN], 1, 3),
        ([CHAIN, CHAIN], 1, 6),
        ([CHAIN] * 4, 4, 3),
        ([CHAIN] * 5, 4, 4),
        ([FAN], 3, 2),
        ([FAN], 2, 3),
        ([FAN] * 4, 8, 3),  # three of the twelve wait, and then the four at the end
        ([{"a": "", **{f"{n}": "a" for n in range(4)}}], 2, 3),  # a head
        ([{"a": "", "b": "a", "c": "", "d": "", "e": "d"}], 2, 3),
    ],
)
def test_rounds_by_hand(items: list[dict[str, str]], slots: int, rounds: int) -> None:
    from workloads.rounds import fewest_rounds

    assert fewest_rounds(made(*items), slots) == rounds


def test_no_order_has_fewer_and_most_have_one_with_as_many() -> None:
    from workloads.rounds import calls_with_needs, fewest_rounds

    reached, tried = 0, 120
    for seed in range(tried):
        drawn = random.Random(seed)
        names = "abcdefgh"[: drawn.randint(1, 8)]
        inputs = {
            name: "".join(n for n in names[:place] if drawn.random() < 0.3)
            for place, name in enumerate(names)
        }
        work, slots = made(inputs), drawn.randint(1, 3)
        least = optimum(dict(calls_with_needs(work)), slots)
        assert fewest_rounds(work, slots) <= least
        reached += fewest_rounds(work, slots) == least
    assert reached > 0.9 * tried


def test_equal_calls_are_one_where_they_are_merged() -> None:
    from workloads.rounds import calls_with_needs, fewest_rounds
    from workloads.workload import Answer, Call, Item, Workload

    calls = (
        Call("a", "o", ("same",)),
        Call("b", "o", ("same",)),
        Call("c", "o", ("of ", Answer("a"))),
        Call("d", "o", ("of ", Answer("b"))),  # equal, as its input is
        Call("e", "o", ("of ", Answer("b")), system="another"),
        Call("f", "o", ("more",), history="c"),
        Call("g", "o", ("more",), history="e"),
    )
    work = Workload("made", 2, 1.0, 0, 5, (Item("x", calls), Item("y", calls)))
    assert len(calls_with_needs(work)) == 5
    assert fewest_rounds(work, 1) == 5
    assert fewest_rounds(work, 1, merged=False) == 14


@pytest.mark.parametrize("suite", ["map_reduce_questions", "trading", "tables", "debate"])
def test_distinct_calls_are_those_that_are_run_and_no_run_has_fewer_rounds(suite: str) -> None:
    from suites import engines, runs
    from suites.suite import SUITES
    from workloads import workload
    from workloads.rounds import calls_with_needs, fewest_rounds

    from heliumql.catalog.techniques import SHARE

    rows, scale, slots = 2, 0.2, 4
    work = workload(suite, rows, scale)
    engine = engines.simulated(1 << 20, 1, slots)
    with runs.session(SUITES[suite], engine, rows, scale) as con:
        found = runs.run(con, SUITES[suite].text(), engine, "cache_aware")
        apart = runs.run(con, SUITES[suite].text(), engine, "cache_aware", SHARE)
    assert len(calls_with_needs(work)) == found.calls
    assert found.steps is not None
    assert apart.steps is not None
    assert found.steps >= fewest_rounds(work, slots) * work.max_tokens
    assert apart.calls == sum(len(item.calls) for item in work.items)
    assert apart.steps >= fewest_rounds(work, slots, merged=False) * work.max_tokens
