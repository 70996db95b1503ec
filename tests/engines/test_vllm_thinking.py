"""The embedded vLLM engine with a model that thinks: its weights are random, so it thinks nonsense,
and ends its thoughts whenever chance has it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from receiver import Receiver, calls, spec

from heliumql.engines.thoughts import without_thoughts
from heliumql.engines.vllm import VllmEngine

PATIENCE = 120  # seconds that anything may take on a busy machine

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("vllm") is None, reason="vLLM is not installed"
)


@pytest.fixture(scope="module")
def engine(thinking_checkpoint: Path) -> Iterator[VllmEngine]:
    engine = VllmEngine({"model": str(thinking_checkpoint), "kv_cache_tokens": 16384})
    engine.start()
    yield engine
    engine.close()


def ask(engine: VllmEngine, count: int, **how: Any) -> list[dict[str, Any]]:
    receiver = Receiver()
    engine.submit(spec(**how), calls([f"talk of {n}" for n in range(count)]), receiver)
    answers = receiver.wait(count, PATIENCE)
    assert not receiver.errors
    return [answers[n] for n in range(count)]


def test_thoughts_that_the_prompt_begins_are_told_as_such(engine: VllmEngine) -> None:
    [answer] = ask(engine, 1, max_tokens=8)
    assert answer["text"].startswith("<think>")
    assert without_thoughts(answer["text"]) is None
    [quiet] = ask(engine, 1, max_tokens=8, thinking="off")
    assert not quiet["text"].startswith("<think>")


def test_typed_answers_are_kept_to_their_type_when_their_thoughts_have_ended(
    engine: VllmEngine,
) -> None:
    how = {"max_tokens": 1200, "temperature": 1.0, "seed": 3, "thinking": "on"}
    ended = 0
    for answer in ask(engine, 12, returns="BOOLEAN", **how):
        assert answer["text"].startswith("<think>")
        proper = without_thoughts(answer["text"])
        if proper is not None:
            ended += 1
            assert proper in ("true", "false")
    assert ended  # chance ends few of them later


def test_typed_answers_without_thoughts_are_kept_to_their_type_from_the_start(
    engine: VllmEngine,
) -> None:
    for thinking in ("auto", "off"):
        for answer in ask(engine, 4, returns="BOOLEAN", max_tokens=8, thinking=thinking):
            assert answer["text"] in ("true", "false")
