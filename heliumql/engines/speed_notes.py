"""What an engine notes of its speed: learnt in earlier runs, seen in this one. For any thread."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

from heliumql.cost.event_model import Constants
from heliumql.cost.speeds import Observed, Step


class SpeedNotes:
    """The observations of one engine, all its workers together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._learnt = Observed()  # in earlier runs
        self._observed = Observed()  # in this one, as far as it was taken
        self._fresh = Observed()  # since then
        self._fitted: tuple[Sequence[Constants], Sequence[Constants]] | None = None

    def start_from(self, learnt: Observed) -> None:
        """Take this for the speed as long as nothing else was observed."""
        with self._lock:
            self._learnt, self._fitted = learnt, None

    def add(self, steps: Iterable[Step], calls: int = 0, call_seconds: float = 0.0) -> None:
        """Steps that were seen, and calls that took so many seconds together to be taken in."""
        with self._lock:
            self._fresh = self._fresh.add(steps, calls, call_seconds)
            self._fitted = None

    @property
    def observed(self) -> Observed:
        """What was seen since the engine was made."""
        with self._lock:
            return self._observed.merge(self._fresh)

    def take(self) -> Observed:
        """What was seen since this was last called."""
        with self._lock:
            fresh, self._fresh = self._fresh, Observed()
            self._observed, self._fitted = self._observed.merge(fresh), None
            return fresh

    def fit(self, limits: Sequence[Constants]) -> Sequence[Constants]:
        """The limits of the workers with the speed that is known."""
        with self._lock:
            if self._fitted is None or self._fitted[0] != limits:
                seen = self._learnt.merge(self._observed.merge(self._fresh))
                self._fitted = (list(limits), [seen.fit(one) for one in limits])
            return self._fitted[1]
