"""The values of a statement's parameters, as DuckDB takes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from heliumql.errors import BindError

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


def of_each(texts: Sequence[str], parameters: Parameters) -> list[Parameters]:
    """The parameters of each of several statements: those it names, as DuckDB refuses others.

    Values for ? are of the last one. Raises BindError at a name that no statement has: its value
    would be lost without a word.
    """
    if len(texts) < 2:
        return [parameters for _ in texts]
    if not isinstance(parameters, Mapping):
        return [*(None for _ in texts[1:]), parameters]
    names = [{n.lower() for n in _NAME.findall(text)} for text in texts]
    known = set().union(*names)
    for given in parameters:
        if str(given).lower() not in known:
            hint = "they have " + ", ".join(f"${name}" for name in sorted(known))
            raise BindError(f"no statement has ${given}", hint=hint if known else None)
    return [{k: v for k, v in parameters.items() if str(k).lower() in n} or None for n in names]
