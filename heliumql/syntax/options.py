"""Options of calls and prompts, and how values are checked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from heliumql.errors import BindError
from heliumql.source import Span
from heliumql.syntax.mistakes import suggestion
from heliumql.syntax.statements import Value

_MOST_SAMPLES = 256  # of one prompt; each is a call in the SQL of a statement


def read_options(options: Mapping[str, tuple[Value, Span]]) -> dict[str, Any]:
    """Options checked and named as the fields of CallSite; those that are NULL are left out."""
    checked: dict[str, Any] = {}
    for name, (value, span) in options.items():
        if name not in OPTIONS:
            hint = suggestion(name, OPTIONS, "options")
            raise BindError(f"unknown option {name}", span=span, hint=hint)
        if value is None:
            continue
        expected, check = OPTIONS[name]
        accepted = check(value)
        if accepted is None:
            raise BindError(f"{name} must be {expected}", span=span)
        checked[name] = accepted
        if name == "model":
            checked["model_span"] = span
    return checked


def whole(minimum: int) -> Callable[[Value], int | None]:
    """A check: whole numbers from the minimum."""

    def check(value: Value) -> int | None:
        is_int = isinstance(value, int) and not isinstance(value, bool)
        return value if is_int and isinstance(value, int) and value >= minimum else None

    return check


def number(low: float, high: float) -> Callable[[Value], float | None]:
    """A check: numbers from low to high."""

    def check(value: Value) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if low <= value <= high else None

    return check


def _one_of(*choices: str) -> Callable[[Value], str | None]:
    def check(value: Value) -> str | None:
        lower = value.lower() if isinstance(value, str) else None
        return lower if lower in choices else None

    return check


def _stop(value: Value) -> tuple[str, ...] | None:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list):
        texts = [item for item in value if isinstance(item, str)]
        return tuple(texts) if len(texts) == len(value) else None
    return None


def _seed(value: Value) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _samples(value: Value) -> int | None:
    checked = whole(1)(value)
    return checked if checked is not None and checked <= _MOST_SAMPLES else None


def thinking(value: Value) -> str | None:
    """A check: whether a model is to think before it answers."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return _one_of("on", "off", "auto")(value)


# What each option must be, in words, and the check that gives its value or None.
OPTIONS: dict[str, tuple[str, Callable[[Value], Any]]] = {
    "model": ("the name of a model, as a string", lambda v: v if isinstance(v, str) else None),
    "max_tokens": ("a whole number from 1", whole(1)),
    "temperature": ("a number from 0", number(0, sys.float_info.max)),
    "top_p": ("a number from 0 to 1", number(0, 1)),
    "seed": ("a whole number", _seed),
    "stop": ("a string or a list of strings", _stop),
    "n": (f"a whole number from 1 to {_MOST_SAMPLES}", _samples),
    "thinking": ("'on', 'off' or 'auto'", thinking),
    "retries": ("a whole number from 0", whole(0)),
    "on_error": ("'null' or 'fail'", _one_of("null", "fail")),
    "cache": ("'use', 'refresh' or 'off'", _one_of("use", "refresh", "off")),
}
