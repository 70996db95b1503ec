"""The values of a statement's parameters, as DuckDB takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Parameters = Mapping[str, Any] | list[Any] | tuple[Any, ...] | None


def check(parameters: object) -> None:
    """Raises TypeError where they are neither a list nor a mapping: one value, say.

    A text has letters as a list has items, and is a value that somebody forgot the brackets of.
    """
    if isinstance(parameters, str | bytes) or not isinstance(parameters, Iterable | None):
        kind = type(parameters).__name__
        raise TypeError(f"parameters are a list, for ?, or a mapping, for $name, not {kind}")
