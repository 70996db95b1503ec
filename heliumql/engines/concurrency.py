"""How many requests an engine keeps in flight at a server, learnt from what the server does."""

from __future__ import annotations

_WORTH_IT = 1.1  # more requests in flight must bring this much more throughput
_NEARLY = 7 / 8  # of the limit in flight: it is what holds calls back


class ConcurrencyLimit:
    """Grows while that pays, halves when the server refuses, then recovers step by step."""

    def __init__(self, start: int, ceiling: int) -> None:
        self.value = start
        self._ceiling = ceiling
        self._searching = start < ceiling
        self._recovering = False
        self._before = start  # the value of the window before this one
        self._best = 0.0  # answers per second of that window
        self._lowered = float("-inf")
        self._count = 0
        self._since: float | None = None

    def succeeded(self, now: float, flying: int, waiting: int) -> None:
        """An answer came when so many were in flight, it included, and others waited.

        Where they wait although more may be in flight, the pace holds them back, and a higher
        limit would not help.
        """
        saturated = waiting > 0 and flying > self.value * _NEARLY
        if not saturated or not (self._searching or self._recovering):
            if not self._recovering:  # what is measured is the throughput at the limit
                self._since = None
            return
        if self._since is None:
            self._since = now
            self._count = 0
            return
        self._count += 1
        if self._count < self.value:
            return
        rate = self._count / max(now - self._since, 1e-9)
        self._since = None
        if self._recovering:
            self.value = min(self._ceiling, self.value + max(1, self.value // 8))
            self._recovering = self.value < self._ceiling
        elif rate > self._best * _WORTH_IT:
            self._best = rate
            self._before = self.value
            self.value = min(self._ceiling, self.value + max(1, self.value // 2))
            self._searching = self.value < self._ceiling
        else:
            self.value = self._before
            self._searching = False

    def refused(self, sent: float, now: float) -> None:
        """The server is busy. Refusals of requests sent before the last halving say nothing new."""
        if sent < self._lowered:
            return
        self._lowered = now
        self.value = max(1, self.value // 2)
        self._searching = False
        self._recovering = True
        self._since = None


class Pace:
    """At most so many units a minute, evenly spread; a second's worth may come at once."""

    def __init__(self, per_minute: float) -> None:
        self._rate = per_minute / 60
        self._burst = self._rate
        self._level = self._burst
        self._at = 0.0

    def delay(self, now: float) -> float:
        """Seconds until the next unit may go. A large one goes on credit, the next ones wait."""
        self._level = min(self._burst, self._level + (now - self._at) * self._rate)
        self._at = now
        return max(0.0, -self._level / self._rate)

    def spend(self, units: float) -> None:
        self._level -= units


class Paces:
    """Requests and tokens a minute that a model may take, of all its servers together."""

    def __init__(self, requests_per_minute: float, tokens_per_minute: float) -> None:
        """0 is no limit."""
        self._requests = Pace(requests_per_minute) if requests_per_minute else None
        self._tokens = Pace(tokens_per_minute) if tokens_per_minute else None

    def delay(self, now: float) -> float:
        """Seconds until the next request may go."""
        return max(pace.delay(now) if pace else 0.0 for pace in (self._requests, self._tokens))

    def spend(self, requests: int, tokens: float) -> None:
        """A request goes, with the tokens that it may take; fewer than none gives some back."""
        if self._requests:
            self._requests.spend(requests)
        if self._tokens:
            self._tokens.spend(tokens)
