"""Orders are compared with answers of several lengths."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from test_forecast import foretold
from test_policies import SMALL, Calls, debate, map_reduce, planned

from heliumql.cost.event_model import Constants
from heliumql.scheduling.groups import prefix_groups
from heliumql.scheduling.lengths import draws
from heliumql.scheduling.orders import Order, ranks, units_of
from heliumql.scheduling.policies.cache_aware import cache_aware
from heliumql.scheduling.schedule import Schedule
from heliumql.scheduling.simulation import simulate
from heliumql.scheduling.workload import Worker, Workload


def test_lengths_are_about_the_expected_ones_and_four_times_as_long_and_differ():
    workload = debate(20)
    same, longer = draws(workload)
    for drawn, factor in ((same, 1), (longer, 4)):
        pairs = list(zip(drawn.output, workload.output, strict=True))
        assert sum(drawn.output) == pytest.approx(factor * sum(workload.output), rel=0.01)
        assert all(abs(a - factor * b) <= 0.1 * factor * b + 0.5 for a, b in pairs)
        assert min(a / b for a, b in pairs) < 0.95 * factor
        assert max(a / b for a, b in pairs) > 1.05 * factor
        assert drawn.needs == workload.needs
    assert [one.output for one in draws(workload)] == [same.output, longer.output]


def test_lengths_that_runs_have_shown_are_uneven_only():
    workload = debate(20)
    half = replace(workload, known=[call % 2 == 0 for call in range(len(workload))])
    _, plain = draws(workload)
    _, longer = draws(half)
    assert list(longer.output[1::2]) == list(plain.output[1::2])
    for a, b in zip(longer.output[::2], workload.output[::2], strict=True):
        assert abs(a - b) <= 0.1 * b + 0.5


def test_prompts_are_longer_by_the_answers_that_stand_in_them():
    calls = Calls()
    first = calls.ask(0, 0, [("question", 30)], 20)
    other = calls.ask(0, 1, [("other", 30)], 40)
    second = calls.ask(0, 2, [other], 20, history=first)
    third = calls.ask(0, 3, [("more", 10)], 20, history=second)
    reader = calls.ask(0, 4, [("read", 10), second], 20)  # the answer alone, not what led to it
    workload = calls.workload()
    for drawn in draws(workload):
        more = [a - b for a, b in zip(drawn.output, workload.output, strict=True)]
        prompts = [a - b for a, b in zip(drawn.prompt, workload.prompt, strict=True)]
        assert prompts[first] == prompts[other] == 0
        assert prompts[second] == more[first] + more[other]
        assert prompts[third] == prompts[second] + more[second]
        assert prompts[reader] == more[second]


def test_a_large_workload_is_compared_as_it_is():
    workload = debate(400)
    assert draws(workload) == [workload]


@pytest.mark.parametrize("factor", [0.25, 4])
def test_the_forecast_keeps_account_of_the_cache_where_answers_have_other_lengths(factor: float):
    """The tree has the answers as they are expected; here all of them need the room of others."""
    workload = map_reduce(20, 4)
    other = replace(workload, output=[round(factor * tokens) for tokens in workload.output])
    workers = [Worker(constants=replace(SMALL, kv_cache_tokens=16 * 60))]
    schedule = planned("helium", other, workers)
    found = foretold(other, workers, schedule).seconds
    assert found == pytest.approx(simulate(other, workers, schedule).seconds, rel=0.1)


def two_rounds(queries: int) -> Workload:
    """Three agents answer, and then each goes on from its own answer having read the others'."""
    calls = Calls()
    for query in range(queries):
        texts = [(("agent", agent), 16) for agent in range(3)], (("question", query), 48)
        first = [calls.ask(query, 0, [agent, texts[1]], 40) for agent in texts[0]]
        for own in first:
            calls.ask(query, 1, [n for n in first if n != own], 40, history=own)
    return calls.workload()


def test_no_batch_is_left_half_empty_at_the_end_by_an_order_that_looks_as_good_in_step():
    workload = two_rounds(16)
    constants = Constants(kv_cache_tokens=8416, max_num_seqs=8, max_waiting=12, answer_seconds=0.02)
    workers = [Worker(constants=constants)]
    schedule = cache_aware(workload, workers)
    groups = prefix_groups(workload, constants.block_size)
    units = units_of(workload, groups, "query")
    one_by_one = Schedule("", ranks(workload, groups, Order("query", 1), units), [0] * 96)

    def seconds(chosen: Schedule) -> list[float]:
        """In step, and with answers of any length within a tenth."""
        result = [simulate(workload, workers, chosen).seconds]
        for seed in range(9):
            draw = random.Random(seed)
            output = [round(draw.uniform(36, 44)) for _ in workload.output]
            result.append(simulate(replace(workload, output=output), workers, chosen).seconds)
        return result

    mine, other = seconds(schedule), seconds(one_by_one)
    assert mine[0] == pytest.approx(other[0], rel=0.01)
    assert sum(mine[1:]) < 0.98 * sum(other[1:])
