"""When the next request may go to one server, learnt from what the server refuses.

A server that limits the rate of requests answers 429 to those above it. Two things follow: nothing
is sent until it is ready again, and from then on not faster than it lets through. What it lets
through is measured between two waves of refusals, whatever the length of the server's window.

Some servers refuse a request now and then whatever the rate, where one that limits it refuses those
above it one after another. So a refusal that does not say how long to wait, and stands alone among
the latest responses, changes nothing.
"""

from __future__ import annotations

import math
import random
from collections import deque

from heliumql.engines.retry import backoff

_RAMP_AT_ONCE = 8  # requests that a server which nothing is known of gets at once ..
_RAMP_RATE = 160.0  # .. and how many a second for a moment, so that a refusal is heard in time
_RAMP_SECONDS = 0.5
_CAREFUL = 0.95  # of the rate that was let through
# The rate grows slowly where the limit was found and ever faster further on: by 6 % after 20
# requests or 1.4 seconds, whichever comes last, by two thirds after 60 or 4.
_GROWTH_REQUESTS, _GROWTH_SECONDS = 1.5e-4, 3e-2
_BURST_SECONDS = 0.05
_LATEST = 5  # responses: a refusal counts where half of them or more are refusals
_FEW = 3  # requests: as long as it takes to let them through, a pause lasts at least


class Throttle:
    """Paces the requests to one server. Times are seconds of any clock that only goes forward."""

    def __init__(self, first_backoff: float, chance: random.Random) -> None:
        self.busy_since: float | None = None  # it has refused and not answered since
        self._first_backoff = first_backoff
        self._chance = chance
        self._latest: deque[bool] = deque(maxlen=_LATEST)  # was it refused?
        self._waves = 0  # of refusals since the last answer
        self._refused_at = -math.inf  # when the last wave began
        self._not_before = 0.0
        self._paused = False
        # Requests per second from `_since` on, and how many of them were sent and refused.
        self._rate = math.inf
        self._since: float | None = None
        self._sent = 0
        self._refused = 0
        self._level = 0.0  # requests that may be sent at once
        self._at = 0.0

    def delay(self, now: float) -> float:
        """Seconds until the next request may go."""
        if now < self._not_before:
            return self._not_before - now
        if self._paused:
            self._resume(now)
        rate, burst = self._allowed(now)
        if rate == math.inf:
            return 0.0
        self._level = min(burst, self._level + (now - self._at) * rate)
        self._at = now
        return max(0.0, (1 - self._level) / rate)

    def sent(self, now: float) -> None:
        if self._since is None:
            self._since = self._at = now
            self._level = _RAMP_AT_ONCE
        self._sent += 1
        self._level -= 1

    def answered(self) -> None:
        """The server answered a request, not with a refusal."""
        self._latest.append(False)
        self.busy_since = None
        self._waves = 0

    def begin(self) -> None:
        """Calls come after a time without any: for how long it refused before does not count."""
        self.busy_since = None
        self._waves = 0

    def is_hopeless(self, now: float, patience: float) -> bool:
        """It has done nothing but refuse for so long, and not only because nothing was sent."""
        since = self.busy_since
        return since is not None and now - since > patience and self._waves >= _FEW

    def pause(self, until: float) -> None:
        """The server has nothing left to give until then, and says so before it has to refuse."""
        self._not_before = max(self._not_before, until)

    def refused(self, sent: float, now: float, wait: float | None) -> float | None:
        """It refused a request of that time and asks to `wait` seconds, if it says; how long the
        wait is to be. None: it may be asked again at once, and as fast as before."""
        self._refused += 1
        self._latest.append(True)
        if wait is None and 2 * sum(self._latest) < len(self._latest):
            return None
        self._paused = True
        if self.busy_since is None:
            self.busy_since = now
        if sent >= self._refused_at:  # else it was on its way when the wave began
            self._refused_at = now
            self._waves += 1
            if wait is None:
                first = max(self._first_backoff, _FEW / self._rate)
                wait = backoff(self._waves, first, self._chance)
        wait = wait or 0.0
        self._not_before = max(self._not_before, now + wait)
        return self._not_before - now

    def _allowed(self, now: float) -> tuple[float, float]:
        """Requests per second, and how many at once."""
        if self._since is None:
            return math.inf, 0.0
        elapsed = now - self._since
        if self._rate == math.inf:
            return (_RAMP_RATE, _RAMP_AT_ONCE) if elapsed < _RAMP_SECONDS else (math.inf, 0.0)
        growth = min(_GROWTH_REQUESTS * self._sent**2, _GROWTH_SECONDS * elapsed**2)
        rate = self._rate * math.exp(min(growth, 100.0))
        return rate, max(1.0, rate * _BURST_SECONDS)

    def _resume(self, now: float) -> None:
        """The pause is over: from what was let through since the last one comes the rate."""
        self._paused = False
        self._level, self._at = 1.0, now
        passed = self._sent - self._refused
        elapsed = max(now - (self._since or 0.0), 1e-3)
        if passed <= 0:  # the last pause was too short, so it is not over
            self._rate = 1 / elapsed if self._rate == math.inf else self._rate * _CAREFUL
            return
        self._rate = _CAREFUL * passed / elapsed
        self._since = now
        self._sent = self._refused = 0
