"""The engines of what is chosen, started: the model is made once, an engine for each KV cache."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from suites import engines
from suites.recording import RecordingEngine
from vllm_server.server import Server, serving

from bench.chosen import Chosen


def model(chosen: Chosen, stack: ExitStack) -> Path | None:
    """The folder of the benchmark's model, made; none for the simulated engine.

    Raises RuntimeError.
    """
    if chosen.engine == "simulated":
        return None
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    engines.make_model(folder)
    return folder


def engine(
    chosen: Chosen, kv_tokens: int, folder: Path | None, stack: ExitStack
) -> RecordingEngine:
    """In this process; the stack ends it."""
    workers, slots = chosen.workers, chosen.slots
    if folder is None:
        return engines.simulated(kv_tokens, workers, slots, chosen.hardware)
    return stack.enter_context(engines.vllm(folder, kv_tokens, workers, slots))


def server(chosen: Chosen, kv_tokens: int, folder: Path, stack: ExitStack) -> Server:
    """vLLM's own; the stack ends it."""
    return stack.enter_context(serving(folder, kv_tokens, chosen.workers, chosen.slots))
