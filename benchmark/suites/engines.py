"""The engines on which suites are run: vLLM with the benchmark's model, and a simulated one."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
from event_model.hardware import KV_TOKENS, worker

from heliumql.engines.engine import REQUESTS, CallSpec, Sampling
from heliumql.engines.simulated import KEYS, ScriptedAnswer, SimulatedEngine
from heliumql.engines.vllm import VllmEngine
from heliumql.errors import EngineError
from heliumql.types import parse_type
from suites.form import FLOAT32, Form
from suites.recording import RecordingEngine
from suites.vocabulary import text

SLOTS = 8  # calls that a worker computes at once, if not told otherwise
BLOCK = 32
_CPU: dict[str, object] = {  # measured of the benchmark's model on one core
    "step_seconds": 0.0025,
    "prefill_seconds_per_token": 0.00011,
    "decode_seconds_per_sequence": 0.0002,
    "block_size": BLOCK,
    "max_num_batched_tokens": 2048,
}


@dataclass(frozen=True)
class Hardware:
    """What is simulated: the constants of an engine on it, and the most tokens it can keep."""

    name: str
    constants: Mapping[str, object]
    kv_tokens: int


HARDWARE = {
    "cpu": Hardware("simulated", _CPU, 1 << 24),  # the model is so small that all fits
    "gpu": Hardware(
        "an 8B model on a GPU, simulated",
        {name: value for name, value in asdict(worker()).items() if name in KEYS},
        KV_TOKENS // BLOCK * BLOCK,
    ),
}
_FLOOD = 1000  # tokens of a prompt that flushes the prefix cache
_flood_number = itertools.count()


def simulated(
    kv_cache_tokens: int, workers: int, slots: int = SLOTS, hardware: str = "cpu"
) -> RecordingEngine:
    """An engine in virtual time; a token of it is four bytes, as is an invented word."""
    options = {
        **HARDWARE[hardware].constants,
        "kv_cache_tokens": kv_cache_tokens,
        "workers": workers,
    }
    options |= {"max_num_seqs": slots, "log": False}
    return RecordingEngine(SimulatedEngine(options, _answer))


@contextmanager
def vllm(
    model: Path,
    kv_cache_tokens: int | None,
    workers: int,
    slots: int = SLOTS,
    form: Form = FLOAT32,
) -> Iterator[RecordingEngine]:
    """A started vLLM engine; the blocks of its cache are BLOCK tokens on a CPU.

    Without `kv_cache_tokens` the cache is what vLLM has memory for.
    """
    options = {
        "model": str(model),
        "dtype": form.dtype,
        "concurrency": slots,
        "kv_cache_tokens": kv_cache_tokens,
        "workers": workers,
        "engine_args": form.arguments,
    }
    engine = VllmEngine(options)
    with form.applied():
        try:
            engine.start()
            engine.calibrate()
            yield RecordingEngine(engine)
        finally:
            engine.close()


def make_model(folder: Path) -> None:
    """The model of checkpoint.py. Raises RuntimeError with what the program said."""
    program = [sys.executable, str(Path(__file__).with_name("checkpoint.py")), str(folder)]
    made = subprocess.run(program, capture_output=True, text=True)
    if made.returncode:
        raise RuntimeError(f"the model could not be made: {made.stderr}")


def forget(engine: RecordingEngine, kv_cache_tokens: int, workers: int) -> None:
    """Leaves nothing of earlier runs in the prefix caches."""
    if hasattr(engine.inner, "reset_prefix_cache"):
        engine.inner.reset_prefix_cache()
        return
    prompts = range((kv_cache_tokens // _FLOOD + 2) * workers)
    requests = pa.RecordBatch.from_pylist(
        [
            {
                "call": b"flood" + next(_flood_number).to_bytes(11),
                "messages": [{"role": "user", "content": text(_FLOOD, "flood", n, id(object()))}],
                "priority": n,
                "worker": n % workers,
            }
            for n in prompts
        ],
        schema=REQUESTS,
    )
    left, over = len(prompts), threading.Event()
    failures: list[EngineError] = []

    def deliver(arrived: pa.RecordBatch | EngineError) -> None:
        nonlocal left
        if isinstance(arrived, EngineError):
            failures.append(arrived)
            over.set()
            return
        left -= arrived.num_rows
        if not left:
            over.set()

    engine.inner.submit(CallSpec(Sampling(max_tokens=1), parse_type("VARCHAR")), requests, deliver)
    over.wait()
    if failures:
        raise failures[0]


def _answer(messages: tuple[tuple[str, str], ...], spec: CallSpec) -> ScriptedAnswer:
    count = spec.sampling.max_tokens
    return ScriptedAnswer(text(count, messages), output_tokens=count)
