"""An engine whose calls are answered when the test says so."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pyarrow as pa

from heliumql.engines.batches import Answer, answers_batch, cancelled
from heliumql.engines.engine import CallSpec, Deliver


class Gate:
    """Answers `said <prompt>` at once while it is open; holds calls back while it is not."""

    slots = 64

    def __init__(self, *, is_open: bool = False) -> None:
        self.is_open = is_open
        self.prompts: list[str] = []  # in the order in which they were asked
        self.held: dict[bytes, tuple[str, Deliver]] = {}
        self.cancelled: list[str] = []
        self.changed = threading.Condition()

    def start(self) -> None:
        pass

    def submit(self, spec: CallSpec, requests: pa.RecordBatch, deliver: Deliver) -> None:
        with self.changed:
            for row in requests.to_pylist():
                prompt = row["messages"][-1]["content"]
                self.prompts.append(prompt)
                self.held[row["call"]] = (prompt, deliver)
            self.changed.notify_all()
        if self.is_open:
            self.answer()

    def answer(self, count: int = 1 << 30) -> None:
        """Answers the calls that were asked first."""
        with self.changed:
            calls = list(self.held)[:count]
            answered = [(call, *self.held.pop(call)) for call in calls]
        for call, prompt, deliver in answered:
            deliver(answers_batch([Answer(call, f"said {prompt}", None, "stop")]))

    def open(self) -> None:
        """From now on calls are answered as they come."""
        self.is_open = True
        self.answer()

    def wait_for(self, count: int) -> None:
        """Until so many calls have been asked."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.prompts) >= count, 20), self.prompts

    def advance(self) -> None:
        pass

    def cancel(self, calls: Sequence[bytes]) -> None:
        with self.changed:
            aborted = [(c, *self.held.pop(c)) for c in calls if c in self.held]
            self.cancelled += [prompt for _, prompt, _ in aborted]
            self.changed.notify_all()
        for call, _, deliver in aborted:
            deliver(answers_batch([cancelled(call)]))

    def close(self) -> None:
        pass
