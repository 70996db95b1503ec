"""Typed reading of the options of a model (`CREATE MODEL .. WITH`), for the engines."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, cast

from heliumql.engines.engine import Task, Thinking
from heliumql.errors import CatalogError
from heliumql.syntax.mistakes import nearest
from heliumql.syntax.options import OPTIONS, number, thinking, whole

# Every model may have these, whatever its engine; an engine reads those that concern it.
COMMON_KEYS = frozenset({
    "engine", "model", "revision", "base_url", "api_key_env", "workers", "max_model_len", "dtype",
    "kv_cache_tokens", "concurrency", "timeout", "retries", "requests_per_minute",
    "tokens_per_minute", "price_in", "price_out", "thinking", "chat_template_kwargs",
    "chat_template_args",
    "max_tokens", "temperature", "top_p", "seed", "stop", "task",
})  # fmt: skip

VLLM_KEYS = ("enforce_eager",)  # of the engine vllm beside those
OPENAI_KEYS = ("max_num_seqs", "priorities")  # of the engine openai

# What the session reads of every model: in words, and the check that gives a value or None.
# The same values are right and wrong as in the arguments of a call.
_PRICE = ("a number from 0", number(0, sys.float_info.max))
_CHECKS = {
    key: OPTIONS[key]
    for key in ("max_tokens", "temperature", "top_p", "seed", "stop", "retries", "thinking")
} | {"concurrency": ("a whole number from 1", whole(1)), "price_in": _PRICE, "price_out": _PRICE}


MOST_WORKERS = 256
TASKS: frozenset[Task] = frozenset({"generate", "embed"})


def read_workers(options: Mapping[str, object]) -> int:
    """How many workers a model is to have."""
    count = read_integer(options, "workers", 1)
    if count > MOST_WORKERS:
        raise CatalogError(f"option 'workers' must be at most {MOST_WORKERS}, not {count}")
    return count


def read_task(options: Mapping[str, object]) -> Task | None:
    """What the model is for, where that is said."""
    match read_text(options, "task"):
        case None:
            return None
        case "generate":
            return "generate"
        case "embed":
            return "embed"
        case other:
            raise CatalogError(f"task must be 'generate' or 'embed', not {other!r}")


def read_tasks(options: Mapping[str, object]) -> frozenset[Task]:
    """What may be asked of the model; anything, where nothing is said."""
    task = read_task(options)
    return TASKS if task is None else frozenset({task})


def check_values(options: Mapping[str, object]) -> None:
    """Raise CatalogError where an option that every model may have cannot be what it is."""
    for key, (expected, check) in _CHECKS.items():
        value: Any = options.get(key)
        if value is not None and check(list(value) if isinstance(value, tuple) else value) is None:
            raise CatalogError(f"{key} must be {expected}")


def check_keys(engine: str, options: Mapping[str, object], extra: Iterable[str] = ()) -> None:
    """Raise CatalogError where a key is neither common nor among the engine's own."""
    known = COMMON_KEYS.union(extra)
    for key in options:
        if key not in known:
            meant = nearest(key, known)
            listed = "options are " + ", ".join(sorted(known))
            if key == "api_key":
                listed = "keys are not stored: api_key_env names the environment variable"
            elif meant:
                listed = f"did you mean {meant}? {listed}"
            raise CatalogError(f"unknown option {key!r} of engine {engine!r}", hint=listed)


def read_text(options: Mapping[str, object], key: str, default: str | None = None) -> str | None:
    value = options.get(key)
    if value is None:
        return default
    if not isinstance(value, str) or not value:
        raise CatalogError(f"option {key!r} is a text, not {value!r}")
    return value


def read_texts(
    options: Mapping[str, object], key: str, default: tuple[str, ...]
) -> tuple[str, ...]:
    """One text or a list of them."""
    value = options.get(key)
    if not isinstance(value, list | tuple):
        text = read_text(options, key)
        return default if text is None else (text,)
    if not value:
        raise CatalogError(f"option {key!r} is an empty list")
    for item in value:
        if not isinstance(item, str) or not item:
            raise CatalogError(f"option {key!r} is a text or a list of texts, not {value!r}")
    return tuple(value)


def read_number(
    options: Mapping[str, object], key: str, default: float, least: float = 0.0
) -> float:
    value = options.get(key)
    if value is None:
        return float(default)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise CatalogError(f"option {key!r} is a number, not {value!r}")
    number = float(value)
    if not math.isfinite(number) or number < least:
        raise CatalogError(f"option {key!r} must be at least {least:g}, not {value}")
    return number


def read_integer(options: Mapping[str, object], key: str, default: int, least: int = 1) -> int:
    number = read_number(options, key, default, least)
    if not number.is_integer():
        raise CatalogError(f"option {key!r} is a whole number, not {options[key]}")
    return int(number)


def read_flag(options: Mapping[str, object], key: str, default: bool) -> bool:
    value = options.get(key)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise CatalogError(f"option {key!r} is true or false, not {value!r}")
    return value


def read_thinking(options: Mapping[str, object]) -> Thinking:
    """Whether the calls of the model are to think where they do not say."""
    given: Any = options.get("thinking")
    found: Any = "auto" if given is None else thinking(given)
    if found is None:
        raise CatalogError("thinking must be 'on', 'off' or 'auto'")
    return cast(Thinking, found)


def read_template_arguments(options: Mapping[str, object]) -> dict[str, object]:
    """What the chat template is given beside the messages; the option has a shorter name, too."""
    keys = [
        key
        for key in ("chat_template_kwargs", "chat_template_args")
        if options.get(key) is not None
    ]
    if len(keys) > 1:
        raise CatalogError(f"{keys[0]!r} and {keys[1]!r} are the same option; give one")
    return read_object(options, keys[0]) if keys else {}


def read_object(options: Mapping[str, object], key: str) -> dict[str, object]:
    """A mapping, given as one or as a JSON object; empty where not given."""
    value = options.get(key)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError as error:
            raise CatalogError(f"option {key!r} is not JSON: {error.msg}") from None
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise CatalogError(f"option {key!r} is a JSON object, not {value!r}")
    return {str(name): item for name, item in value.items()}
