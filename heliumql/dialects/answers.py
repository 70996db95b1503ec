"""What a translated call gives: a value, or an object of which a query takes a part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sqlglot import exp

from heliumql.dialects.calls import Given


@dataclass(frozen=True)
class Parts:
    """An object: `part` makes what is at a path (`labels[0]`), None where it cannot; `whole` is
    the object itself, None where nothing is like it; the hint names the parts that there are."""

    part: Callable[[str], exp.Expr | None]
    whole: exp.Expr | None
    hint: str


Translated: TypeAlias = exp.Expr | Parts
Translator: TypeAlias = Callable[[Given], Translated]


@dataclass(frozen=True)
class Function:
    """An AI function: the names of its positional arguments, and what makes HQL of a call."""

    parameters: tuple[str, ...]
    translate: Translator


def function(parameters: str, translate: Translator) -> Function:
    return Function(tuple(parameters.split()), translate)


Functions: TypeAlias = Mapping[str, Function | str]
"""AI functions by their names in capitals; a text says what to use, where there is none."""
