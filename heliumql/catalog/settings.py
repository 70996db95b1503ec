"""The settings `SET llm_* = ..`, with their types and defaults; the session reads them."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass, fields, replace
from typing import Any

from heliumql.errors import CatalogError


@dataclass(frozen=True)
class Settings:
    """Values of all settings; the names are those after `llm_`."""

    default_model: str = ""  # '': the one model made, or demo where none was
    optimizer: bool = True
    disabled_rules: str = ""  # names of rules and techniques, with commas between
    verify: bool = False
    scheduler: str = "cache_aware"
    cache: str = "use"
    cache_path: str = ""  # '': beside the database's file, for one in memory this session
    cache_bytes: int = 10_000_000_000
    on_error: str = "null"
    max_error_ratio: float = 1.0  # of the calls run; looked at after 20
    max_calls: int | None = None  # of a statement, as the other budgets; None: no limit
    max_tokens: int | None = None  # prompt and output
    max_seconds: float | None = None  # from the first call
    max_cost: float | None = None  # by the prices of the models
    on_budget: str = "error"
    window_bytes: int = 128_000_000
    batch_rows: int = 1024

    def with_value(self, name: str, value: object) -> Settings:
        """A changed copy. Raises CatalogError where the setting or the value does not exist."""
        key = _key(name)
        changed: dict[str, Any] = {key: _fitting(name, value, getattr(Settings(), key))}
        return replace(self, **changed)

    def value(self, name: str) -> str | int | float | bool | None:
        """The value of a setting. Raises CatalogError where it does not exist."""
        value: str | int | float | bool | None = getattr(self, _key(name))
        return value

    def without(self, name: str) -> Settings:
        """A copy in which the setting has its default."""
        default: dict[str, Any] = {_key(name): getattr(Settings(), _key(name))}
        return replace(self, **default)


SETTINGS = tuple(f"llm_{f.name}" for f in fields(Settings))
SCHEDULERS = (
    "cache_aware", "query_wise", "op_wise", "random", "fcfs", "lspf", "helium", "parrot",
)  # fmt: skip
_ON_MODELS_ONLY = "kvflow"
CHOICES = {
    "llm_cache": ("use", "refresh", "off"),
    "llm_on_error": ("null", "fail"),
    "llm_on_budget": ("error", "partial"),
    "llm_scheduler": SCHEDULERS,
}
_BUDGETS = {
    "llm_max_calls": True, "llm_max_tokens": True, "llm_max_seconds": False, "llm_max_cost": False,
}  # fmt: skip
"""Limits of what a statement may spend; whether they are whole numbers."""
_FLAGS = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}


def _key(name: str) -> str:
    lowered = name.lower()
    if lowered not in SETTINGS:
        near = difflib.get_close_matches(lowered, SETTINGS, 1)
        hint = f"did you mean {near[0]}?" if near else "settings: " + ", ".join(SETTINGS)
        raise CatalogError(f"unknown setting {name}", hint=hint)
    return lowered.removeprefix("llm_")


def _fitting(name: str, value: object, default: object) -> object:
    name = name.lower()
    if name in _BUDGETS:
        return _budget(name, value)
    if value is None:
        raise CatalogError(f"{name} cannot be NULL", hint=f"RESET {name} gives it its default")
    if isinstance(default, bool):
        flag = _FLAGS.get(str(value).lower())
        if flag is None:
            raise CatalogError(f"{name} is on or off, not {value!r}")
        return flag
    if isinstance(default, int):
        if isinstance(value, bool) or not str(value).isdigit() or int(str(value)) < 1:
            raise CatalogError(f"{name} is a positive whole number, not {value!r}")
        return int(str(value))
    if isinstance(default, float):
        number = _number(value)
        if number is None or number > 1:
            raise CatalogError(f"{name} is a number from 0 to 1, not {value!r}")
        return number
    choices = CHOICES.get(name)
    if choices is not None and str(value).lower() not in choices:
        hint = "one of " + ", ".join(choices)
        near = difflib.get_close_matches(str(value).lower().replace("-", "_"), choices, 1)
        if near:
            hint = f"did you mean {near[0]}? {hint}"
        if choices is SCHEDULERS and str(value).lower() == _ON_MODELS_ONLY:
            hint = (
                f"{_ON_MODELS_ONLY} is a policy of an engine's own cache; it can be compared with"
                f" the others on the event model alone. Here: {hint}"
            )
        raise CatalogError(f"{name} cannot be {value!r}", hint=hint)
    return str(value).lower() if choices else str(value)


def _budget(name: str, value: object) -> int | float | None:
    """A limit of what a statement may spend; 'none' and NULL take it off."""
    if value is None or str(value).lower() == "none":
        return None
    number, whole = _number(value), _BUDGETS[name]
    if number is None or (whole and number != int(number)):
        kind = "a whole number" if whole else "a number"
        raise CatalogError(f"{name} is {kind}, not {value!r}", hint="NULL takes the limit off")
    return int(number) if whole else number


def _number(value: object) -> float | None:
    """A number that is not negative; None where the value is not one."""
    if isinstance(value, bool):
        return None
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if number >= 0 and math.isfinite(number) else None
