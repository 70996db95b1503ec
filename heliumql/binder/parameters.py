"""The values of a statement's parameters, as DuckDB takes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

Parameters = Mapping[str, Any] | list[Any] | tuple[Any, ...] | None

_NAME = re.compile(r"\$(\w+)")


def check(parameters: object) -> None:
    """Raises TypeError where they are neither a list nor a mapping: one value, say.

    A text has letters as a list has items, and is a value that somebody forgot the brackets of.
    """
    if isinstance(parameters, str | bytes) or not isinstance(parameters, Iterable | None):
        kind = type(parameters).__name__
        raise TypeError(f"parameters are a list, for ?, or a mapping, for $name, not {kind}")


def named_in(text: str, parameters: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Those of the parameters that the text names; DuckDB refuses others."""
    if not parameters:
        return None
    names = set(_NAME.findall(text))
    return {k: v for k, v in parameters.items() if k in names} or None
