"""What the tests of engines share: batches of calls, and a receiver of answers that waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from heliumql.engines.engine import ANSWERS, REQUESTS, CallSpec, Sampling, Thinking
from heliumql.errors import EngineError
from heliumql.types import parse_type


def name(index: int) -> bytes:
    return index.to_bytes(16, "big")


def calls(
    prompts: Sequence[str | list[tuple[str, str]]],
    first: int = 0,
    priorities: Sequence[int] | None = None,
    workers: Sequence[int | None] | None = None,
) -> pa.RecordBatch:
    """Calls named first, first + 1, ..; a prompt is a user message or a list of messages."""
    messages = [[("user", p)] if isinstance(p, str) else p for p in prompts]
    return pa.RecordBatch.from_pydict(
        {
            "call": [name(first + i) for i in range(len(prompts))],
            "messages": [[{"role": r, "content": c} for r, c in m] for m in messages],
            "priority": list(priorities or [0] * len(prompts)),
            "worker": list(workers or [None] * len(prompts)),
        },
        schema=REQUESTS,
    )


def spec(
    returns: str = "VARCHAR", retries: int = 2, thinking: Thinking = "auto", **sampling: Any
) -> CallSpec:
    return CallSpec(Sampling(**sampling), parse_type(returns), retries, thinking=thinking)


class Receiver:
    """Takes deliveries; `answers` by number of the call, in order of arrival."""

    def __init__(self) -> None:
        self.answers: dict[int, dict[str, Any]] = {}
        self.errors: list[EngineError] = []
        self.batches: list[int] = []
        self._changed = threading.Condition()

    def __call__(self, delivery: pa.RecordBatch | EngineError) -> None:
        with self._changed:
            if isinstance(delivery, EngineError):
                self.errors.append(delivery)
            else:
                assert delivery.schema == ANSWERS
                self.batches.append(delivery.num_rows)
                for row in delivery.to_pylist():
                    number = int.from_bytes(row["call"], "big")
                    assert number not in self.answers, "a call was answered twice"
                    self.answers[number] = row
            self._changed.notify_all()

    def wait(self, count: int, seconds: float = 20.0) -> dict[int, dict[str, Any]]:
        """Block until `count` answers or an error are there; only engines in real time need it."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while len(self.answers) < count and not self.errors:
                left = deadline - time.monotonic()
                assert left > 0, f"only {len(self.answers)} of {count} answers came"
                self._changed.wait(left)
        return self.answers

    def texts(self) -> dict[int, str | None]:
        return {number: row["text"] for number, row in self.answers.items()}
