"""Calls as they became ready, each engine's own: what goes next where no plan says it.

The scheduler keeps its calls here that are in no plan. There may be millions: those that are over,
or planned meanwhile, are passed over when their turn comes, and no engine's stand in the way of
another's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable


class Arrived:
    """True while there are calls that wait."""

    def __init__(self, waits: Callable[[bytes], bool]) -> None:
        """`waits` says whether a call is still to be taken."""
        self._waits = waits
        self._calls: dict[int, deque[bytes]] = {}  # by the id of the engine

    def add(self, engine: int, call: bytes) -> None:
        self._calls.setdefault(engine, deque()).append(call)

    def take(self, engine: int) -> bytes | None:
        """The engine's first call that waits; None where none does."""
        return self._calls[engine].popleft() if self._first(engine) else None

    def __bool__(self) -> bool:
        return any(map(self._first, self._calls))

    def _first(self, engine: int) -> bool:
        """Whether a call of the engine waits; it is the first one then."""
        calls = self._calls.get(engine)
        while calls and not self._waits(calls[0]):
            calls.popleft()
        return bool(calls)
