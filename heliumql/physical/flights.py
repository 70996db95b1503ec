"""Calls in flight in this process: equal calls of concurrent statements run once.

The first statement that needs a call submits it; others that need it meanwhile are told its answer
too. The dispatcher of each statement holds one inbox.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

from heliumql.physical.shares import Shares

Inbox = SimpleQueue[Any]


@dataclass
class Flights:
    """Who waits for which call in flight, and whose it is. Safe for threads."""

    shares: Shares = field(default_factory=Shares)
    _waiting: dict[bytes, list[Inbox]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def join(self, identity: bytes, inbox: Inbox) -> bool:
        """Waits for the call; true where nobody has submitted it, so that the caller must."""
        with self._lock:
            inboxes = self._waiting.setdefault(identity, [])
            inboxes.append(inbox)
            return len(inboxes) == 1

    def waiting(self, identity: bytes) -> list[Inbox]:
        with self._lock:
            return list(self._waiting.get(identity, ()))

    def land(self, identity: bytes) -> list[Inbox]:
        """The call is over: those who are to be told."""
        self.shares.over(identity)
        with self._lock:
            return self._waiting.pop(identity, [])

    def leave(self, identity: bytes, inbox: Inbox) -> bool:
        """No longer waits; true where nobody else does, so that the call may be cancelled."""
        with self._lock:
            inboxes = self._waiting.get(identity)
            if inboxes is None or inbox not in inboxes:
                return False
            inboxes.remove(inbox)
            if inboxes:
                return False
            del self._waiting[identity]
        self.shares.over(identity)
        return True
