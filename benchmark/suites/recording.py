"""An engine that passes calls on to another one and keeps what was asked and answered."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from heliumql.engines.engine import CallSpec, Deliver, Engine
from heliumql.errors import EngineError
from suites.vocabulary import conversation, tokens


@dataclass(frozen=True)
class Asked:
    """A call that was answered, with its final messages as (role, content)."""

    messages: tuple[tuple[str, str], ...]
    max_tokens: int
    text: str
    prompt_tokens: int
    cached_tokens: int
    output_tokens: int
    finish_reason: str

    @property
    def tokens(self) -> list[str]:
        """The conversation, answer included, as the model of the benchmark cuts it."""
        return [*conversation(self.messages), *tokens(self.text)]


class RecordingEngine:
    """Implements `heliumql.engines.engine.Engine`.

    Sessions come and go; the engine inside is closed by whoever made it. A call that fails ends the
    run: figures of a run with holes say nothing.
    """

    def __init__(self, inner: Any) -> None:
        self.inner: Engine = inner
        self.record: list[Asked] = []
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def submit(self, spec: CallSpec, requests: pa.RecordBatch, deliver: Deliver) -> None:
        asked = dict(
            zip(
                requests.column("call").to_pylist(),
                requests.column("messages").to_pylist(),
                strict=True,
            )
        )

        def recorded(arrived: pa.RecordBatch | EngineError) -> None:
            failure: EngineError | None = None
            if not isinstance(arrived, EngineError):
                for row in arrived.to_pylist():
                    if row["finish_reason"] in ("stop", "length"):
                        with self._lock:
                            self.record.append(_asked(asked[row["call"]], spec, row))
                    elif row["finish_reason"] == "error":
                        failure = EngineError(f"a call failed: {row['error']}")
            deliver(failure or arrived)

        self.inner.submit(spec, requests, recorded)

    def take(self) -> list[Asked]:
        """What was recorded since the last time."""
        with self._lock:
            record, self.record = self.record, []
        return record

    def start(self) -> None:
        self.inner.start()

    def advance(self) -> None:
        self.inner.advance()

    def cancel(self, calls: Sequence[bytes]) -> None:
        self.inner.cancel(calls)

    @property
    def slots(self) -> int:
        return self.inner.slots

    def close(self) -> None:
        """Nothing: the engine inside goes on."""


def _asked(messages: Sequence[dict[str, str]], spec: CallSpec, row: dict[str, Any]) -> Asked:
    return Asked(
        tuple((m["role"], m["content"]) for m in messages),
        spec.sampling.max_tokens,
        row["text"],
        row["prompt_tokens"],
        row["cached_tokens"],
        row["output_tokens"],
        row["finish_reason"],
    )


def distinct_tokens(record: Sequence[Asked]) -> int:
    """Tokens of the conversations, common beginnings counted once: what an endless cache holds."""
    total, before = 0, []
    for one in sorted(asked.tokens for asked in record):
        common = next(
            (n for n, (a, b) in enumerate(zip(before, one, strict=False)) if a != b),
            min(len(before), len(one)),
        )
        total += len(one) - common
        before = one
    return total
