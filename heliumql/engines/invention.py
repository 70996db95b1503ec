"""Answers made up from a hash: what the simulated engine says where no script speaks."""

from __future__ import annotations

import json
from datetime import date, timedelta
from hashlib import blake2b
from uuid import UUID

from heliumql.types import SqlType

_WORDS = (
    "amber", "angle", "apple", "arrow", "autumn", "basin", "beacon", "birch", "bridge", "bright",
    "brook", "candle", "canyon", "cedar", "circle", "clay", "cloud", "copper", "coral", "cotton",
    "crane", "creek", "crystal", "dawn", "delta", "desert", "drift", "ember", "fabric", "falcon",
    "fern", "field", "flint", "forest", "garden", "glass", "grain", "granite", "harbor", "hazel",
    "hollow", "island", "ivory", "juniper", "lantern", "lemon", "linen", "maple", "marble",
    "meadow", "mirror", "morning", "mountain", "north", "ocean", "olive", "orchard", "pebble",
    "pepper", "pine", "quartz", "quiet",
)  # fmt: skip


def invent(returns: SqlType, seed: bytes) -> str:
    """An answer that fits the type; the same for the same seed."""
    draws = _Draws(seed)
    if returns.is_text:
        return _sentence(draws, 4 + draws.below(21))
    value = _value(returns, draws)
    if isinstance(value, str) and not returns.is_nested:
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class _Draws:
    """A stream of small numbers drawn from a hash."""

    def __init__(self, seed: bytes) -> None:
        self._digest = blake2b(seed, digest_size=32).digest()
        self._number = int.from_bytes(self._digest)

    def below(self, bound: int) -> int:
        if not self._number >> 64:  # nearly used up
            self._digest = blake2b(self._digest, digest_size=32).digest()
            self._number = int.from_bytes(self._digest)
        self._number, drawn = divmod(self._number, bound)
        return drawn


def _value(returns: SqlType, draws: _Draws) -> object:
    if returns.nullable and draws.below(4) == 0:
        return None
    match returns.name:
        case "BOOLEAN":
            return draws.below(2) == 1
        case "FLOAT" | "DOUBLE":
            return draws.below(1001) / 100
        case "DECIMAL":
            return draws.below(10 ** min(returns.width, 4)) / 10**returns.scale
        case "DATE":
            return _day(draws)
        case "TIME":
            return _time(draws)
        case "TIMESTAMP":
            return f"{_day(draws)} {_time(draws)}"
        case "UUID":
            return str(UUID(int=draws.below(1 << 64) << 64 | draws.below(1 << 64)))
        case "ENUM":
            return returns.values[draws.below(len(returns.values))]
        case "LIST":
            assert returns.item is not None
            return [_value(returns.item, draws) for _ in range(draws.below(4))]
        case "STRUCT":
            return {name: _value(kind, draws) for name, kind in returns.fields}
        case "JSON":
            return {_word(draws): draws.below(11)}
        case "VARCHAR":
            return " ".join(_word(draws) for _ in range(1 + draws.below(4)))
        case _:
            return draws.below(11)


def _day(draws: _Draws) -> str:
    return str(date(2000, 1, 1) + timedelta(days=draws.below(10_000)))


def _time(draws: _Draws) -> str:
    return f"{draws.below(24):02}:{draws.below(60):02}:{draws.below(60):02}"


def _sentence(draws: _Draws, words: int) -> str:
    return " ".join(_word(draws) for _ in range(words)).capitalize() + "."


def _word(draws: _Draws) -> str:
    return _WORDS[draws.below(len(_WORDS))]
