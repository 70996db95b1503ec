"""The time between an answer and the calls that waited for it, in simulation and forecast."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_forecast import foretold
from test_policies import SMALL, Calls, debate, map_reduce

from heliumql.scheduling.schedule import Schedule
from heliumql.scheduling.simulation import simulate
from heliumql.scheduling.workload import Worker, Workload

ONE = replace(SMALL, max_num_seqs=1)
DELAY = 0.5  # longer than a call takes


def delayed(constants=ONE):
    return [Worker(constants=replace(constants, answer_seconds=DELAY))]


def in_order(workload: Workload) -> Schedule:
    return Schedule("", range(len(workload)), [0] * len(workload))


def chain_and_others(others: int) -> Workload:
    """A call, one that waits for it, and calls that wait for nothing, in this order."""
    calls = Calls()
    calls.ask(0, 0, [("a", 32)])
    calls.ask(0, 1, [("b", 32), 0])
    for n in range(others):
        calls.ask(n + 1, 0, [(f"other {n}", 32)])
    return calls.workload()


def test_a_worker_that_has_nothing_else_waits_for_the_answer_to_come_back():
    workload = chain_and_others(0)
    at_once = [Worker(constants=ONE)]
    for seconds in (
        lambda workers: simulate(workload, workers, in_order(workload)).seconds,
        lambda workers: foretold(workload, workers, in_order(workload)).seconds,
    ):
        assert seconds(delayed()) == pytest.approx(seconds(at_once) + DELAY)


def test_other_calls_take_the_place_meanwhile_and_no_time_is_lost():
    workload = chain_and_others(9)
    schedule = in_order(workload)

    def order(workers: list[Worker]) -> list[int]:
        return [c.call for _, c in simulate(workload, workers, schedule).completions]

    assert order([Worker(constants=ONE)]) == list(range(11))
    late = order(delayed())
    assert late[0] == 0
    assert late.index(1) > 2
    assert sorted(late) == list(range(11))
    lost = simulate(workload, delayed(), schedule).seconds
    assert lost == pytest.approx(simulate(workload, [Worker(constants=ONE)], schedule).seconds)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("workload", [map_reduce(20, 4), debate(20)], ids=["map_reduce", "debate"])
def test_the_forecast_follows_the_simulation(workload: Workload, count: int):
    workers = delayed(SMALL) * count
    schedule = replace(in_order(workload), worker=[q % count for q in workload.query])
    outcome = simulate(workload, workers, schedule)
    assert foretold(workload, workers, schedule).seconds == pytest.approx(outcome.seconds, rel=0.2)
    assert len(outcome.completions) == len(workload)


def test_the_delay_is_that_of_the_worker_that_has_answered():
    workload = chain_and_others(0)
    workers = [Worker(constants=ONE), *delayed()]
    for one, other, delay in ((0, 1, 0.0), (1, 0, DELAY)):
        schedule = Schedule("", [0, 1], [one, other])
        alone = foretold(workload, [Worker(constants=ONE)] * 2, schedule).seconds
        assert foretold(workload, workers, schedule).seconds == pytest.approx(alone + delay)
        alone = simulate(workload, [Worker(constants=ONE)] * 2, schedule).seconds
        assert simulate(workload, workers, schedule).seconds == pytest.approx(alone + delay)


def test_every_call_comes_after_what_it_needs_and_its_delay():
    workload = debate(12)
    finished = {
        c.call: c for _, c in simulate(workload, delayed(SMALL) * 2, in_order(workload)).completions
    }
    for call, needs in enumerate(workload.needs):
        for need in needs:
            assert finished[call].submitted >= finished[need].finished + DELAY - 1e-9
