"""Looks at what a vLLM server counts while it has calls of ours, and notes how fast it is.

Between two looks at a server that always had something to do its steps took the time that passed.
That others use it too makes no difference: it counts their tokens as well.
"""

from __future__ import annotations

import asyncio

from heliumql.engines.line import Line
from heliumql.engines.server_counts import Cache, Counts, read_cache, read_counts
from heliumql.engines.speed_notes import SpeedNotes

_PAUSE = 0.5  # seconds between two looks, each of which costs the server some milliseconds
_KNOWN_STEPS = 1000  # enough to be known by
_KNOWN_PAUSE = 5.0


class Watch:
    """Of one server; on the thread of the fleet's event loop."""

    def __init__(self, line: Line, notes: SpeedNotes) -> None:
        self._line = line
        self._notes = notes
        self.cache: Cache | None = None  # as the server says
        self._tells = False
        self._in_flight = False
        self._has_paused = False  # nothing was in flight for a moment since the last look
        self._task: asyncio.Task[None] | None = None

    async def ask(self) -> None:
        """Finds out whether the server counts, and what its KV cache holds."""
        metrics = await self._line.metrics()
        if metrics is not None:
            self.cache = read_cache(metrics)
            self._tells = read_counts(metrics) is not None

    def begin(self) -> None:
        """A call is in flight."""
        self._in_flight = True
        if self._tells and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._look())

    def idle(self) -> None:
        """None is in flight any more."""
        self._in_flight, self._has_paused = False, True

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _look(self) -> None:
        """Looks again and again, until nothing is in flight."""
        loop = asyncio.get_running_loop()
        before: tuple[float, Counts] | None = None
        while self._in_flight:
            # An idle moment while the server answers belongs to both sides.
            paused, self._has_paused = self._has_paused, False
            asked = loop.time()
            metrics = await self._line.metrics()
            counts = None if metrics is None else read_counts(metrics)
            if counts is None:
                self._tells = False
                break
            at = (asked + loop.time()) / 2
            if before is not None and not (paused or self._has_paused):
                step = counts.step_since(before[1], at - before[0])
                if step is not None:
                    self._notes.add([step])
            before = (at, counts)
            known = self._notes.steps >= _KNOWN_STEPS
            await asyncio.sleep(_KNOWN_PAUSE if known else _PAUSE)
        self._task = None
