"""How fast an engine is, learnt from its steps: the speeds of the event model, fitted.

A step of an engine takes about
`step + prefill * tokens + decode * sequences + attention * pairs + kv_read * read` seconds.
Engines note what each step computed and how long it took; least squares over all of them gives
the five constants. Only sums are kept, so that what several workers and runs note adds up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

from heliumql.cost.event_model import Constants

_FEATURES = 5
_PAIRS = [(i, j) for i in range(_FEATURES) for j in range(i, _FEATURES)]
_FIRST = 3  # sum that is of features
_SUMS = _FIRST + _FEATURES + len(_PAIRS)
_HALF_LIFE = 5000  # steps after which older ones count half

_DEFAULTS = Constants()
_UNITS = (
    _DEFAULTS.step_seconds,
    _DEFAULTS.prefill_seconds_per_token,
    _DEFAULTS.decode_seconds_per_sequence,
    _DEFAULTS.prefill_seconds_per_token / 1000,  # a thousand tokens back cost less than a new one
    _DEFAULTS.prefill_seconds_per_token / 1000,
)
_NOISE = 0.05  # of the time of a step; the speeds themselves may be off by all of their value
_EXPECTED = (1.0, 1.0, 1.0, 0.0, 0.0)  # of these units, before anything is known


class Step(NamedTuple):
    """One step of an engine, or the mean of several that were not told apart."""

    seconds: float
    prefill: float  # tokens of prompts computed
    decode: float  # sequences that drew one more token
    pairs: float  # sum over computed tokens of the tokens that each looks back at
    read: float  # the same, over the tokens drawn alone
    times: float = 1.0  # how many steps it stands for: older ones count less by so many


@dataclass(frozen=True)
class Observed:
    """What has been seen of an engine.

    `sums`: steps, calls taken in, their seconds, then the sums of x and of x x' over the steps,
    x = (1, prefill, decode, pairs, read) / y for a step of y seconds. So the error that is made
    small is that of each step in proportion to its time: long steps do not drown short ones, and
    one that something else held up counts for little. A mean is one observation, however many steps
    it is of: what is wrong with it is when it was taken.
    """

    sums: tuple[float, ...] = (0.0,) * _SUMS

    def __post_init__(self) -> None:
        if len(self.sums) != _SUMS:
            raise ValueError(f"speeds are kept as {_SUMS} sums, not {len(self.sums)}")

    @property
    def steps(self) -> float:
        return self.sums[0]

    @property
    def kept(self) -> float:
        """The share with which older observations still count beside these."""
        return float(0.5 ** (self.steps / _HALF_LIFE))

    def add(self, steps: Iterable[Step], calls: int = 0, call_seconds: float = 0.0) -> Observed:
        """With these steps too, and calls that took so many seconds together to be taken in."""
        sums = list(self.sums)
        sums[1] += calls
        sums[2] += call_seconds
        for seconds, *computed, times in steps:
            if seconds <= 0:
                continue
            x = [feature / seconds for feature in (1, *computed)]
            sums[0] += times
            for i in range(_FEATURES):
                sums[_FIRST + i] += x[i]
            for at, (i, j) in enumerate(_PAIRS, start=_FIRST + _FEATURES):
                sums[at] += x[i] * x[j]
        return Observed(tuple(sums))

    def merge(self, newer: Observed) -> Observed:
        """Both; the older steps count the less the more newer ones there are."""
        both = zip(self.sums, newer.sums, strict=True)
        return Observed(tuple(a * newer.kept + b for a, b in both))

    def fit(self, limits: Constants) -> Constants:
        """The limits with the speeds that fit best; as they are where nothing was seen.

        Least squares with no speed below zero. Where the steps say nothing of a speed it is in the
        proportion to the others that it has in the defaults of the event model.
        """
        steps, calls, call_seconds = self.sums[:_FIRST]
        if calls:
            limits = replace(limits, call_seconds=call_seconds / calls)
        if not steps:
            return limits
        square, right = self._equations()
        default = [e * u for e, u in zip(_EXPECTED, _UNITS, strict=True)]
        size = sum(
            d * e * m
            for d, row in zip(default, square, strict=True)
            for e, m in zip(default, row, strict=True)
        )
        overall = sum(d * b for d, b in zip(default, right, strict=True)) / size
        units = [overall * u for u in _UNITS]
        prior = _NOISE**2
        matrix = [
            [
                square[i][j] * units[i] * units[j] + (prior if i == j else 0.0)
                for j in range(_FEATURES)
            ]
            for i in range(_FEATURES)
        ]
        vector = [right[i] * units[i] + prior * _EXPECTED[i] for i in range(_FEATURES)]
        found = _not_negative(matrix, vector)
        step, prefill, decode, pair, read = (v * u for v, u in zip(found, units, strict=True))
        return replace(
            limits,
            step_seconds=step,
            prefill_seconds_per_token=prefill,
            decode_seconds_per_sequence=decode,
            attention_seconds_per_pair=pair,
            kv_read_seconds_per_token=read,
        )

    def _equations(self) -> tuple[list[list[float]], list[float]]:
        """The normal equations X'X b = X'1."""
        square = [[0.0] * _FEATURES for _ in range(_FEATURES)]
        for (i, j), value in zip(_PAIRS, self.sums[_FIRST + _FEATURES :], strict=True):
            square[i][j] = square[j][i] = value
        return square, list(self.sums[_FIRST : _FIRST + _FEATURES])


def _not_negative(matrix: Sequence[Sequence[float]], vector: Sequence[float]) -> list[float]:
    """The x >= 0 that minimizes x'Mx / 2 - v'x, M positive definite: the best of all choices of
    unknowns that are not zero."""
    best, least = [0.0] * len(vector), 0.0
    for count in range(1, len(vector) + 1):
        for chosen in combinations(range(len(vector)), count):
            part = _solve([[matrix[i][j] for j in chosen] for i in chosen],
                          [vector[i] for i in chosen])  # fmt: skip
            value = -sum(vector[i] * x for i, x in zip(chosen, part, strict=True)) / 2
            if min(part) >= 0 and value < least:
                least, best = value, [0.0] * len(vector)
                for i, x in zip(chosen, part, strict=True):
                    best[i] = x
    return best


def _solve(matrix: list[list[float]], vector: list[float]) -> list[float]:
    """x with M x = v, M positive definite: Gaussian elimination needs no exchange of rows."""
    size = len(vector)
    rows = [[*row, value] for row, value in zip(matrix, vector, strict=True)]
    for at in range(size):
        for below in range(at + 1, size):
            factor = rows[below][at] / rows[at][at]
            for column in range(at, size + 1):
                rows[below][column] -= factor * rows[at][column]
    x = [0.0] * size
    for at in reversed(range(size)):
        known = sum(rows[at][k] * x[k] for k in range(at + 1, size))
        x[at] = (rows[at][size] - known) / rows[at][at]
    return x
