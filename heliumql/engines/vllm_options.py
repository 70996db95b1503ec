"""What CREATE MODEL says about an embedded vLLM model, read and checked; vllm.py starts from it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from heliumql.engines.engine import Task
from heliumql.engines.options import read_task, read_template_arguments, read_workers
from heliumql.errors import CatalogError, EngineError

_FLOAT32_UP_TO = 1 << 30
"""Weights of a local folder up to this many bytes run in float32 on a CPU: they are fast enough
there, and greedy answers then do not depend on what else is in the batch."""


@dataclass(frozen=True)
class VllmOptions:
    """The keys of CREATE MODEL that this engine reads; None leaves the choice to the engine."""

    model: str
    revision: str | None = None
    workers: int = 1
    concurrency: int = 64  # calls in flight in each worker
    max_model_len: int | None = None
    dtype: str | None = None
    kv_cache_tokens: int | None = None  # of each worker
    enforce_eager: bool | None = None
    task: Task = "generate"
    template_arguments: Mapping[str, object] = field(default_factory=dict)
    engine_args: Mapping[str, object] = field(default_factory=dict)
    """Further arguments of vLLM's engine, for programs: CREATE MODEL has no key for them."""

    @property
    def folder(self) -> Path | None:
        """The folder that `model` names, or None where it is the name of a model to fetch."""
        path = Path(self.model).expanduser()
        return path.resolve() if path.is_dir() else None

    @property
    def small(self) -> bool:
        """Whether the weights are few enough for float32 on a CPU."""
        if self.folder is None:
            return False
        return sum(f.stat().st_size for f in self.folder.glob("*.safetensors")) <= _FLOAT32_UP_TO

    def check_model(self) -> None:
        """Raise EngineError where it is clear without loading anything that no model is there."""
        folder = self.folder
        hint = (
            "model is a folder that holds config.json, weights and a tokenizer, "
            "or a name such as Qwen/Qwen3-0.6B"
        )
        if folder is not None:
            if not (folder / "config.json").is_file():
                raise EngineError(f"no model in folder {folder}: it has no config.json", hint=hint)
        elif not re.fullmatch(r"[\w-][\w.-]*(/[\w-][\w.-]*)?", self.model):
            shown = os.path.abspath(os.path.expanduser(self.model))
            raise EngineError(f"model not found: there is no folder {shown}", hint=hint)


def read_options(options: Mapping[str, object]) -> VllmOptions:
    """The options as they should be typed. Raises CatalogError on a value that does not fit.

    Keys of other engines and sampling defaults are not looked at: the catalog checks names.
    """
    model = options.get("model")
    if not isinstance(model, str) or not model:
        raise CatalogError("a vllm model needs the key model: a folder or a name")
    concurrency = _positive(options, "concurrency")
    return VllmOptions(
        model=model,
        revision=_text(options, "revision"),
        workers=read_workers({"workers": _positive(options, "workers")}),
        concurrency=concurrency or VllmOptions.concurrency,
        max_model_len=_positive(options, "max_model_len"),
        dtype=_text(options, "dtype"),
        kv_cache_tokens=_positive(options, "kv_cache_tokens"),
        enforce_eager=_flag(options, "enforce_eager"),
        task=read_task(options) or "generate",
        template_arguments=read_template_arguments(options),
        engine_args=_arguments(options),
    )


def _arguments(options: Mapping[str, object]) -> Mapping[str, object]:
    match options.get("engine_args"):
        case None:
            return {}
        case Mapping() as arguments:
            return arguments
        case value:
            raise CatalogError(f"engine_args must be arguments by name, not {value!r}")


def _positive(options: Mapping[str, object], key: str) -> int | None:
    match options.get(key):
        case None:
            return None
        case int() as number if not isinstance(number, bool) and number > 0:
            return number
        case str() as text if text.isdecimal() and int(text) > 0:
            return int(text)
        case value:
            raise CatalogError(f"{key} must be a positive whole number, not {value!r}")


def _flag(options: Mapping[str, object], key: str) -> bool | None:
    match options.get(key):
        case None:
            return None
        case bool() as flag:
            return flag
        case str() as text if text.lower() in ("true", "false"):
            return text.lower() == "true"
        case value:
            raise CatalogError(f"{key} must be true or false, not {value!r}")


def _text(options: Mapping[str, object], key: str) -> str | None:
    match options.get(key):
        case None:
            return None
        case str() as text:
            return text
        case value:
            raise CatalogError(f"{key} must be a text, not {value!r}")
