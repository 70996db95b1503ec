"""Prefixes that engines keep in their KV caches, also from one statement to the next.

A statement has the prefixes warmed that its schedule wants kept; after their last use the most
valuable ones stay, within a share of the worker's KV cache, since statements of a session tend to
ask in the same words.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heliumql.engines.engine import Warmup

_SHARE = 0.1  # of a worker's KV cache, for what no statement uses at the moment


@dataclass(frozen=True)
class KeptPrefix:
    """A prefix that a worker of an engine keeps. `value`: tokens that it has saved, about."""

    key: bytes
    worker: int
    tokens: int
    value: int
    users: int = 1  # statements that need it now


class KeptPrefixes:
    """What is kept in the engines of one database. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[int, bytes], KeptPrefix] = {}

    def missing(self, engine: int, wanted: Iterable[tuple[Warmup, int, int]]) -> list[Warmup]:
        """Those to be warmed, of the prefixes that a statement wants (with tokens and uses)."""
        fresh = []
        with self._lock:
            for warmup, tokens, uses in wanted:
                found = self._kept.get((engine, warmup.key))
                saved = tokens * max(0, uses - 1)
                if found is None:
                    fresh.append(warmup)
                    found = KeptPrefix(warmup.key, warmup.worker, tokens, saved)
                else:
                    found = replace(found, value=found.value + saved, users=found.users + 1)
                self._kept[engine, warmup.key] = found
        return fresh

    def unused(self, engine: int, keys: Iterable[bytes], room: Sequence[int]) -> list[bytes]:
        """A statement needs these no more: the keys to be released, so that what nobody uses fits.

        `room` is the KV cache of each worker in tokens.
        """
        with self._lock:
            for key in keys:
                found = self._kept.get((engine, key))
                if found is not None:
                    self._kept[engine, key] = replace(found, users=max(0, found.users - 1))
            released = []
            for worker, tokens in enumerate(room):
                idle = [
                    k
                    for (number, _), k in self._kept.items()
                    if number == engine and k.worker == worker and not k.users
                ]
                budget = int(tokens * _SHARE)
                for kept in sorted(idle, key=lambda k: (-k.value, k.key)):
                    if kept.tokens <= budget:
                        budget -= kept.tokens
                    else:
                        released.append(kept.key)
                        del self._kept[engine, kept.key]
        return released
