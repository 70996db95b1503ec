"""What is varied: a parameter of a workflow, with a suite for each of its values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from types import MappingProxyType

from bench.chosen import Chosen
from suites import tables
from suites.rounds import with_rounds
from suites.suite import SUITES, Suite

DEFAULTS: Mapping[str, Sequence[Fraction]] = MappingProxyType(
    {
        "batch": [Fraction(n) for n in (8, 16, 32, 64, 80)],
        "branches": [Fraction(n) for n in (4, 8, 12, 16)],
        "rounds": [Fraction(n) for n in (2, 3, 4, 5)],
        "workers": [Fraction(n) for n in (1, 2, 4)],
        "kv": [Fraction(1, 16), Fraction(1, 8), Fraction(1, 4), Fraction(1, 2), Fraction(2)],
        "mixes": [Fraction(n) for n in tables.MIXES],
    }
)
"""The parameters and the values that they have if not told otherwise."""

WORKFLOWS: Mapping[str, Sequence[str]] = {
    "batch": ("map_reduce", "trading"),
    "branches": ("map_reduce",),
    "rounds": ("debate",),
    "workers": ("map_reduce", "trading"),
    "kv": ("map_reduce", "debate", "trading"),
    "mixes": ("prefix_map_reduce", "prefix_debate"),
}
_ON_GPU = {  # rows and scale that are run within seconds
    "map_reduce": (16, 1.0),
    "debate": (16, 1.0),
    "trading": (16, 0.25),
    "prefix_map_reduce": (60, 1.0),
    "prefix_debate": (60, 1.0),
}


@dataclass(frozen=True)
class Point:
    """A value of a parameter, and what is run for it."""

    value: Fraction
    suite: Suite
    chosen: Chosen


@dataclass(frozen=True)
class Series:
    """The values of a parameter of one workflow, from the least to the greatest."""

    parameter: str
    workflow: str
    points: Sequence[Point]


def series(parameter: str, values: Sequence[Fraction], chosen: Chosen) -> list[Series]:
    """One for each of the chosen suites that the parameter is varied of."""
    return [
        Series(parameter, name, [_point(parameter, name, value, chosen) for value in values])
        for name in WORKFLOWS[parameter]
        if name in chosen.suites
    ]


def _point(parameter: str, workflow: str, value: Fraction, chosen: Chosen) -> Point:
    number = int(value)
    mix = f"prefix_{number}_{workflow.removeprefix('prefix_')}"
    suite = SUITES[mix if parameter == "mixes" else workflow]
    if chosen.engine == "simulated" and chosen.hardware == "gpu":
        rows, scale = _ON_GPU[workflow]
        suite = replace(suite, rows=rows, scale=scale)
    match parameter:
        case "batch":
            chosen = replace(chosen, rows=number)
        case "branches":
            suite = replace(suite, tables=partial(tables.map_reduce, experts=number))
        case "rounds":
            suite = replace(suite, rewritten=partial(with_rounds, rounds=number))
        case "workers":
            chosen = replace(chosen, workers=number)
    return Point(value, suite, chosen)
