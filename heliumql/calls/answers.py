"""Answers, and the store that keeps them under the names of their calls.

The dispatcher puts every answer there the moment it arrives; the call graph looks calls up in
bulk before it lets any of them run.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call came to. `text` is None where it failed (`error` says why) or was a null."""

    text: str | None
    error: str | None = None
    finish_reason: str = "stop"
    prompt_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0

    def info(self, source: str) -> str:
        """JSON of `g.llm`; `source` is engine, cache or shared."""
        return json.dumps(
            {
                "status": 0 if self.error is None else 1,
                "error": self.error,
                "finish_reason": self.finish_reason,
                "prompt_tokens": self.prompt_tokens,
                "cached_tokens": self.cached_tokens,
                "output_tokens": self.output_tokens,
                "source": source,
            }
        )


class AnswerStore:
    """Answers of this session by identity, bounded in bytes; the least recently used go first.

    Safe for several threads. Failed calls are never stored.
    """

    _OVERHEAD = 200  # bytes of an entry beside its text

    def __init__(self, max_bytes: int = 10_000_000_000) -> None:
        self._answers: dict[bytes, Answer] = {}  # the least recently used first
        self._bytes = 0
        self._lock = threading.Lock()
        self.max_bytes = max_bytes

    def __len__(self) -> int:
        return len(self._answers)

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._bytes

    def get(self, identities: Iterable[bytes]) -> dict[bytes, Answer]:
        """Those of the calls that have been answered before."""
        with self._lock:
            found = {i: self._answers[i] for i in identities if i in self._answers}
            for identity in found:
                self._answers[identity] = self._answers.pop(identity)
        return found

    def put(self, answers: Mapping[bytes, Answer]) -> None:
        with self._lock:
            for identity, answer in answers.items():
                if answer.error is not None:
                    continue
                self._drop(identity)
                self._answers[identity] = answer
                self._bytes += self._cost(answer)
            while self._bytes > self.max_bytes and self._answers:
                self._drop(next(iter(self._answers)))

    def clear(self) -> int:
        """Forgets everything; how many answers that were."""
        with self._lock:
            count = len(self._answers)
            self._answers.clear()
            self._bytes = 0
            return count

    def _drop(self, identity: bytes) -> None:
        old = self._answers.pop(identity, None)
        if old is not None:
            self._bytes -= self._cost(old)

    def _cost(self, answer: Answer) -> int:
        return len(answer.text or "") + self._OVERHEAD
