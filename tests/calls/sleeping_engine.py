"""An engine with real time: every answer takes some milliseconds and comes from another thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue

import pyarrow as pa

from heliumql.engines.engine import ANSWERS, CallSpec, Deliver

_Asked = tuple[Deliver, bytes, str]


class SleepingEngine:
    """Answers `re: PROMPT`. Every prompt is a line of `log` before its answer is on its way."""

    def __init__(self, log: Path, seconds: float = 0.02, slots: int = 16) -> None:
        self.slots = slots
        self._seconds = seconds
        self._log = log.open("a")
        self._asked: SimpleQueue[_Asked | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def start(self) -> None:
        while len(self._threads) < self.slots:
            self._threads.append(threading.Thread(target=self._answer, daemon=True))
            self._threads[-1].start()

    def submit(self, spec: CallSpec, requests: pa.RecordBatch, deliver: Deliver) -> None:
        for row in requests.to_pylist():
            self._asked.put((deliver, row["call"], row["messages"][-1]["content"]))

    def advance(self) -> None:
        """Time passes by itself."""

    def cancel(self, calls: Sequence[bytes]) -> None:
        """Answers that nobody waits for do no harm."""

    def close(self) -> None:
        for _ in self._threads:
            self._asked.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        self._log.close()

    def _answer(self) -> None:
        while (asked := self._asked.get()) is not None:
            deliver, call, prompt = asked
            with self._lock:
                self._log.write(prompt + "\n")
                self._log.flush()
            time.sleep(self._seconds)
            answer = [call, f"re: {prompt}", None, "stop", 8, 0, 4, 1, None, None, None, None]
            arrays = [pa.array([v], t) for v, t in zip(answer, ANSWERS.types, strict=True)]
            deliver(pa.RecordBatch.from_arrays(arrays, schema=ANSWERS))
