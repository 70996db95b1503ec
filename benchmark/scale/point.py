"""One run of a workflow at one size: in this process, or in one of its own (`__main__.py`)."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import pyarrow as pa
from event_model.hardware import worker
from fresh_process import fresh, held_bytes, peak_bytes
from stages import COMPILING, SCHEDULING, Clock

import heliumql
from heliumql.engines.engine import CallSpec, Deliver, Messages, Told, Warmup
from heliumql.engines.simulated import KEYS, SimulatedEngine
from scale.row import Row
from scale.workflows import OUTPUT_TOKENS, WORKFLOWS

KV_TOKENS = 1 << 16


def measured(workflow: str, calls: int, policy: str) -> Row:
    """Runs it in a fresh process. Raises RuntimeError with what that said last."""
    return Row(**fresh("scale", workflow, calls, policy))


def run(workflow: str, calls: int, policy: str) -> Row:
    """The same in this process; memory is then this one's, too."""
    work, clock = WORKFLOWS[workflow], Clock()
    engine = _TimedEngine(clock)
    with heliumql.connect() as con:
        con.register_model("simulated", engine, max_tokens=OUTPUT_TOKENS)
        con.set("llm_scheduler", policy)
        con.set("llm_on_error", "fail")
        con.duckdb.execute("SET enable_progress_bar = false")  # on with `python -m`, to stdout
        work.create_tables(con, calls)
        before = held_bytes()
        began = time.perf_counter()
        rows, answers = 0, 0
        with clock.running():
            relation = con.sql(work.text())
            assert relation is not None
            for batch in relation.batches():
                with clock.inside("reading"):
                    rows += batch.num_rows
                    answers ^= _hashed(batch)
        seconds = time.perf_counter() - began
        stats = relation.stats
    if stats.calls_run != calls or rows != calls // work.calls * work.rows:
        raise RuntimeError(f"{stats.calls_run} calls and {rows} rows instead of {calls} calls")
    others = ("engine", "reading")
    return Row(
        workflow,
        calls,
        policy,
        planning_seconds=_sum(clock.seconds, (*COMPILING, *SCHEDULING)),
        planning_cpu=_sum(clock.cpu, (*COMPILING, *SCHEDULING)),
        compiling_seconds=_sum(clock.seconds, COMPILING),
        scheduling_seconds=_sum(clock.seconds, SCHEDULING),
        scheduling_cpu=_sum(clock.cpu, SCHEDULING),
        naming_cpu=_sum(clock.cpu, ("pass", "naming", "graph")),
        seconds=seconds - clock.seconds["reading"],
        cpu=sum(clock.cpu.values()) - _sum(clock.cpu, others),
        engine_cpu=clock.cpu["engine"],
        makespan=engine.now,
        prompt_tokens=stats.prompt_tokens,
        hit_tokens=stats.prefix_hit_tokens,
        output_tokens=stats.output_tokens,
        rows=rows,
        before_bytes=before,
        peak_bytes=peak_bytes(),
        answers=f"{answers:032x}",
    )


class _TimedEngine(SimulatedEngine):
    """One GPU with an 8B model in virtual time; what it takes itself is the stage `engine`."""

    def __init__(self, clock: Clock) -> None:
        constants = {k: v for k, v in asdict(worker(KV_TOKENS)).items() if k in KEYS}
        super().__init__({**constants, "log": False}, _answer)
        self._clock = clock

    def submit(self, spec: CallSpec, requests: pa.RecordBatch, deliver: Deliver) -> None:
        with self._clock.inside("engine"):
            super().submit(spec, requests, deliver)

    def warm(self, warmups: Sequence[Warmup], told: Told) -> None:
        with self._clock.inside("engine"):
            super().warm(warmups, told)

    def advance(self) -> None:
        with self._clock.inside("engine"):
            super().advance()


def _answer(messages: Messages, spec: CallSpec) -> str:
    """As long as every answer, and as different as the questions."""
    said = hashlib.blake2b(repr(messages).encode(), digest_size=2 * OUTPUT_TOKENS).hexdigest()
    return said[: 4 * spec.sampling.max_tokens]


def _hashed(batch: pa.RecordBatch) -> int:
    """Of the rows, whatever their order and that of their batches."""
    found = 0
    for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
        found ^= int.from_bytes(hashlib.blake2b(repr(row).encode(), digest_size=16).digest())
    return found


def _sum(of: Mapping[str, float], stages: Sequence[str]) -> float:
    return sum(of.get(stage, 0.0) for stage in stages)
