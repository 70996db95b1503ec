"""Engines that misbehave end the statement with an engine's error; none makes it wait for ever."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
import pytest

import heliumql
from heliumql.engines.batches import Answer, answers_batch
from heliumql.engines.engine import CallSpec, Deliver
from heliumql.errors import EngineError

MODES = ["on", "off"]


class Strange:
    """Answers as `say` says; raises in the method named `raises`."""

    slots = 8

    def __init__(
        self, say: Callable[[list[bytes], Deliver], None] | None = None, raises: str = ""
    ) -> None:
        self.say, self.raises = say, raises

    def start(self) -> None:
        self._called("start")

    def submit(self, spec: CallSpec, requests: pa.RecordBatch, deliver: Deliver) -> None:
        self._called("submit")
        if self.say is not None:
            self.say(requests.column("call").to_pylist(), deliver)

    def advance(self) -> None:
        self._called("advance")

    def cancel(self, calls: Sequence[bytes]) -> None:
        pass

    def close(self) -> None:
        pass

    def _called(self, method: str) -> None:
        if method == self.raises:
            raise RuntimeError("out of order")


def asked(engine: Strange, mode: str) -> list[tuple[object, ...]]:
    with heliumql.connect() as con:
        con.register_model("m", engine)
        con.set("llm_optimizer", mode)
        relation = con.sql("SELECT LLM_GENERATE('n {i}') FROM range(3) r(i)")
        assert relation is not None
        return relation.fetchall()


def answered(calls: list[bytes], text: str | None, **more: str) -> pa.RecordBatch:
    finish = more.get("finish", "stop")
    return answers_batch([Answer(c, text, more.get("error"), finish) for c in calls])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("method", ["start", "submit", "advance"])
def test_what_an_engine_raises_is_its_failure(method: str, mode: str) -> None:
    with pytest.raises(EngineError, match="Strange failed: RuntimeError: out of order"):
        asked(Strange(raises=method), mode)


@pytest.mark.parametrize("mode", MODES)
def test_a_delivery_that_is_no_answers_is_the_engines_failure(mode: str) -> None:
    nonsense = pa.RecordBatch.from_pydict({"x": [1]})
    with pytest.raises(EngineError, match="not answers"):
        asked(Strange(lambda calls, deliver: deliver(nonsense)), mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("right", [0, 2])
def test_a_call_that_nobody_asked_for_is_the_engines_failure(right: int, mode: str) -> None:
    def say(calls: list[bytes], deliver: Deliver) -> None:
        wrong = [bytes(16 - len(str(n))) + str(n).encode() for n in range(len(calls) - right)]
        deliver(answered([*calls[:right], *wrong], "here"))

    with pytest.raises(EngineError, match=r"Strange delivered a call that it was not given: b'"):
        asked(Strange(say), mode)


@pytest.mark.parametrize("mode", MODES)
def test_an_answer_with_an_error_is_a_failed_call(mode: str) -> None:
    engine = Strange(lambda calls, deliver: deliver(answered(calls, "half", error="cut")))
    assert asked(engine, mode) == [(None,)] * 3


@pytest.mark.parametrize("mode", MODES)
def test_calls_that_are_cancelled_for_ever_fail(mode: str) -> None:
    engine = Strange(lambda calls, deliver: deliver(answered(calls, None, finish="cancelled")))
    assert asked(engine, mode) == [(None,)] * 3


def test_a_failure_told_once_leaves_no_call_that_others_would_wait_for() -> None:
    told = [False]

    def once(calls: list[bytes], deliver: Deliver) -> None:
        if not told[0] and len(told) == 1:
            told.append(True)  # the first batch: never answered, never told
        elif not told[0]:
            told[0] = True
            deliver(EngineError("gone"))
        else:
            deliver(answered(calls, "here"))

    with heliumql.connect() as con:
        con.register_model("m", Strange(once))
        both = con.sql("SELECT LLM_GENERATE('a'), LLM_GENERATE('b', max_tokens => 9)")
        assert both is not None
        with pytest.raises(EngineError, match="gone"):
            both.fetchall()
        assert both.fetchall() == [("here", "here")]


class WithoutWorkers(Strange):
    """Raises when it is asked for its workers."""

    @property
    def workers(self) -> Sequence[object]:
        raise RuntimeError("out of order")


@pytest.mark.parametrize("mode", MODES)
def test_workers_that_cannot_be_seen_are_the_engines_failure(mode: str) -> None:
    with pytest.raises(EngineError, match="WithoutWorkers failed: RuntimeError: out of order"):
        asked(WithoutWorkers(), mode)
