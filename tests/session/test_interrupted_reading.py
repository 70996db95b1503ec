"""Rows that were being read when Ctrl-C came: what was there by then is not taken for all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from heliumql.physical.dispatch import Interrupted
from heliumql.statements.runs import CallRun


class Evaluation:
    """Of two batches; Ctrl-C comes between them."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pydict({"i": [1]})
        raise KeyboardInterrupt

    def close(self) -> None:
        pass


def test_who_reads_on_is_told() -> None:
    evaluation: Any = Evaluation()
    run = CallRun(evaluation, time.monotonic(), lambda _run, _again: None)
    with pytest.raises(KeyboardInterrupt):
        run.read_ahead()
    rows = run.batches()
    assert next(rows).to_pydict() == {"i": [1]}
    with pytest.raises(Interrupted):
        next(rows)
