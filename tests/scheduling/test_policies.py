"""The policies of other systems on workloads small enough to follow by hand."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from importlib import import_module

import pytest

from heliumql.cost.event_model import Constants
from heliumql.scheduling.policies.fcfs import fcfs
from heliumql.scheduling.policies.helium import helium
from heliumql.scheduling.policies.lspf import lspf
from heliumql.scheduling.policies.op_wise import op_wise
from heliumql.scheduling.policies.parrot import parrot
from heliumql.scheduling.policies.query_wise import query_wise
from heliumql.scheduling.policies.random import random
from heliumql.scheduling.prefix_tree import tree_of_segments
from heliumql.scheduling.schedule import ANY, Schedule
from heliumql.scheduling.simulation import Outcome, simulate
from heliumql.scheduling.workload import Worker, Workload

NAMES = ("fcfs", "query_wise", "op_wise", "random", "lspf", "helium", "parrot", "kvflow")
SMALL = Constants(
    block_size=16, kv_cache_tokens=16 * 400, max_num_seqs=4, max_num_batched_tokens=512,
    step_seconds=0.01, prefill_seconds_per_token=0.0001, decode_seconds_per_sequence=0.0001,
)  # fmt: skip


class Calls:
    """Puts a workload together: texts as (name, tokens), answers as numbers of calls."""

    def __init__(self) -> None:
        self.query: list[int] = []
        self.operator: list[int] = []
        self.prompt: list[int] = []
        self.output: list[int] = []
        self.needs: list[list[int]] = []
        self.segments: list[list[tuple[Hashable, int]]] = []

    def ask(
        self,
        query: int,
        operator: int,
        parts: Sequence[tuple[Hashable, int] | int],
        output: int = 20,
        history: int | None = None,
    ) -> int:
        call = len(self.query)
        segments = [] if history is None else list(self.segments[history])
        needs = [] if history is None else [history]
        for part in parts:
            if isinstance(part, int):
                segments.append((("answer", part), self.output[part]))
                needs.append(part)
            else:
                segments.append(part)
        self.query.append(query)
        self.operator.append(operator)
        self.prompt.append(sum(tokens for _, tokens in segments))
        self.output.append(output)
        self.needs.append(needs)
        self.segments.append([*segments, (("answer", call), output)])
        return call

    def workload(self) -> Workload:
        tree = tree_of_segments(self.segments)
        engines = [0] * len(self.query)
        return Workload(
            self.query, self.operator, self.prompt, self.output, self.needs, tree, engines
        )


def map_reduce(queries: int, experts: int, role_first: bool = False) -> Workload:
    """A document a query; experts read it, one more call merges what they say."""
    calls = Calls()
    for query in range(queries):
        document = (("document", query), 160)
        answers = []
        for expert in range(experts):
            role = (("role", expert), 48)
            parts = (role, document) if role_first else (("system", 32), document, role)
            answers.append(calls.ask(query, expert, parts))
        calls.ask(query, experts, [("merge", 32), *answers])
    return calls.workload()


def debate(queries: int) -> Workload:
    """Two agents answer, then each goes on in its conversation with what the other said."""
    calls = Calls()
    for query in range(queries):
        question = (("question", query), 64)
        first = [calls.ask(query, a, [(("agent", a), 32), question], 17 + a) for a in range(2)]
        for agent in range(2):
            calls.ask(query, 2 + agent, [first[1 - agent], ("go on", 16)], 30, first[agent])
    return calls.workload()


def workers(count: int, constants: Constants = SMALL) -> list[Worker]:
    return [Worker(constants=constants) for _ in range(count)]


def planned(name: str, workload: Workload, on: Sequence[Worker]) -> Schedule:
    module = import_module(f"heliumql.scheduling.policies.{name}")
    schedule = getattr(module, name)(workload, on)
    assert isinstance(schedule, Schedule)
    return schedule


def in_order(schedule: Schedule) -> list[int]:
    return sorted(range(len(schedule.rank)), key=lambda c: schedule.rank[c])


def barriers_hold(outcome: Outcome, stage: Sequence[int]) -> bool:
    """No call was submitted before all calls of earlier stages were done."""
    done = {s: max(c.finished for _, c in outcome.completions if stage[c.call] == s) for s in stage}
    return all(
        c.submitted >= done[s] - 1e-9
        for _, c in outcome.completions
        for s in done
        if s < stage[c.call]
    )


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize(
    "workload",
    [map_reduce(5, 3), debate(7), map_reduce(1, 2), map_reduce(0, 0)],
    ids=["map_reduce", "debate", "one query", "none"],
)
@pytest.mark.parametrize("name", NAMES)
def test_every_call_has_a_place_and_runs_once_after_what_it_needs(
    name: str, workload: Workload, count: int
):
    on = workers(count)
    schedule = planned(name, workload, on)
    assert schedule.policy == name
    assert sorted(schedule.rank) == list(range(len(workload)))
    assert all(w == ANY or 0 <= w < count for w in schedule.worker)
    outcome = simulate(workload, on, schedule)
    done = {c.call: c for _, c in outcome.completions}
    assert len(outcome.completions) == len(done) == len(workload)
    for call, needs in enumerate(workload.needs):
        assert all(done[n].finished <= done[call].submitted + 1e-9 for n in needs)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_calls_get_the_same_schedule(name: str):
    first = planned(name, map_reduce(6, 3), workers(2))
    again = planned(name, map_reduce(6, 3), workers(2))
    for column in ("rank", "worker", "stage", "choice"):
        assert list(getattr(first, column)) == list(getattr(again, column))


def test_fcfs_and_query_wise_keep_the_order_of_the_rows_and_random_does_not():
    workload = map_reduce(4, 3)
    asked = list(range(len(workload)))
    assert in_order(fcfs(workload, workers(1))) == asked
    assert in_order(query_wise(workload, workers(1))) == asked
    assert in_order(random(workload, workers(1))) != asked


@pytest.mark.parametrize("workload", [map_reduce(5, 3), debate(7)], ids=["map_reduce", "debate"])
def test_barriers_hold_in_the_policies_that_have_them_only(workload: Workload):
    on = workers(2)
    by_query = simulate(workload, on, query_wise(workload, on))
    assert barriers_hold(by_query, workload.query)
    assert not barriers_hold(by_query, workload.operator)
    by_operator = simulate(workload, on, op_wise(workload, on))
    assert barriers_hold(by_operator, workload.operator)
    assert not barriers_hold(by_operator, workload.query)
    free = simulate(workload, on, fcfs(workload, on))
    assert not barriers_hold(free, workload.query)
    assert not barriers_hold(free, workload.operator)


def test_one_query_at_a_time_is_slower_than_all_of_them():
    workload, on = map_reduce(5, 3), workers(2)
    alone = simulate(workload, on, query_wise(workload, on)).seconds
    assert alone > 1.5 * simulate(workload, on, fcfs(workload, on)).seconds


def test_lspf_stays_with_a_prefix_that_the_cache_holds():
    calls = Calls()
    for row in range(12):
        document = (("document", row % 3), 320)
        calls.ask(row, 0, [document, (("question", row), 16)], 4)
    workload = calls.workload()
    # room for one document and what is asked about it
    tight = Constants(
        block_size=16, kv_cache_tokens=480, max_num_seqs=1, max_num_batched_tokens=512
    )
    on = workers(1, tight)
    hits = simulate(workload, on, fcfs(workload, on)).hit_tokens
    longest = simulate(workload, on, lspf(workload, on)).hit_tokens
    assert hits == 0
    assert longest >= 6 * 320  # of nine at best: two calls are at the engine at any time


def test_helium_runs_row_by_row_where_operators_share_a_row():
    workload = map_reduce(3, 2)
    # calls 0 1 2 are the first row: two experts, merged
    assert in_order(helium(workload, workers(1))) == [0, 1, 3, 4, 6, 7, 2, 5, 8]


def test_helium_runs_operator_by_operator_where_rows_share_static_text():
    workload = map_reduce(3, 2, role_first=True)
    assert in_order(helium(workload, workers(1))) == [0, 3, 6, 1, 4, 7, 2, 5, 8]


def test_helium_starts_the_longest_chain_first_and_fills_its_delay():
    calls = Calls()
    lone = calls.ask(0, 0, [("aside", 32), (("text", 0), 64)])
    chain = calls.ask(0, 1, [("draft", 32), (("text", 0), 64)])
    after = calls.ask(0, 2, [("revise", 32), chain])
    last = calls.ask(0, 3, [("translate", 32), after])
    schedule = helium(calls.workload(), workers(1))
    assert in_order(schedule) == [chain, lone, after, last]


def test_helium_comes_back_to_a_subtree_when_a_delay_has_passed():
    calls = Calls()
    # The long answer of the first one delays the fourth; the third gives the second the time.
    slow = calls.ask(0, 0, [("a", 64)], 500)
    quick = calls.ask(0, 1, [("b", 64)], 2)
    behind_quick = calls.ask(0, 2, [("b", 64), quick, ("more", 16)], 20)
    behind_slow = calls.ask(0, 3, [("a", 64), slow, ("more", 16)], 20)
    tiny = Constants(block_size=16, kv_cache_tokens=640, max_num_seqs=4)
    schedule = helium(calls.workload(), workers(1, tiny))
    assert in_order(schedule) == [slow, quick, behind_quick, behind_slow]


def test_helium_gives_each_worker_an_equal_range_of_the_queries():
    workload = map_reduce(5, 2)
    schedule = helium(workload, workers(2))
    assert [schedule.worker[3 * q] for q in range(5)] == [0, 0, 0, 1, 1]
    for call, query in enumerate(workload.query):
        assert schedule.worker[call] == schedule.worker[3 * query]


def test_helium_hits_as_much_as_rows_in_order_and_more_than_a_random_order():
    workload = map_reduce(40, 6)  # 40 documents do not fit
    on = workers(1)
    hits = simulate(workload, on, helium(workload, on)).hit_tokens
    assert hits >= simulate(workload, on, fcfs(workload, on)).hit_tokens
    assert hits > simulate(workload, on, random(workload, on)).hit_tokens


def test_helium_says_which_engine_has_no_worker():
    with pytest.raises(ValueError, match="no worker for engine 0"):
        helium(map_reduce(1, 1), [Worker(engine=1)])


def one_call_each(segments: Sequence[str], tokens: int = 64) -> Workload:
    calls = Calls()
    for row, name in enumerate(segments):
        calls.ask(row, 0, [(name, 32), (("text", row), tokens - 32)], 16)
    return calls.workload()


def test_parrot_packs_a_worker_until_its_tokens_are_full():
    # each group of two has 160 tokens; a worker of 320 holds two groups
    workload = one_call_each(["a", "b", "a", "b", "c", "c"])
    small = Constants(block_size=16, kv_cache_tokens=320)
    assert parrot(workload, workers(2, small)).worker == [0, 0, 0, 0, 1, 1]


def test_parrot_goes_back_to_the_worker_that_has_the_segment():
    calls = Calls()
    first = calls.ask(0, 0, [("a", 32), (("text", 0), 256)], 16)
    calls.ask(1, 0, [("b", 32), (("text", 1), 256)], 16)
    # Both are done when this is ready; the second worker has the segment.
    last = calls.ask(1, 1, [("b", 32), first, 1], 16)
    small = Constants(block_size=16, kv_cache_tokens=320)
    schedule = parrot(calls.workload(), workers(2, small))
    assert [schedule.worker[c] for c in (0, 1, last)] == [0, 1, 1]


def test_parrot_takes_deeper_calls_first():
    workload = map_reduce(3, 2)
    # the merging calls 2, 5, 8 before the experts that are ready at the same time
    assert in_order(parrot(workload, workers(1))) == [2, 5, 8, 0, 1, 3, 4, 6, 7]


def test_parrot_says_that_a_call_fits_no_worker():
    with pytest.raises(ValueError, match="more tokens than any worker"):
        parrot(one_call_each(["a"], 640), workers(2, Constants(block_size=16, kv_cache_tokens=320)))
