"""The event model against cases worked out by hand and rates measured on vLLM."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliumql.cost.event_model import Completion, Constants, EventModel, prefix_keys

# Times easy to add up by hand.
PLAIN = Constants(
    block_size=32,
    kv_cache_tokens=32 * 100,
    max_num_seqs=8,
    max_num_batched_tokens=2048,
    step_seconds=1.0,
    prefill_seconds_per_token=0.01,
    decode_seconds_per_sequence=0.1,
)


def keys(name: str, blocks: int, after: list[int] | None = None) -> list[int]:
    return (after or []) + [hash((name, block)) for block in range(blocks)]


def finish(model: EventModel[Any]) -> list[Completion[Any]]:
    done = []
    while model.busy:
        done += model.step()
    return done


def hits(model: EventModel[str]) -> dict[str, int]:
    return {c.call: c.cached_tokens for c in finish(model)}


def only(model: EventModel[str], tokens: int, blocks: list[int], call: str = "only") -> int:
    """Run one call with one output token; its prefix hit."""
    model.add(call, tokens, blocks, 1, 0)
    return hits(model)[call]


def test_a_call_takes_its_prefill_and_then_a_step_per_token():
    model: EventModel[str] = EventModel(PLAIN)
    model.add("a", 100, [], 3, 0)
    (done,) = finish(model)
    # the prefill step draws the first token: 1 + 100 * 0.01; then two steps of 1 + 0.1
    assert done.finished == pytest.approx(2.0 + 2 * 1.1)
    assert (done.prompt_tokens, done.output_tokens, done.cached_tokens) == (100, 3, 0)


def test_calls_in_one_batch_share_the_steps():
    model: EventModel[str] = EventModel(PLAIN)
    model.add("a", 100, [], 2, 0)
    model.add("b", 100, [], 2, 0)
    assert [c.finished for c in finish(model)] == pytest.approx([3.0 + 1.2] * 2)


def test_no_more_calls_run_together_than_there_are_slots():
    model: EventModel[str] = EventModel(replace(PLAIN, max_num_seqs=2))
    for call in "abcd":
        model.add(call, 100, [], 1, 0)
    done = finish(model)
    assert [(c.call, c.admitted) for c in done] == [("a", 0), ("b", 0), ("c", 3), ("d", 3)]
    assert [c.finished for c in done] == pytest.approx([3, 3, 6, 6])
    assert model.steps == 2


def test_a_long_prompt_is_prefilled_in_chunks_while_others_decode():
    model: EventModel[str] = EventModel(replace(PLAIN, max_num_batched_tokens=64, max_num_seqs=2))
    model.add("short", 10, [], 4, 0)
    model.add("long", 150, [], 1, 0)
    done = {c.call: c for c in finish(model)}
    # step 1: 10 + 54 prompt tokens; 2: 1 decode + 63; 3: 1 decode + 33, the last of `long`
    assert done["long"].finished == pytest.approx(1.64 + 1.1 + 0.63 + 1.1 + 0.33)
    assert done["short"].finished == pytest.approx(done["long"].finished + 1.1)
    assert model.prefill_tokens == 160
    assert model.steps == 4


@pytest.mark.parametrize(("tokens", "hit"), [(31, 0), (32, 0), (33, 32), (320, 288), (321, 320)])
def test_a_repeated_prompt_hits_whole_blocks_but_never_its_last_token(tokens: int, hit: int):
    model: EventModel[str] = EventModel(PLAIN)
    blocks = keys("p", tokens // 32)
    assert only(model, tokens, blocks) == 0
    assert only(model, tokens, blocks) == hit


def test_a_hit_ends_at_the_first_block_that_differs():
    model: EventModel[str] = EventModel(PLAIN)
    only(model, 400, keys("a", 4) + keys("b", 8))
    assert only(model, 400, keys("a", 4) + keys("c", 4) + keys("b", 8)[4:]) == 4 * 32


def test_calls_of_one_step_share_a_new_prefix():
    model: EventModel[str] = EventModel(PLAIN)
    for i in range(6):
        model.add(str(i), 330, keys("p", 10), 4, 0)
    assert list(hits(model).values()) == [0, 320, 320, 320, 320, 320]
    assert model.prefill_tokens == 330 + 5 * 10


def test_generated_tokens_are_found_again_by_a_continued_conversation():
    model: EventModel[str] = EventModel(PLAIN)
    conversation = keys("p", 12)
    model.add("first", 320, conversation, 70, 0)
    assert hits(model) == {"first": 0}
    assert only(model, 420, keys("turn", 1, conversation)) == 12 * 32


@pytest.mark.parametrize(
    ("evicted", "left_of_a", "left_of_b"), [(0, 10, 10), (3, 10, 7), (10, 10, 0), (14, 6, 0)]
)
@pytest.mark.parametrize("probe", ["a", "b"])
def test_the_least_recently_used_blocks_go_first_and_the_tail_of_a_prompt_before_its_head(
    evicted: int, left_of_a: int, left_of_b: int, probe: str
):
    model: EventModel[str] = EventModel(replace(PLAIN, kv_cache_tokens=32 * 30))
    for name in "aba":
        only(model, 321, keys(name, 10))
    # 20 blocks hold a and b, 10 hold nothing to be found: those are taken before
    blocks = 9 + evicted
    only(model, blocks * 32 + 1, keys("new", blocks))
    assert only(model, 321, keys(probe, 10)) == 32 * (left_of_a if probe == "a" else left_of_b)


def test_blocks_in_use_are_never_evicted():
    model: EventModel[str] = EventModel(replace(PLAIN, kv_cache_tokens=32 * 24))
    model.add("long", 321, keys("p", 10), 30, 0)
    model.step()
    for i in range(5):
        model.add(f"flood{i}", 300, keys(f"flood{i}", 9), 1, 0)
    model.add("last", 321, keys("p", 10), 1, 0)
    assert hits(model)["last"] == 320


def test_urgent_calls_go_first_and_equals_in_order_of_arrival():
    model: EventModel[str] = EventModel(replace(PLAIN, max_num_seqs=2))
    priorities = [5, 3, 5, 1, 3, 0, 1, 0]
    for index, priority in enumerate(priorities):
        model.add(f"{priority}{index}", 50, [], 2, priority)
    assert [c.call for c in finish(model)] == ["05", "07", "13", "16", "31", "34", "50", "52"]


def test_an_urgent_call_waits_for_a_slot_but_not_behind_others():
    model: EventModel[str] = EventModel(replace(PLAIN, max_num_seqs=1))
    model.add("running", 50, [], 5, 9)
    model.step()
    model.add("waiting", 50, [], 5, 9)
    model.add("urgent", 50, [], 5, 0)
    assert [c.call for c in finish(model)] == ["running", "urgent", "waiting"]


def test_a_call_that_finds_no_kv_blocks_waits():
    model: EventModel[str] = EventModel(replace(PLAIN, kv_cache_tokens=32 * 10))
    model.add("a", 200, [], 20, 0)
    model.add("b", 200, [], 20, 0)
    a, b = finish(model)
    assert b.admitted == pytest.approx(a.finished)
    assert model.preemptions == 0


def test_where_the_kv_cache_runs_short_the_least_urgent_call_is_computed_again():
    model: EventModel[str] = EventModel(replace(PLAIN, kv_cache_tokens=32 * 64))
    for i in range(8):
        model.add(str(i), 200, keys(str(i), 15), 300, i)
    done = finish(model)
    assert [c.call for c in done] == list("01234567")
    assert [c.preemptions for c in done[:4]] == [0, 0, 0, 0]
    assert sum(c.preemptions for c in done) == model.preemptions > 0
    assert model.prefill_tokens > 8 * 200


def test_preemption_changes_neither_the_tokens_drawn_nor_the_order_of_events():
    tight: EventModel[str] = EventModel(replace(PLAIN, kv_cache_tokens=32 * 8, max_num_seqs=2))
    tight.add("first", 90, [], 150, 0)
    tight.add("second", 90, [], 150, 0)
    first, second = finish(tight)
    # neither waits for the other at first; the second loses its place once both have 128 tokens
    assert (first.preemptions, second.preemptions) == (0, 1)
    # it had 128 + 1 tokens; those are prefilled in the step after the first is done
    computed = 128 - 90 + 1
    assert second.finished == pytest.approx(
        first.finished + 1 + (90 + computed) * 0.01 + (150 - computed - 1) * 1.1
    )


def test_a_call_that_can_never_fit_is_refused():
    model: EventModel[str] = EventModel(PLAIN)
    with pytest.raises(ValueError, match=r"3100 prompt and 101 output tokens do not fit.* 3200"):
        model.add("a", 3100, [], 101, 0)
    model.add("a", 3100, [], 100, 0)
    with pytest.raises(ValueError, match="in flight"):
        model.add("a", 10, [], 1, 0)
    assert [c.call for c in finish(model)] == ["a"]


def test_removed_calls_never_complete_and_give_their_blocks_back():
    model: EventModel[str] = EventModel(replace(PLAIN, kv_cache_tokens=32 * 20, max_num_seqs=1))
    model.add("running", 321, keys("p", 10), 200, 0)
    model.add("waiting", 321, [], 200, 0)
    model.step()
    assert model.remove("running")
    assert model.remove("waiting")
    assert not model.remove("running")
    assert not model.busy
    model.add("all", 32 * 19, keys("p", 10), 32, 0)
    assert hits(model) == {"all": 320}


def test_time_passes_no_further_than_asked():
    model: EventModel[str] = EventModel(PLAIN)
    model.add("a", 100, [], 30, 0)
    model.step()
    assert model.now == pytest.approx(2.0)
    assert model.step(until=6.0) == []
    assert model.now == pytest.approx(2.0 + 4 * 1.1)  # the end of the step that reaches it


def test_keys_are_equal_exactly_where_prefixes_are():
    one = prefix_keys(b"abcdefgh" + b"12345678" + b"tail", 8)
    two = prefix_keys(b"abcdefgh" + b"12345679" + b"tail", 8)
    assert len(one) == len(two) == 2
    assert one[0] == two[0]
    assert one[1] != two[1]
    assert prefix_keys(b"12345678", 8)[0] != one[1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"block_size": 0},
        {"max_num_batched_tokens": 4},
        {"kv_cache_tokens": 31},
        {"step_seconds": -1.0},
        {"prefill_seconds_per_token": float("nan")},
    ],
)
def test_impossible_constants_are_refused(wrong: dict[str, float]):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        replace(PLAIN, **wrong)


def group_hit_rate(order: list[tuple[int, int]], blocks: int, by_group: bool = False) -> float:
    """16 groups of 16 calls: prefix 640, own suffix 64, 8 output tokens, 8 slots."""
    model: EventModel[tuple[int, int]] = EventModel(replace(PLAIN, kv_cache_tokens=32 * blocks))
    for group, call in order:
        blocks_of_call = keys(f"{group}", 20) + keys(f"{group} {call}", 2)
        model.add((group, call), 704, blocks_of_call, 8, group if by_group else 0)
    while model.busy:
        model.step()
    return model.hit_tokens / (704 * len(order))


def test_hit_rates_agree_with_those_measured_on_vllm():
    """vLLM 0.32: interleaved 0 %, shuffled 64.0 %, grouped and priority by group 85.2 %."""
    grouped = [(group, call) for group in range(16) for call in range(16)]
    interleaved = [(group, call) for call in range(16) for group in range(16)]
    shuffled = random.Random(0).sample(grouped, len(grouped))
    assert group_hit_rate(grouped, 300) == pytest.approx(0.852, abs=0.001)
    assert group_hit_rate(interleaved, 300) == 0.0
    assert group_hit_rate(shuffled, 300) == pytest.approx(0.640, abs=0.04)
    assert group_hit_rate(shuffled, 300, by_group=True) == pytest.approx(0.852, abs=0.001)
    assert group_hit_rate(interleaved, 16384) == pytest.approx(0.852, abs=0.001)


calls = st.lists(
    st.tuples(
        st.integers(1, 60),  # prompt tokens
        st.integers(1, 40),  # output tokens
        st.integers(0, 3),  # prefix
        st.integers(0, 2),  # priority
    ),
    min_size=1,
    max_size=12,
)


@given(calls, st.integers(25, 60), st.integers(1, 5), st.integers(5, 40))
def test_stepping_over_equal_steps_at_once_changes_nothing(
    drawn: list[tuple[int, int, int, int]], blocks: int, slots: int, budget: int
):
    constants = Constants(4, 4 * blocks, slots, budget, 1.0, 0.25, 0.125)
    completions = []
    for until in (float("inf"), 0.0):  # `until` in the past: one step at a time
        model: EventModel[int] = EventModel(constants)
        for index, (prompt, output, prefix, priority) in enumerate(drawn):
            model.add(index, prompt, keys(str(prefix), 30), output, priority)
        done = []
        while model.busy:
            done += model.step(until)
        assert sorted(c.call for c in done) == list(range(len(drawn)))
        assert model.remove(0) is False
        # all blocks are free again: the largest call there can be is admitted at once
        model.add(-1, model.capacity - 1, [], 1, 0)
        before = model.now
        assert [c.admitted for c in finish(model)] == [before]
        completions.append(done)
    assert completions[0] == completions[1]


@given(calls, st.data())
def test_removing_any_call_at_any_time_leaves_the_others_intact(
    drawn: list[tuple[int, int, int, int]], data: st.DataObject
):
    model: EventModel[int] = EventModel(Constants(4, 120, 4, 20, 1.0, 0.25, 0.125))
    for index, (prompt, output, prefix, priority) in enumerate(drawn):
        model.add(index, prompt, keys(str(prefix), 30), output, priority)
    removed = set()
    done = set()
    while model.busy:
        done |= {c.call for c in model.step()}
        victim = data.draw(st.integers(0, len(drawn) - 1))
        if data.draw(st.booleans()) and model.remove(victim):
            removed.add(victim)
    assert done | removed == set(range(len(drawn)))
    assert not done & removed
