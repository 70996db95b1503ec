"""Which prefixes are worth keeping: long ones that come back often, as many as leave room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from test_policies import SMALL, Calls

from heliumql.scheduling.pins import worthwhile
from heliumql.scheduling.schedule import Pin, Schedule
from heliumql.scheduling.simulation import simulate
from heliumql.scheduling.workload import Worker, Workload


def returning(rows: int, instructions: Sequence[int], reports: int) -> Workload:
    """In each row a call of each instruction, of so many tokens, then reports of 1000 tokens."""
    calls = Calls()
    for row in range(rows):
        for number, tokens in enumerate(instructions):
            calls.ask(row, 0, [(("instruction", number), tokens), (("row", row), 16)], 4)
        for report in range(reports):
            calls.ask(row, 1, [(("report", row, report), 1000)], 4)
    return calls.workload()


def worker(kv_cache_tokens: int) -> Worker:
    return Worker(constants=replace(SMALL, kv_cache_tokens=kv_cache_tokens, max_num_seqs=1))


def kept(workload: Workload, kv_cache_tokens: int) -> tuple[Pin, ...]:
    count = len(workload)
    paths = [workload.tree.path(call) for call in range(count)]
    in_order = Schedule("", range(count), [0] * count)
    return worthwhile(workload, [worker(kv_cache_tokens)], in_order, paths)


def test_a_short_prefix_is_not_kept() -> None:
    assert [pin.tokens for pin in kept(returning(4, [200], 2), 1600)] == [200]
    assert kept(returning(4, [199], 2), 1600) == ()


def test_a_prefix_that_the_cache_has_anyway_is_not_kept() -> None:
    assert kept(returning(4, [320], 2), 3200) == ()


def test_a_prefix_that_would_be_missed_once_only_is_not_kept() -> None:
    assert kept(returning(2, [320], 2), 1600) == ()
    assert [len(pin.calls) for pin in kept(returning(3, [320], 2), 1600)] == [3]


def test_no_more_than_half_of_a_cache_is_kept() -> None:
    assert len(kept(returning(4, [1000, 1000], 4), 4000)) == 2
    assert len(kept(returning(4, [1001, 1001], 4), 4000)) == 1


def test_what_is_kept_leaves_room_for_the_longest_call() -> None:
    # Of 1600 tokens a report takes 1004, and a block more is left to every call of a batch.
    assert len(kept(returning(4, [580], 2), 1600)) == 1
    assert kept(returning(4, [581], 2), 1600) == ()


def test_a_prefix_is_let_go_after_the_last_call_that_it_is_kept_for() -> None:
    workload = returning(8, [320], 2)
    pin = Pin(workload.tree.path(0)[0], 0, 320, (0, 3))
    schedule = Schedule("", range(24), [0] * 24, pins=(pin,))
    # The second call finds it, those of later rows compute it anew.
    assert simulate(workload, [worker(1600)], schedule).hit_tokens == 320
