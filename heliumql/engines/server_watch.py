"""Looks at what a vLLM server counts while it has calls of ours, and notes how fast it is.

Between two looks the server's steps took the time in which it had something to do. That others use
it too makes no difference: it counts their tokens as well.
"""

from __future__ import annotations

import asyncio
import math
from typing import Protocol

from heliumql.engines.server_counts import Cache, Counts, read_cache, read_counts
from heliumql.engines.speed_notes import SpeedNotes

_PAUSE = 0.5  # seconds between two looks, each of which costs the server some milliseconds
_KNOWN_STEPS = 1000  # of this session, enough to be known by
_KNOWN_PAUSE = 5.0
_ALWAYS = 2  # looks at the beginning of work that come soon all the same: it may have changed
_BUSY = 0.9  # of the time, at least; else others may have used the rest
_EXACT = 0.1  # of the time, at most, that a look may take: who knows when the counts were taken


class MetricsSource(Protocol):
    """Where the counts are read."""

    async def metrics(self) -> str | None:
        """The text; None where there is none now. Raises LookupError where there never is."""


class ServerWatch:
    """Of one server; on the thread of the fleet's event loop. There is no timer: it looks when a
    call is sent or answered, if it is time to."""

    def __init__(self, line: MetricsSource, notes: SpeedNotes) -> None:
        self._line = line
        self._notes = notes
        self.cache: Cache | None = None  # as the server says
        self._tells = False
        self._seen = 0.0  # steps
        self._looks = 0  # since there was nothing to do
        self._last = -math.inf  # when it was looked at last
        self._busy = 0.0  # seconds until `_since`
        self._since: float | None = None  # when it got something to do; None: it has nothing
        self._before: tuple[float, float, Counts] | None = None  # time, busy until then
        self._task: asyncio.Task[None] | None = None

    async def ask(self) -> None:
        """Finds out whether the server counts, and what its KV cache holds."""
        try:
            metrics = await self._line.metrics()
        except LookupError:
            metrics = None
        self._before = None
        self._tells = metrics is not None and read_counts(metrics) is not None
        if metrics is not None:
            self.cache = read_cache(metrics)

    def sent(self) -> None:
        """A call has been sent."""
        now = _now()
        if self._since is None:
            self._since, self._looks = now, 0
        self._look_if_due(now)

    def answered(self, *, left: int) -> None:
        """A call has ended, one way or the other; so many are in flight."""
        now = _now()
        self._look_if_due(now)
        if not left and self._since is not None:
            self._busy, self._since = self._busy_until(now), None

    def stop(self) -> None:
        self._tells = False
        if self._task is not None:
            self._task.cancel()

    def _busy_until(self, now: float) -> float:
        return self._busy + (0.0 if self._since is None else now - self._since)

    def _look_if_due(self, now: float) -> None:
        soon = self._seen < _KNOWN_STEPS or self._looks < _ALWAYS
        pause = _PAUSE if soon else _KNOWN_PAUSE
        if self._tells and self._task is None and now - self._last >= pause:
            self._looks += 1
            self._last = now
            self._task = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        try:
            await self._note()
        except LookupError:
            self._tells = False
        finally:
            self._task = None

    async def _note(self) -> None:
        asked, busy = _now(), self._busy_until(_now())
        metrics = await self._line.metrics()
        answered = _now()
        if metrics is None:  # it may be restarting
            self._before = None
            return
        counts = read_counts(metrics)
        if counts is None:
            raise LookupError("no counts any more")
        at = (asked + answered) / 2
        busy = (busy + self._busy_until(answered)) / 2
        before, self._before = self._before, (at, busy, counts)
        if before is None:
            return
        if not counts.follows(before[2]):
            self.cache = read_cache(metrics)
            return
        passed = at - before[0]
        if answered - asked > _EXACT * passed or counts.lacks_prompts(before[2]):
            self._before = before  # a longer time tells it better
            return
        if busy - before[1] >= _BUSY * passed:
            step = counts.step_since(before[2], busy - before[1])
            if step is not None:
                self._seen += step.times
                self._notes.add([step])


def _now() -> float:
    return asyncio.get_running_loop().time()
