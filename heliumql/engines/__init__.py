"""Engines answer calls. `open_engine` makes the one that a model's options ask for."""

from __future__ import annotations

from collections.abc import Mapping

from heliumql.engines.engine import Engine
from heliumql.engines.options import VLLM_KEYS, check_keys, check_values
from heliumql.engines.servers import options_instead
from heliumql.errors import CatalogError
from heliumql.syntax.mistakes import suggestion

ENGINES = ("vllm", "openai", "simulated")


def open_engine(options: Mapping[str, object]) -> Engine:
    """An engine that is not started yet. Imports only what that engine needs.

    Raises CatalogError where the options do not fit.
    """
    check_values(options)
    match options.get("engine", "vllm"):
        case "vllm":
            from heliumql.engines.vllm import VllmEngine

            check_keys("vllm", options, VLLM_KEYS)
            return VllmEngine(options)
        case "openai":
            from heliumql.engines.openai import OpenAIEngine

            return OpenAIEngine(options)
        case "simulated":
            from heliumql.engines.simulated import SimulatedEngine

            return SimulatedEngine(options)
        case other:
            raise CatalogError(f"unknown engine {other!r}", hint=_instead(str(other)))


def _instead(name: str) -> str:
    """What to write for an engine that there is not."""
    options = options_instead(name)
    if options is not None:
        return f"it speaks the OpenAI protocol: {options}"
    return suggestion(name, ENGINES, "engines")
