"""The queue of ready calls: stages, what idle workers take over, calls that may run anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from random_workloads import workloads
from test_policies import NAMES, planned

from heliumql.cost.event_model import Constants
from heliumql.scheduling.policies.cache_aware import cache_aware
from heliumql.scheduling.prefix_tree import tree_of_segments
from heliumql.scheduling.queue import ReadyQueue
from heliumql.scheduling.schedule import ANY, Schedule
from heliumql.scheduling.workload import Worker, Workload

FOUR = Constants(max_num_seqs=4, kv_cache_tokens=6400)  # room for five calls


def calls_of(texts: Sequence[str], engines: Sequence[int] | None = None) -> Workload:
    count = len(texts)
    segments = [[(text, 64), (f"row {n}", 16)] for n, text in enumerate(texts)]
    return Workload(
        range(count), [0] * count, [80] * count, [8] * count, [()] * count,
        tree_of_segments(segments), engines or [0] * count,
    )  # fmt: skip


def queue_of(
    schedule: Schedule, count: int = 1, texts: Sequence[str] = (), ready: Sequence[int] = ()
) -> ReadyQueue:
    workload = calls_of(texts or ["x"] * len(schedule.rank))
    queue = ReadyQueue(workload, [Worker(constants=FOUR)] * count, schedule)
    for call in ready or range(len(schedule.rank)):
        queue.add(call)
    return queue


def all_taken(queue: ReadyQueue, worker: int = 0) -> list[int]:
    taken = []
    while (call := queue.take(worker)) is not None:
        taken.append(call)
    return taken


def test_the_smallest_rank_goes_first_and_what_is_not_ready_is_overtaken() -> None:
    queue = queue_of(Schedule("", [2, 0, 1], [0] * 3), ready=[0, 2])
    assert len(queue) == 2
    assert all_taken(queue) == [2, 0]
    queue.add(1)
    assert all_taken(queue) == [1]
    assert len(queue) == 0


def test_a_stage_begins_when_all_calls_before_it_are_over() -> None:
    queue = queue_of(Schedule("", [0, 1, 2, 3, 4], [ANY] * 5, stage=[7, 3, 3, 7, 9]), 2)
    assert all_taken(queue) == [1, 2]
    assert all_taken(queue, 1) == []
    queue.done(1)
    assert queue.take(1) is None
    queue.done(2)
    assert [queue.take(1), queue.take(0)] == [0, 3]
    queue.drop(4)
    queue.done(0)
    queue.done(3)
    assert queue.take(0) is None


def test_calls_that_nobody_needs_any_more_do_not_hold_a_stage_up() -> None:
    queue = queue_of(Schedule("", [0, 1, 2], [0] * 3, stage=[0, 1, 2]), ready=[2])
    queue.drop(0)
    queue.drop(1)
    assert all_taken(queue) == [2]


def test_a_stage_of_calls_that_are_all_dropped_while_they_wait_is_skipped() -> None:
    queue = queue_of(Schedule("", [0, 1, 2], [0] * 3, stage=[0, 1, 2]))
    queue.drop(1)
    assert all_taken(queue) == [0]
    queue.done(0)
    assert all_taken(queue) == [2]


def test_a_dropped_call_is_not_taken() -> None:
    queue = queue_of(Schedule("", [0, 1, 2], [0, ANY, 0]))
    queue.drop(0)
    queue.drop(1)
    assert all_taken(queue) == [2]


def test_calls_for_any_worker_go_by_rank_among_the_workers_own() -> None:
    queue = queue_of(Schedule("", [0, 1, 2, 3], [1, ANY, 0, ANY]), 2)
    assert all_taken(queue) == [1, 2, 3]
    assert all_taken(queue, 1) == [0]
    assert queue.worker == [1, 0, 0, 0]


def test_calls_for_any_worker_stay_on_their_engine() -> None:
    workload = calls_of(["x"] * 4, [0, 1, 0, 1])
    queue = ReadyQueue(workload, [Worker(0), Worker(1)], Schedule("", range(4), [ANY] * 4))
    for call in range(4):
        queue.add(call)
    assert all_taken(queue, 1) == [1, 3]
    assert all_taken(queue, 0) == [0, 2]


def test_at_most_so_many_calls_are_in_flight_as_the_schedule_says() -> None:
    queue = queue_of(Schedule("", [0, 1, 2, 3], [0, 0, 0, 1], at_once=2), 2)
    assert all_taken(queue) == [0, 1]
    assert all_taken(queue, 1) == [3]
    queue.done(0)
    assert all_taken(queue) == [2]


def test_an_idle_worker_takes_the_last_group_that_has_not_begun_as_a_whole() -> None:
    group = [0] * 6 + [1] * 3 + [2] * 3
    queue = queue_of(Schedule("", range(12), [0] * 12, group=group), 2, ready=range(11))
    assert queue.take(0) == 0
    assert queue.take(1) == 9
    assert queue.worker[9:] == [1, 1, 1], "calls of the group that are not ready come along"
    assert queue.take(1) == 10
    queue.add(11)
    assert queue.take(1) == 11
    assert queue.take(1) == 6
    assert queue.worker == [0] * 6 + [1] * 6


def test_an_idle_worker_takes_half_of_a_group_that_is_being_computed() -> None:
    queue = queue_of(Schedule("", range(12), [0] * 12, group=[0] * 12), 2)
    assert [queue.take(0) for _ in range(4)] == [0, 1, 2, 3]
    assert queue.take(1) == 8
    assert queue.worker == [0] * 8 + [1] * 4
    assert all_taken(queue, 0)[:4] == [4, 5, 6, 7]


def test_calls_in_flight_take_room_from_those_that_wait() -> None:
    queue = queue_of(Schedule("", range(9), [0] * 9, group=[0] * 9), 2)
    assert [queue.take(0) for _ in range(5)] == [0, 1, 2, 3, 4]
    assert queue.take(1) == 7  # half of the four that wait, for which there is no room
    assert queue.worker == [0] * 7 + [1] * 2


def test_half_is_taken_of_a_group_that_is_all_its_worker_has() -> None:
    queue = queue_of(Schedule("", range(12), [0] * 12, group=[0] * 12), 2)
    assert queue.take(1) == 6
    assert queue.worker == [0] * 6 + [1] * 6


def test_an_idle_worker_takes_over_from_the_one_that_has_most_to_do() -> None:
    group = [0] * 4 + [1] * 4 + [2] * 6 + [3] * 6
    queue = queue_of(Schedule("", range(20), [0] * 8 + [1] * 12, group=group), 3)
    assert queue.take(2) == 14
    assert queue.worker == [0] * 8 + [1] * 6 + [2] * 6


def test_nothing_is_taken_over_from_a_worker_with_room_for_its_calls() -> None:
    # five have room; the other worker would compute the prefix again for nothing
    queue = queue_of(Schedule("", range(5), [0] * 5, group=[0, 0, 0, 1, 1]), 2)
    assert queue.take(1) is None
    assert [queue.take(0), queue.take(0)] == [0, 1]
    assert queue.take(1) is None


def test_nothing_is_taken_over_without_groups_or_from_another_engine() -> None:
    queue = queue_of(Schedule("", range(12), [0] * 12), 2)
    assert queue.take(1) is None
    workload = calls_of(["x"] * 12)
    schedule = Schedule("", range(12), [0] * 12, group=[0] * 6 + [1] * 6)
    other = ReadyQueue(workload, [Worker(0, FOUR), Worker(1, FOUR)], schedule)
    for call in range(12):
        other.add(call)
    assert other.take(1) is None
    assert other.take(0) == 0


def test_the_longest_prefix_in_the_cache_goes_first() -> None:
    texts = ["a", "b", "a", "b", "c", "a"]
    schedule = Schedule("", range(6), [ANY] * 6, choice="longest_prefix")
    assert all_taken(queue_of(schedule, texts=texts)) == [0, 2, 5, 1, 3, 4]


def test_what_the_cache_has_dropped_is_no_reason_to_go_first() -> None:
    texts = ["a", "b", "c", "d", "a"]
    schedule = Schedule("", range(5), [ANY] * 5, choice="longest_prefix")
    for tokens, order in ((160, [3, 4]), (240, [4, 3])):  # of two texts and their rows, of three
        worker = Worker(constants=Constants(kv_cache_tokens=tokens))
        queue = ReadyQueue(calls_of(texts), [worker], schedule)
        for call in (0, 1, 2):
            queue.add(call)
            assert queue.take(0) == call
        queue.add(3)
        queue.add(4)
        assert all_taken(queue) == order


def test_calls_dropped_from_a_strict_schedule_are_not_waited_for() -> None:
    queue = queue_of(Schedule("", [0, 1, 2, 3], [0] * 4, strict=True), ready=[1, 3])
    assert queue.take(0) is None
    queue.drop(0)
    assert queue.take(0) == 1
    assert queue.take(0) is None
    queue.drop(2)
    assert queue.take(0) == 3


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(
    workload=workloads(most=14, engines=2),
    name=st.sampled_from([*NAMES, "cache_aware"]),
    count=st.integers(1, 2),
    dropped=st.integers(0, 3),
    seed=st.integers(0, 1000),
)
def test_whatever_comes_in_between_every_call_is_taken_once_or_dropped(
    workload: Workload, name: str, count: int, dropped: int, seed: int
) -> None:
    random = Random(seed)
    workers = [Worker(engine, FOUR) for engine in (0, 1) for _ in range(count)]
    known = {"cache_aware": cache_aware}
    schedule = known[name](workload, workers) if name in known else planned(name, workload, workers)
    queue = ReadyQueue(workload, workers, schedule)
    missing = [set(needs) for needs in workload.needs]
    left, flying, over = set(range(len(workload))), dict[int, int](), set[int]()
    gone = set(random.sample(range(len(workload)), min(dropped, len(workload))))

    def settle(call: int) -> None:
        over.add(call)
        for dependent in dict.fromkeys(workload.dependents[call]):
            missing[dependent].discard(call)
            if not missing[dependent] and dependent in left:
                queue.add(dependent)

    for call in range(len(workload)):
        if not missing[call]:
            queue.add(call)
    while left or flying:
        gone_now = next((c for c in sorted(gone & left) if random.random() < 0.3), None)
        if gone_now is not None:
            left.discard(gone_now)
            queue.drop(gone_now)
            settle(gone_now)
            continue
        taken = 0
        for number in random.sample(range(len(workers)), len(workers)):
            while len([w for w in flying.values() if w == number]) < workers[number].room:
                call = queue.take(number)
                if call is None:
                    break
                assert workers[number].engine == workload.engine[call]
                assert call in left
                assert missing[call] == set()
                left.discard(call)
                flying[call] = number
                taken += 1
        if flying:
            call = random.choice(sorted(flying))
            del flying[call]
            queue.done(call)
            settle(call)
        else:
            assert taken or gone & left, f"{sorted(left)} are left, and nothing goes on"
    assert over == set(range(len(workload)))


@settings(max_examples=150, derandomize=True, deadline=None, database=None)
@given(
    texts=st.lists(st.text("ab", max_size=5), min_size=1, max_size=14),
    room=st.integers(40, 400),
    seed=st.integers(0, 1000),
)
def test_the_longest_prefix_is_what_a_look_at_all_ready_calls_finds(
    texts: list[str], room: int, seed: int
) -> None:
    random = Random(seed)
    segments = [[*((c, 16) for c in text), (f"row {n}", 8)] for n, text in enumerate(texts)]
    tree = tree_of_segments(segments)
    count = len(texts)
    lengths = [16 * len(text) + 8 for text in texts]
    workload = Workload(
        range(count), [0] * count, lengths, [8] * count, [()] * count, tree, [0] * count
    )
    rank = random.sample(range(count), count)
    schedule = Schedule("", rank, [ANY] * count, choice="longest_prefix")
    workers = [Worker(constants=Constants(kv_cache_tokens=room))] * 2
    queue = ReadyQueue(workload, workers, schedule)
    held: list[list[int]] = [[], []]  # nodes, the longest unused first
    later = random.sample(range(count), count)
    waiting: set[int] = set()
    while later or waiting:
        if later and random.random() < 0.4:
            waiting.add(later[-1])
            queue.add(later.pop())
            continue
        number = random.randrange(2)

        def found(call: int, own: list[int] = held[number]) -> int:
            return max((tree.end[n] for n in tree.path(call) if n in own), default=0)

        best = min(waiting, key=lambda c: (-found(c), rank[c]), default=None)
        assert queue.take(number) == best
        if best is None:
            continue
        waiting.discard(best)
        path = tree.path(best)
        own = held[number]
        own[:] = [n for n in own if n not in path] + path[::-1]
        while len(own) > 1 and sum(tree.end[n] - tree.end[tree.parent[n]] for n in own) > room:
            own.pop(0)
