"""An engine that answers at once with a constant, and counts the CPU that it takes itself."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pyarrow as pa

from heliumql.engines.engine import ANSWERS, CallSpec, Deliver


class ConstantEngine:
    """Implements `heliumql.engines.engine.Engine`; `cpu` is what it took, delivery not included."""

    def __init__(self, text: str = "An answer of some length.", slots: int = 1024) -> None:
        self.slots = slots
        self.cpu = 0.0
        self.calls = 0
        self._text = text
        self._constants: dict[int, list[pa.Array]] = {}
        self._pending: list[tuple[Deliver, pa.RecordBatch]] = []

    def start(self) -> None:
        """Nothing to get ready."""

    def submit(self, spec: CallSpec, requests: pa.RecordBatch, deliver: Deliver) -> None:
        began = time.thread_time()
        count = requests.num_rows
        self.calls += count
        if count not in self._constants:
            self._constants[count] = [
                pa.array([self._text] * count, pa.string()),
                pa.nulls(count, pa.string()),
                pa.array(["stop"] * count, pa.string()),
                *(pa.array([n] * count, pa.int32()) for n in (50, 0, 8, 1)),
                pa.nulls(count, pa.int32()),
                *(pa.nulls(count, pa.float64()) for _ in range(3)),
            ]
        arrays = [requests.column("call"), *self._constants[count]]
        self._pending.append((deliver, pa.RecordBatch.from_arrays(arrays, schema=ANSWERS)))
        self.cpu += time.thread_time() - began

    def advance(self) -> None:
        pending, self._pending = self._pending, []
        for deliver, answers in pending:
            deliver(answers)

    def cancel(self, calls: Sequence[bytes]) -> None:
        self._pending.clear()

    def close(self) -> None:
        self._pending.clear()
