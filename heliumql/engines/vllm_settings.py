"""What a vLLM worker is told, and what its speed depends on; vllm.py starts workers with it."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
from pathlib import Path
from typing import Any

from heliumql.engines.engine import CallSpec
from heliumql.engines.vllm_constraint import constraint
from heliumql.engines.vllm_options import VllmOptions
from heliumql.errors import EngineError

INSTALLING = "in a checkout: make, or with an NVIDIA GPU pip install -e '.[vllm]'"


def check_installed() -> None:
    """Raise EngineError where there is no vLLM, without importing it: that takes seconds."""
    if importlib.util.find_spec("vllm") is None:
        raise EngineError("vLLM is not installed", hint=INSTALLING)


def spoken(spec: CallSpec) -> dict[str, Any]:
    sampling = spec.sampling
    return {
        "sampling": {
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": sampling.seed,
            "stop": list(sampling.stop),
        },
        "constraint": None if spec.task == "embed" else constraint(spec.returns),
        "thinking": spec.thinking,
    }


def settings(options: VllmOptions, number: int) -> tuple[dict[str, Any], dict[str, str]]:
    """What a worker is told, and its environment."""
    folder = options.folder
    chosen = {
        "revision": options.revision,
        "tokenizer_revision": options.revision,
        "max_model_len": options.max_model_len,
        "dtype": options.dtype,
        "enforce_eager": options.enforce_eager,
        "runner": "pooling" if options.task == "embed" else None,
    }
    environment = {"HF_HUB_OFFLINE": "1"} if folder else {}
    share = 0.9
    if gpus := _gpus():
        environment["CUDA_VISIBLE_DEVICES"] = gpus[number % len(gpus)]
        share /= -(-options.workers // len(gpus))
    told = {
        "engine_args": {
            "model": str(folder or options.model),
            "max_num_seqs": options.concurrency,
            **{key: value for key, value in chosen.items() if value is not None},
            **options.engine_args,
        },
        "kv_cache_tokens": options.kv_cache_tokens,
        "fetch": folder is None,
        "memory_share": share,  # of a GPU
        "small": options.small,
        "workers": options.workers,
        "core": _core(options.workers, number),
        "task": options.task,
        "template_arguments": dict(options.template_arguments),
    }
    return told, environment


def _gpus() -> list[str]:
    """The NVIDIA GPUs that may be used, as CUDA_VISIBLE_DEVICES names them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name for name in visible.split(",") if name]
    folder = Path("/proc/driver/nvidia/gpus")
    return [str(n) for n in range(len(list(folder.iterdir())))] if folder.is_dir() else []


def _core(workers: int, number: int) -> int | None:
    """The processor core of a worker's own; None: it may run on any.

    Workers without one move between cores and disturb each other, so several share them out.
    """
    if workers == 1 or _gpus():
        return None
    cores = sorted(os.sched_getaffinity(0))
    return cores[number] if workers <= len(cores) else None


def speed_key(options: VllmOptions) -> str:
    """What the speed of an engine depends on, as a text: model, its form, workers, machine."""
    parts: dict[str, object] = {
        "model": str(options.folder or options.model),
        "revision": options.revision,
        "dtype": options.dtype,
        "enforce_eager": options.enforce_eager,
        "workers": options.workers,
        "machine": [platform.system(), platform.machine(), *_processors()],
    }
    if options.engine_args:
        parts["engine_args"] = dict(options.engine_args)
    if options.task == "embed":  # no tokens are drawn
        parts["task"] = options.task
    return json.dumps(parts, sort_keys=True)


def _processors() -> list[str]:
    """The names of the GPUs, or of the CPU and how many cores of it there are."""
    if names := _gpus():
        files = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
        models = sorted({_line(file, "Model:") for file in files})
        return [f"{len(names)} GPUs", *models]
    return [f"{len(os.sched_getaffinity(0))} cores", _line(Path("/proc/cpuinfo"), "model name")]


def _line(file: Path, start: str) -> str:
    """What follows the colon on the first line that starts so; empty where there is none."""
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(start)), "")
