"""Shares of engines: concurrent statements together keep a worker just above saturation.

Each statement's dispatcher asks here how many calls it may send to a worker. Alone it gets all of
the worker's room. Of several, those that have calls waiting get equal shares of it, and what one
does not use the others take; whoever has nothing in flight may always send one call. A statement
that holds more than its share sends nothing until enough of its calls have ended, so a newcomer
gets the places that become free.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, TypeAlias

Place: TypeAlias = tuple[int, int]  # the id of an engine, the number of its worker

ROOM = "room"  # told to a dispatcher that waits for room, when there may be some

_SLACK = 16  # part of the room by which each further statement overfills a worker
_HUNGRY_SECONDS = 0.5  # who waits for room asks again much sooner, unless nobody drives it


@dataclass(eq=False)
class _Share:
    """What one statement has at one worker."""

    inbox: SimpleQueue[Any]
    sent: int = 0  # calls in flight
    reserved: int = 0  # calls that are about to be sent
    hungry_at: float | None = None  # when it last wanted more than it got
    told: bool = False  # that there is room, and it has not asked since

    @property
    def calls(self) -> int:
        return self.sent + self.reserved


@dataclass
class Shares:
    """Who has how many calls in flight at which worker. Safe for threads."""

    clock: Callable[[], float] = time.monotonic
    _places: dict[Place, dict[int, _Share]] = field(default_factory=dict)
    _calls: dict[bytes, tuple[Place, _Share]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reserve(
        self, inbox: SimpleQueue[Any], place: Place, room: int, wanted: int, *, idle: bool
    ) -> int:
        """How many of `wanted` calls may go to a worker with so much room; they count from now on.

        `inbox` stands for the statement. `idle`: it has nothing in flight anywhere.
        """
        with self._lock:
            shares = self._places.setdefault(place, {})
            mine = shares.get(id(inbox))
            if mine is None:
                mine = shares[id(inbox)] = _Share(inbox)
            mine.told = False
            mine.reserved = 0
            allowed = room - mine.calls
            if len(shares) > 1:
                allowed = min(allowed, self._allowed(mine, shares, room))
            granted = max(0, min(wanted, allowed))
            if idle and wanted and not granted:
                granted = 1
            mine.hungry_at = self.clock() if granted < wanted else None
            mine.reserved = granted
            return granted

    def _allowed(self, mine: _Share, shares: dict[int, _Share], room: int) -> int:
        since = self.clock() - _HUNGRY_SECONDS
        others = [s for s in shares.values() if s is not mine]
        hungry = [s for s in others if s.hungry_at is not None and s.hungry_at > since]
        sated = sum(s.calls for s in others) - sum(s.calls for s in hungry)
        # Many threads take turns: until each has seen that a call is over, it may have one more.
        room += len(hungry) * (room // _SLACK)
        share = max(1, (room - sated) // (len(hungry) + 1))
        return min(share - mine.calls, room - mine.calls - sum(s.calls for s in others))

    def sent(self, inbox: SimpleQueue[Any], place: Place, identities: Sequence[bytes]) -> None:
        """These calls are on their way; what else was reserved is free."""
        with self._lock:
            mine = self._places.setdefault(place, {}).setdefault(id(inbox), _Share(inbox))
            left, mine.reserved = mine.reserved - len(identities), 0
            mine.sent += len(identities)
            for identity in identities:
                self._calls[identity] = (place, mine)
            if left > 0:
                self._tell(place, mine)

    def over(self, identity: bytes) -> None:
        """The call has an answer, or was cancelled. One that is over already is passed over."""
        if identity not in self._calls:
            return
        with self._lock:
            found = self._calls.pop(identity, None)
            if found is not None:
                place, share = found
                share.sent -= 1
                self._forget(place, -id(share), share)
                self._tell(place, share)

    def _tell(self, place: Place, freed: _Share) -> None:
        """Room has become free: the one who has least of those who wait for some hears of it.

        Not where the one that made it free will take it again, and hears of that anyway.
        """
        waiting = [
            s
            for s in self._places.get(place, {}).values()
            if s is not freed and s.hungry_at is not None and not s.told
        ]
        if not waiting:
            return
        least = min(waiting, key=lambda s: s.calls)
        if freed.hungry_at is None or least.calls + 1 < freed.calls:
            least.told = True
            least.inbox.put(ROOM)

    def leave(self, inbox: SimpleQueue[Any]) -> None:
        """The statement sends no more; calls of it that are in flight for others go on."""
        with self._lock:
            for place, shares in list(self._places.items()):
                share = shares.get(id(inbox))
                if share is None:
                    continue
                share.hungry_at, share.reserved = None, 0
                # Under another key: the inbox may go, and another one have its id.
                shares[-id(share)] = shares.pop(id(inbox))
                self._forget(place, -id(share), share)
                self._tell(place, share)

    def _forget(self, place: Place, key: int, share: _Share) -> None:
        """Drops the share of a statement that has left, once its last call is over."""
        shares = self._places.get(place, {})
        if not share.sent and shares.get(key) is share:
            del shares[key]
            if not shares:
                del self._places[place]

    def in_flight(self) -> dict[int, int]:
        """Calls of each engine, by its id."""
        with self._lock:
            counts: dict[int, int] = {}
            for (engine, _), shares in self._places.items():
                counts[engine] = counts.get(engine, 0) + sum(s.calls for s in shares.values())
            return counts
