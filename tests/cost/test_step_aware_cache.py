"""KVFlow's cache: steps of agents, who is evicted, and blocks that come back from host memory."""

from __future__ import annotations

import pytest

from heliumql.cost.event_model import Completion, Constants, EventModel
from heliumql.cost.step_aware_cache import (
    HOST_BYTES_PER_SECOND,
    KV_BYTES_PER_TOKEN,
    AgentSteps,
    StepAwareModel,
)

CONSTANTS = Constants(
    block_size=16,
    kv_cache_tokens=16 * 10,
    max_num_seqs=8,
    max_num_batched_tokens=512,
    step_seconds=0.01,
    prefill_seconds_per_token=0.001,
    decode_seconds_per_sequence=0.0,
)


def blocks(name: int, count: int) -> list[int]:
    return [1000 * name + n for n in range(count)]


def ask(model: EventModel[int], call: int, keys: list[int]) -> Completion[int]:
    """Run one call of whole blocks and a token."""
    model.add(call, 16 * len(keys) + 1, keys, 1, 0)
    done: list[Completion[int]] = []
    while model.busy:
        done += model.step()
    (completion,) = done
    return completion


def test_an_agent_is_as_far_away_as_the_next_of_its_operators():
    # operators 0 -> 1 -> 2 and 3; the last of agent 0 comes back at operator 2
    table = AgentSteps(
        operator=[0, 0, 1, 2, 3], agent=[0, 0, 1, 0, 2], needs={1: {0}, 2: {1}, 3: {0, 1}}
    )
    assert table.steps == {0: 1, 1: 2, 2: 3}
    table.begin(0)
    assert table.steps == {0: 0, 1: 1, 2: 2}
    table.finish(0)
    assert table.steps == {0: 0, 1: 1, 2: 2}  # a call of operator 0 is still to come
    table.finish(1)
    assert table.steps == {1: 1, 0: 2, 2: 2}
    table.begin(2)
    table.finish(2)
    table.begin(3)
    table.finish(3)
    assert table.steps == {2: 1}


def agents() -> AgentSteps:
    """Agent 0 comes again in call 3, agent 1 is done after call 1, agent 2 needs the room."""
    return AgentSteps(operator=[0, 1, 2, 3], agent=[0, 1, 2, 0], needs={1: {0}, 2: {1}, 3: {2}})


def test_blocks_of_an_agent_that_is_done_go_before_older_ones_of_one_that_comes_again():
    plain: EventModel[int] = EventModel(CONSTANTS)
    aware = StepAwareModel(CONSTANTS, agents())
    for model in (plain, aware):
        ask(model, 0, blocks(1, 4))
        ask(model, 1, blocks(2, 4))
        ask(model, 2, blocks(3, 4))  # there is room for nine blocks and the answer
    assert ask(plain, 3, blocks(1, 4)).cached_tokens < 64
    assert ask(aware, 3, blocks(1, 4)).cached_tokens == 64
    assert aware.loaded_tokens == 0


def test_what_was_evicted_is_loaded_from_host_memory_for_its_time():
    # all calls of one operator: nobody is ever further away than the others
    table = AgentSteps(operator=[0] * 3, agent=[0, 1, 0], needs={})
    model = StepAwareModel(CONSTANTS, table)
    ask(model, 0, blocks(1, 4))
    ask(model, 1, blocks(2, 9))
    before = model.now
    again = ask(model, 2, blocks(1, 4))
    assert again.cached_tokens == 64
    assert model.loaded_tokens > 0
    loading = model.loaded_tokens * KV_BYTES_PER_TOKEN / HOST_BYTES_PER_SECOND
    assert again.admitted - before == pytest.approx(loading)
    # The blocks that were loaded need not be computed: one token is.
    assert again.finished - again.admitted == pytest.approx(0.01 + 0.001)


def test_an_agent_that_runs_next_has_its_blocks_back_before_it_asks():
    table = AgentSteps(operator=[0, 1, 2, 3], agent=[0, 1, 2, 0], needs={1: {0}, 2: {1}, 3: {2}})
    model = StepAwareModel(CONSTANTS, table)
    ask(model, 0, blocks(1, 4))
    ask(model, 1, blocks(2, 9))  # takes all the room: the blocks of agent 0 go
    # While agent 2 runs, agent 0 is one step away; its blocks are loaded beside.
    ask(model, 2, blocks(3, 1))
    before = model.now
    again = ask(model, 3, blocks(1, 4))
    assert (again.cached_tokens, again.admitted) == (64, before)
    assert model.loaded_tokens == 64
