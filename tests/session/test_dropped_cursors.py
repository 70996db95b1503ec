"""Cursors that nobody closed, and holds no more."""

from __future__ import annotations

import pyarrow as pa

import heliumql
from heliumql.engines.engine import ANSWERS


class Echo:
    """Answers with the prompt, and counts how often it is closed."""

    slots = 8
    closed = 0

    def start(self) -> None: ...

    def submit(self, spec: object, requests: pa.RecordBatch, deliver: object) -> None:
        answers = [
            {"call": r["call"], "text": r["messages"][-1]["content"], "finish_reason": "stop"}
            for r in requests.to_pylist()
        ]
        deliver(pa.RecordBatch.from_pylist(answers, schema=ANSWERS))  # type: ignore[operator]

    def advance(self) -> None: ...

    def cancel(self, calls: object) -> None: ...

    def close(self) -> None:
        self.closed += 1


def test_closing_ends_the_engines_though_a_cursor_was_dropped_without_close() -> None:
    engine = Echo()
    with heliumql.connect() as con:
        con.register_model("echo", engine)
        rows = con.cursor().sql("SELECT LLM_GENERATE('Hello', model => 'echo')")
        assert rows is not None
        assert rows.fetchall() == [("Hello",)]
        del rows
    assert engine.closed == 1


def test_a_cursor_that_is_still_held_keeps_them() -> None:
    engine = Echo()
    con = heliumql.connect()
    con.register_model("echo", engine)
    cursor = con.cursor()
    con.close()
    assert engine.closed == 0
    cursor.close()
    assert engine.closed == 1
