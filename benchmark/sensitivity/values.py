"""The values of a parameter as the command line has them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from suites.tables import MIXES

from heliumql.cli.parser import UsageError

_MOST = 10_000  # nobody means more


def values(parameter: str, text: str) -> Sequence[Fraction]:
    """`8,16`, for a KV cache parts like `1/4,0.5,2`; from the least to the greatest.

    Raises UsageError.
    """
    return sorted({_value(parameter, one.strip()) for one in text.split(",")})


def _value(parameter: str, text: str) -> Fraction:
    form = r"[0-9]+(/[0-9]*[1-9][0-9]*|\.[0-9]+)?" if parameter == "kv" else r"[0-9]+"
    if parameter == "mixes":
        text = text.removeprefix("P")
    value = Fraction(text) if re.fullmatch(form, text) else Fraction(0)
    if not 0 < value <= (max(MIXES) if parameter == "mixes" else _MOST):
        raise UsageError(
            f"--values: {text!r} is not {_MEANT.get(parameter, _WHOLE)}",
            hint=f"such as {parameter} --values {_SUCH.get(parameter, '2,4')}",
        )
    return value


_SUCH = {"kv": "1/8,1/2", "mixes": "P1,P4"}
_WHOLE = "a whole number above zero"
_MEANT = {"kv": "a part of the working set, such as 1/4 or 2", "mixes": "a mix, 1 to 6"}
