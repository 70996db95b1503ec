"""The messages of many calls are those of each, whatever batches they came in."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from heliumql.calls import minted as minted_module
from heliumql.calls.minted import MintedCalls, SpilledBatches


def identity(number: int) -> bytes:
    return number.to_bytes(16, "big")


def minted(max_bytes: int) -> MintedCalls:
    """Three sites: prompts alone, with a system message, with a history."""
    calls = MintedCalls(max_bytes)
    history = [{"role": "user", "content": "before"}]
    for start in range(0, 90, 30):
        names: list[bytes | None] = [identity(n) for n in range(start, start + 30)]
        prompts = pa.array([f"prompt {n}" for n in range(start, start + 30)])
        systems = pa.array([f"system {n % 3}" for n in range(30)]) if start == 30 else None
        histories = pa.array([history] * 30) if start == 60 else None
        calls.add(start, names, prompts, systems, histories)
    return calls


@pytest.mark.parametrize("max_bytes", [128_000_000, 1])
def test_each_call_comes_once_with_its_place_and_messages(max_bytes: int) -> None:
    calls = minted(max_bytes)
    asked = [identity(n) for n in random.Random(1).sample(range(90), 50)]
    found = dict(calls.each(asked))
    assert [found[place] for place in range(50)] == [calls.messages(i) for i in asked]
    assert len({m.site for m in found.values()}) == 3
    calls.clear()


def test_a_call_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        list(minted(128_000_000).each([identity(1000)]))


def test_batches_of_files_stay_opened_but_not_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minted_module, "_MOST_MAPPED", 3)
    batches = SpilledBatches(max_bytes=1)
    for number in range(10):
        batches.append(pa.RecordBatch.from_pydict({"prompt": [f"{number}, {row}" for row in "ab"]}))
    for number in (4, 7, 4, 0, 9, 4, 4, 1, *range(10), *reversed(range(10))):
        assert batches[number].column("prompt").to_pylist() == [f"{number}, a", f"{number}, b"]
        assert batches[number] is batches[number]
        assert len(batches._mapped) <= 3
    for number in range(9):
        batches.drop(number)
    assert batches[9].column("prompt").to_pylist() == ["9, a", "9, b"]
    assert len(batches._mapped) == 1
    batches.clear()
    assert len(batches._mapped) == len(batches) == 0
