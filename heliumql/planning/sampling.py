"""How the answers of a call are drawn, by what the call, its model and the defaults say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heliumql.engines.engine import Sampling
from heliumql.syntax import CallSite


def sampling_of(call: CallSite, options: Mapping[str, object]) -> Sampling:
    """What the call says, else the options of its model; a call that embeds draws no token."""
    if call.task == "embed":
        return Sampling(max_tokens=0)
    default = Sampling()

    def value(key: str) -> Any:
        given = getattr(call, key)
        if given is None:
            given = options.get(key, getattr(default, key))
        return tuple(given) if isinstance(given, list) else given

    stop, temperature, seed = value("stop"), float(value("temperature")), value("seed")
    if seed is not None and temperature > 0:
        seed += call.sample
    return Sampling(
        max_tokens=int(value("max_tokens")),
        temperature=temperature,
        top_p=float(value("top_p")),
        seed=seed,
        stop=(stop,) if isinstance(stop, str) else stop,
    )
