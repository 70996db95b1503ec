"""The engines of what is chosen, started: the model is made once, an engine for each KV cache."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from progress import say
from suites import engines
from suites.recording import RecordingEngine
from vllm_server.server import Server, serving

from bench.chosen import Chosen


def model(chosen: Chosen, stack: ExitStack) -> Path | None:
    """The folder of the model that is given, else of the benchmark's own, made.

    None for the simulated engine.

    Raises RuntimeError.
    """
    if chosen.engine == "simulated":
        return None
    if chosen.model is not None:
        return chosen.model
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    say("making the model ..")
    engines.make_model(folder)
    return folder


def engine(
    chosen: Chosen, kv_tokens: int | None, folder: Path | None, stack: ExitStack
) -> tuple[RecordingEngine, int]:
    """In this process, and the tokens that the KV cache of a worker holds; the stack ends it."""
    workers, slots = chosen.workers, chosen.slots
    if folder is None:
        assert kv_tokens is not None  # as chosen.py sees to
        return engines.simulated(kv_tokens, workers, slots, chosen.hardware), kv_tokens
    say("loading the model ..")
    started = stack.enter_context(engines.vllm(folder, kv_tokens, workers, slots, chosen.form))
    return started, kv_tokens or started.workers[0].kv_cache_tokens


def server(chosen: Chosen, kv_tokens: int, folder: Path, stack: ExitStack) -> Server:
    """vLLM's own; the stack ends it."""
    say("starting the server ..")
    served = serving(folder, kv_tokens, chosen.workers, chosen.slots, chosen.form)
    return stack.enter_context(served)
