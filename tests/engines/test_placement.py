"""Which worker a prompt goes to."""

from __future__ import annotations

from heliumql.engines.placement import PrefixPlacement


def test_prompts_with_a_long_common_prefix_go_to_one_worker() -> None:
    placement = PrefixPlacement(slots=64)
    groups = [str(n) * 1000 for n in range(4)]
    loads = [0, 0]
    chosen: list[set[int]] = [set() for _ in groups]
    for turn in range(8):
        for number, group in enumerate(groups):
            worker = placement.place(f"{group} and then {turn}", loads)
            chosen[number].add(worker)
            loads[worker] += 1
    assert all(len(workers) == 1 for workers in chosen)
    assert loads == [16, 16]


def test_a_prefix_that_all_share_does_not_crowd_one_worker() -> None:
    placement = PrefixPlacement(slots=8)
    loads = [0, 0, 0]
    for turn in range(24):
        loads[placement.place("shared " * 200 + str(turn), loads)] += 1
    assert max(loads) - min(loads) <= 3


def test_the_longest_known_prefix_wins() -> None:
    placement = PrefixPlacement(slots=64)
    static, left, right = "s" * 512, "l" * 512, "r" * 512
    assert placement.place(static + left, [0, 1]) == 0
    assert placement.place(static + right, [9, 0]) == 0  # within the slack of its 16 calls
    assert placement.place(static + right, [20, 0]) == 1
    assert placement.place(static + left + "?", [10, 0]) == 0
    assert placement.place(static + right + "?", [0, 10]) == 0
    assert placement.place(static + right + "!", [3, 0]) == 1


def test_short_prompts_go_to_the_idlest() -> None:
    placement = PrefixPlacement(slots=4)
    assert placement.place("hello", [2, 0, 1]) == 1


def test_a_known_prefix_is_not_worth_a_worker_that_is_not_there() -> None:
    placement = PrefixPlacement(slots=64)
    assert placement.place("p" * 512, [0, 1]) == 0
    assert placement.place("p" * 512, [1 << 40, 30]) == 1
