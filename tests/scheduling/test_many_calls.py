"""More calls than are planned together: what planning does for each of them stays the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import heliumql
from heliumql.calls.graph import CallGraph
from heliumql.engines.simulated import SimulatedEngine
from heliumql.physical import scheduler
from heliumql.physical.arrived import Arrived

AT_ONCE = 64


def test_calls_come_back_as_they_became_ready_each_engines_own() -> None:
    over = {b"b", b"e"}
    arrived = Arrived(lambda call: call not in over)
    assert not arrived
    assert arrived.take(1) is None
    for engine, call in ((1, b"a"), (2, b"b"), (1, b"c"), (2, b"d"), (1, b"e")):
        arrived.add(engine, call)
    assert arrived
    assert arrived.take(2) == b"d"
    assert arrived.take(2) is None
    assert [arrived.take(1) for _ in range(3)] == [b"a", b"c", None]
    assert not arrived


def test_a_call_of_one_engine_is_not_looked_at_for_another() -> None:
    asked: list[bytes] = []

    def waits(call: bytes) -> bool:
        asked.append(call)
        return True

    arrived = Arrived(waits)
    for number in range(1000):
        arrived.add(1, number.to_bytes(2, "big"))
    for _ in range(100):
        assert arrived.take(2) is None
    assert asked == []


def looked_at(monkeypatch: pytest.MonkeyPatch, calls: int, policy: str) -> tuple[int, int]:
    """Calls that plans held together, and calls that were looked at for them."""
    plans: list[int] = []
    looks = 0
    planned: Callable[..., Any] = scheduler.planned
    is_open = CallGraph.is_open

    def counted(graph: Any, open_calls: Any, *more: Any) -> Any:
        plans.append(len(open_calls))
        return planned(graph, open_calls, *more)

    def counted_open(graph: CallGraph, identity: bytes) -> bool:
        nonlocal looks
        looks += 1
        return is_open(graph, identity)

    with monkeypatch.context() as patch:
        patch.setattr(scheduler, "_MOST_PLANNED", AT_ONCE)
        patch.setattr(scheduler, "_SMALL", 8)
        patch.setattr(scheduler, "planned", counted)
        patch.setattr(CallGraph, "is_open", counted_open)
        with heliumql.connect() as con:
            con.register_model("m", SimulatedEngine({"max_num_seqs": 4, "log": False}))
            con.set("llm_scheduler", policy)
            # The condition lets no row out before all calls are known.
            relation = con.sql(
                "SELECT g.text FROM range("
                f"{calls}) AS r(i), LATERAL LLM_GENERATE('Say {{r.i}}.') AS g WHERE g.text <> ''"
            )
            assert relation is not None
            assert len(relation.fetchall()) == calls
            assert relation.stats.calls_run == calls
    assert max(plans) <= AT_ONCE
    return sum(plans), looks


@pytest.mark.parametrize("policy", ["cache_aware", "op_wise", "random"])
def test_planning_does_the_same_for_each_call(monkeypatch: pytest.MonkeyPatch, policy: str) -> None:
    for calls in (8 * AT_ONCE, 16 * AT_ONCE):
        planned, looks = looked_at(monkeypatch, calls, policy)
        assert calls <= planned + AT_ONCE  # the last ones may go without a plan
        assert planned <= 2 * calls  # each in two plans, as half of a plan goes before the next one
        assert looks <= 2 * planned
