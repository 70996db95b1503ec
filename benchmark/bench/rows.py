"""Rows of measurement made of runs."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from measured.machine import machine
from suites import engines
from suites.runs import Run
from suites.suite import Suite

from bench.chosen import Chosen


def common(chosen: Chosen, began: datetime) -> dict[str, Any]:
    """Fields of a Row that are the same in all rows of an invocation."""
    return {
        "run": uuid.uuid4().hex[:12],
        "at": began.isoformat(timespec="seconds"),
        "seed": chosen.seed,
        "apart": chosen.apart,
        "kept": chosen.kept,
        "engine": chosen.engine,
        "model": model_of(chosen),
        "slots": chosen.slots,
        "setting": "default",
        **machine(),
    }


def model_of(chosen: Chosen) -> str:
    """What answers, in words."""
    if chosen.engine == "simulated":
        return engines.HARDWARE[chosen.hardware].name
    name = chosen.model.resolve().name if chosen.model else "random Qwen3"
    return f"{name}, {chosen.form.dtype}"


def extent(suite: Suite, chosen: Chosen, kv_tokens: int) -> dict[str, Any]:
    """The fields of a Row that say how much is run, with which KV cache."""
    return {
        "rows": chosen.rows_of(suite),
        "scale": chosen.scale_of(suite),
        "workers": chosen.workers,
        "kv_tokens": kv_tokens,
    }


def measures(found: Run) -> dict[str, Any]:
    """The fields of a Row that a run has measured."""
    return {
        "seconds": found.seconds,
        "engine_cpu": found.cpu,
        "client_cpu": found.client_cpu,
        "calls_asked": found.asked,
        "calls_run": found.calls,
        "prompt_tokens": found.prompt_tokens,
        "hit_tokens": found.hit_tokens,
        "output_tokens": found.output_tokens,
        "planning_seconds": found.planning,
        "foretold_seconds": found.foretold,
        "cold_seconds": found.cold,
        "engine_steps": found.steps,
    }
