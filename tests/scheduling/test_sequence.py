"""Schedules as orders of one worker in the token-step model."""

from __future__ import annotations

import pytest

from heliumql.cost.event_model import Constants
from heliumql.scheduling.prefix_tree import tree_of_segments
from heliumql.scheduling.schedule import Schedule
from heliumql.scheduling.token_steps import (
    sequence,
    sequence_cost,
    sequence_makespan,
    token_steps,
)
from heliumql.scheduling.workload import Worker, Workload

# Two rows of two calls; the second call of a row reads the answer of the first.
FIRST, SECOND, THEN_FIRST, THEN_SECOND = range(4)
WORKLOAD = Workload(
    query=[0, 1, 0, 1],
    operator=[0, 0, 1, 1],
    prompt=[100, 100, 60, 60],
    output=[10, 10, 10, 10],
    needs=[[], [], [FIRST], [SECOND]],
    tree=tree_of_segments(
        [
            [("system", 80), ("row 0", 20), ("answer 0", 10)],
            [("system", 80), ("row 1", 20), ("answer 1", 10)],
            [("then", 50), ("answer 0", 10), ("answer 2", 10)],
            [("then", 50), ("answer 1", 10), ("answer 3", 10)],
        ]
    ),
    engine=[0, 0, 0, 0],
)
WORKER = Worker(constants=Constants(kv_cache_tokens=1000))


def schedule(rank: list[int], stage: list[int] | None = None, at_once: int = 0) -> Schedule:
    return Schedule("test", rank, [0, 0, 0, 0], stage=stage or [], at_once=at_once)


def test_calls_become_columns():
    calls = token_steps(WORKLOAD)
    assert calls.prefill_usage(FIRST, SECOND) == 20
    assert calls.prefill_usage(THEN_FIRST, THEN_SECOND) == 10
    assert calls.prefill_usage(SECOND, THEN_FIRST) == 60


def test_the_makespan_of_a_sequence():
    first = (10 * 100 + 55) / 1000
    second = first + (10 * 20 + 55) / 1000
    then_first = first + 10 + (10 * 60 + 55) / 1000
    then_second = max(then_first, second + 10) + (10 * 10 + 55) / 1000
    order = [FIRST, SECOND, THEN_FIRST, THEN_SECOND]
    assert sequence_makespan(WORKLOAD, order, 1000) == pytest.approx(then_second)
    assert sequence_cost(WORKLOAD, 1000)(order) == pytest.approx(then_second)
    with pytest.raises(ValueError, match="wait for calls"):
        sequence_makespan(WORKLOAD, order[::-1])


@pytest.mark.parametrize(
    ("given", "order"),
    [
        (schedule([0, 1, 2, 3]), [FIRST, SECOND, THEN_FIRST, THEN_SECOND]),
        # THEN_FIRST is next, but not ready: it is overtaken.
        (schedule([0, 2, 1, 3]), [FIRST, SECOND, THEN_FIRST, THEN_SECOND]),
        (schedule([3, 2, 1, 0]), [SECOND, FIRST, THEN_SECOND, THEN_FIRST]),
        # A row after the other.
        (schedule([0, 1, 2, 3], [0, 1, 0, 1]), [FIRST, THEN_FIRST, SECOND, THEN_SECOND]),
        (schedule([0, 2, 1, 3], at_once=1), [FIRST, THEN_FIRST, SECOND, THEN_SECOND]),
    ],
)
def test_the_worker_takes_the_next_call_that_is_ready(given, order):
    assert sequence(WORKLOAD, WORKER, given) == order


def test_a_busy_worker_looks_at_what_has_become_ready_meanwhile():
    slow = Worker(constants=Constants(kv_cache_tokens=16))  # SECOND takes 16 steps of it
    taken = sequence(WORKLOAD, slow, schedule([0, 1, 2, 3]))
    assert taken == [FIRST, SECOND, THEN_FIRST, THEN_SECOND]
    taken = sequence(WORKLOAD, slow, schedule([0, 3, 1, 2]))
    assert taken == [FIRST, SECOND, THEN_FIRST, THEN_SECOND]


def test_calls_that_wait_for_each_other_end_in_an_error():
    circle = Workload([0, 0], [0, 0], [8, 8], [1, 1], [[1], [0]], WORKLOAD.tree, [0, 0])
    with pytest.raises(ValueError, match="wait for each other"):
        sequence(circle, WORKER, Schedule("test", [0, 1], [0, 0]))
