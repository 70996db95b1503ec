"""The choice between kinds of orders on several workers."""

from __future__ import annotations

from dataclasses import replace

from test_policies import SMALL, map_reduce

from heliumql.scheduling.policies.cache_aware import cache_aware
from heliumql.scheduling.policies.helium import helium
from heliumql.scheduling.simulation import simulate
from heliumql.scheduling.workload import Worker


def test_one_order_of_each_kind_is_simulated_and_the_best_is_as_good_as_heliums():
    workload = map_reduce(12, 5)
    constants = replace(SMALL, kv_cache_tokens=16 * 2000, max_num_seqs=8)
    workers = [Worker(constants=constants)] * 3
    schedule = cache_aware(workload, workers)
    kinds = [name.rpartition(";")[2] for name, _ in schedule.looked_at]
    assert len(kinds) == 3
    assert len(set(kinds)) == 3
    mine = simulate(workload, workers, schedule)
    theirs = simulate(workload, workers, helium(workload, workers))
    assert mine.seconds <= theirs.seconds * 1.005
    assert schedule.seconds == mine.seconds
