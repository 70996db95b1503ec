"""The forecast against the simulation that follows every block and step."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_workloads import workloads
from test_policies import NAMES, SMALL, debate, map_reduce, planned

from heliumql.cost.event_model import Constants
from heliumql.scheduling.forecast import Forecast, forecast
from heliumql.scheduling.pins import worthwhile
from heliumql.scheduling.policies.cache_aware import cache_aware
from heliumql.scheduling.prefix_tree import tree_of_segments
from heliumql.scheduling.schedule import ANY, Pin, Schedule
from heliumql.scheduling.simulation import simulate
from heliumql.scheduling.workload import Worker, Workload

QUICK = settings(max_examples=80, derandomize=True, deadline=None, database=None)
WIDE = replace(SMALL, kv_cache_tokens=100_000, max_num_seqs=32)
TIGHT = replace(SMALL, kv_cache_tokens=16 * 60, max_num_seqs=2)
SHORT = replace(SMALL, kv_cache_tokens=16 * 40, max_num_seqs=32)  # of room, not of slots
SLOW_TO_TAKE = replace(SMALL, call_seconds=0.2)
SLOW_TO_READ = replace(SMALL, kv_read_seconds_per_token=0.0001)


def foretold(workload: Workload, workers: list[Worker], schedule: Schedule) -> Forecast:
    paths = [workload.tree.path(call) for call in range(len(workload))]
    return forecast(workload, workers, schedule, paths)


@pytest.mark.parametrize(
    "constants",
    [SMALL, WIDE, TIGHT, SHORT, SLOW_TO_TAKE, SLOW_TO_READ],
    ids=["small", "wide", "tight", "short", "slow to take", "slow to read"],
)
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(
    "workload",
    [map_reduce(20, 4), debate(20), map_reduce(20, 5, role_first=True)],
    ids=["map_reduce", "debate", "role first"],
)
def test_seconds_and_hits_are_about_those_of_the_simulation(
    workload: Workload, count: int, constants: Constants
) -> None:
    workers = [Worker(constants=constants)] * count
    for name in ("helium", "fcfs", "random"):
        schedule = planned(name, workload, workers)
        fixed = [query % count for query in workload.query]
        schedule = replace(schedule, worker=fixed)
        outcome = simulate(workload, workers, schedule)
        found = foretold(workload, workers, schedule)
        assert found.seconds == pytest.approx(outcome.seconds, rel=0.2)
        assert found.hit_tokens == pytest.approx(outcome.hit_tokens, abs=outcome.prompt_tokens / 8)


def test_whole_blocks_are_found_and_no_more() -> None:
    conversations = [[("shared", 40), (n, 40), ("answer", 8)] for n in range(4)]
    tree = tree_of_segments(conversations)
    workload = Workload(range(4), [0] * 4, [80] * 4, [8] * 4, [()] * 4, tree, [0] * 4)
    workers = [Worker(constants=replace(SMALL, max_num_seqs=1))]
    schedule = Schedule("", range(4), [0] * 4)
    assert simulate(workload, workers, schedule).hit_tokens == 3 * 32
    assert foretold(workload, workers, schedule).hit_tokens == 3 * 32


def test_clearly_different_schedules_are_ranked_as_the_simulation_ranks_them() -> None:
    conversations = [
        [(("document", n % 6), 480), (("question", n), 16), (("answer", n), 8)] for n in range(36)
    ]
    workload = Workload(
        range(36), [0] * 36, [496] * 36, [8] * 36, [()] * 36,
        tree_of_segments(conversations), [0] * 36,
    )  # fmt: skip
    workers = [Worker(constants=TIGHT)]
    rounds = list(range(36))
    documents = [(n % 6) * 6 + n // 6 for n in range(36)]
    halves = [(n % 6) * 3 + n // 6 % 3 + n // 18 * 18 for n in range(36)]
    schedules = [Schedule("", rank, [0] * 36) for rank in (rounds, documents, halves)]
    assert all(sorted(s.rank) == rounds for s in schedules)
    simulated = [simulate(workload, workers, s).seconds for s in schedules]
    found = [foretold(workload, workers, s).seconds for s in schedules]
    clear = [
        (a, b) for a, b in combinations(range(3), 2)
        if not 0.8 < simulated[a] / simulated[b] < 1.25
    ]  # fmt: skip
    assert len(clear) >= 2
    for a, b in clear:
        assert (found[a] < found[b]) == (simulated[a] < simulated[b])


@QUICK
@given(
    workload=workloads(most=14, engines=2),
    constants=st.sampled_from([SMALL, WIDE]),
    name=st.sampled_from([*NAMES, "cache_aware"]),
    count=st.integers(1, 2),
)
def test_every_schedule_comes_to_an_end_the_same_each_time(
    workload: Workload, constants: Constants, name: str, count: int
) -> None:
    workers = [Worker(engine, constants) for engine in (0, 1) for _ in range(count)]
    schedule = (
        cache_aware(workload, workers)
        if name == "cache_aware"
        else planned(name, workload, workers)
    )
    outcome = simulate(workload, workers, schedule)
    assert sorted(c.call for _, c in outcome.completions) == list(range(len(workload)))
    assert simulate(workload, workers, schedule) == outcome
    for worker, done in outcome.completions:
        assert workers[worker].engine == workload.engine[done.call]
        assert schedule.group or schedule.worker[done.call] in (worker, ANY)
    found = foretold(workload, workers, schedule)
    assert found == foretold(workload, workers, schedule)
    assert 0 <= found.hit_tokens < sum(workload.prompt)
    # More than the longest chain takes alone, less than one call after the other.
    steps = constants.step_seconds
    assert max(workload.chain) * steps <= found.seconds * 1.05
    alone = sum(workload.output) * (steps + 64 * constants.decode_seconds_per_sequence)
    prefill = sum(workload.prompt) * constants.prefill_seconds_per_token
    assert found.seconds <= 1.05 * (alone + prefill)


@QUICK
@given(workload=workloads(most=14), count=st.integers(1, 3))
def test_the_best_schedule_is_the_same_each_time_and_names_what_it_was_compared_to(
    workload: Workload, count: int
) -> None:
    workers = [Worker(constants=SMALL)] * count
    schedule = cache_aware(workload, workers)
    assert schedule == cache_aware(workload, workers)
    assert sorted(schedule.rank) == list(range(len(workload)))
    assert set(schedule.worker) <= set(range(count))
    assert schedule.seconds is not None
    assert schedule.seconds * 0.995 <= min(seconds for _, seconds in schedule.looked_at) + 1e-9
    assert len({name for name, _ in schedule.looked_at}) == len(schedule.looked_at)


def returning(rows: int) -> Workload:
    """A long instruction comes back after as much text of its own as a small cache holds."""
    conversations = []
    for row in range(rows):
        conversations.append([("instruction", 320), (("row", row), 16), (("answer", row, 0), 4)])
        for report in (1, 2):
            conversations.append([(("report", row, report), 1000), (("answer", row, report), 4)])
    count = 3 * rows
    return Workload(
        [n // 3 for n in range(count)], [n % 3 for n in range(count)],
        [336, 1000, 1000] * rows, [4] * count, [()] * count, tree_of_segments(conversations),
        [0] * count,
    )  # fmt: skip


def test_a_prefix_that_is_kept_is_found_by_forecast_and_simulation() -> None:
    workload = returning(8)
    constants = replace(SMALL, kv_cache_tokens=1600, max_num_seqs=1)
    workers = [Worker(constants=constants)]
    plain = Schedule("", range(24), [0] * 24)
    node = workload.tree.path(0)[0]
    pinned = replace(plain, pins=(Pin(node, 0, 320, tuple(range(0, 24, 3))),))
    assert foretold(workload, workers, plain).hit_tokens == 0
    assert simulate(workload, workers, plain).hit_tokens == 0
    # The first call of the instruction computes it.
    assert foretold(workload, workers, pinned).hit_tokens == 7 * 320
    outcome = simulate(workload, workers, pinned)
    assert outcome.hit_tokens == 7 * 320
    assert outcome.seconds < simulate(workload, workers, plain).seconds
    worthy = worthwhile(workload, workers, plain, [workload.tree.path(n) for n in range(24)])
    assert worthy == pinned.pins
    assert foretold(workload, workers, pinned).seconds == pytest.approx(outcome.seconds, rel=0.2)


def test_calls_that_may_run_anywhere_are_spread() -> None:
    workload, workers = map_reduce(4, 2), [Worker(constants=SMALL)] * 3
    outcome = simulate(workload, workers, Schedule("", range(12), [ANY] * 12))
    first = [worker for worker, done in outcome.completions if done.submitted == 0]
    assert sorted(first) == [0, 0, 0, 1, 1, 1, 2, 2]


def test_calls_that_may_run_anywhere_stay_on_their_engine() -> None:
    workload = replace(map_reduce(4, 2), engine=[1] * 12)
    slow = replace(SMALL, step_seconds=1.0)
    workers = [Worker(0, SMALL), Worker(1, slow)]
    found = foretold(workload, workers, Schedule("", range(12), [ANY] * 12))
    assert found.seconds > 40
