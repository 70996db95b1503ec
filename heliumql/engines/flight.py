"""Calls on their way to a server and back: how they came, how they wait, how they are asked."""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass, field

from heliumql.engines.batches import Request
from heliumql.engines.engine import CallSpec, Deliver

MOST_TEXTS = 32  # of a request: no server that we know takes fewer by default
MOST_CHARACTERS = 1 << 18  # of the texts of a request together


@dataclass
class Submission:
    """A batch as it was submitted."""

    spec: CallSpec
    deliver: Deliver
    warms: bool = False  # a prefix on one server; of no use on another
    # what the bodies share, by the parts that the server does not take
    common: dict[frozenset[str], str] = field(default_factory=dict)


@dataclass(eq=False)
class Asked:
    """A request on its way, and the calls that wait for it: several, where they embed."""

    flights: list[Flight]
    task: asyncio.Task[None] | None = None
    reserved: float = 0.0  # tokens that it may take

    def __post_init__(self) -> None:
        self.reserved = sum(flight.most_tokens for flight in self.flights)

    def leave(self, flight: Flight) -> bool:
        """A call waits no longer; true where it was the last, and the request is over."""
        flight.asked = None
        self.flights.remove(flight)
        if not self.flights and self.task is not None:
            self.task.cancel()
        return not self.flights


@dataclass(eq=False)
class Flight:
    """A call in flight: it waits in the queue, is being asked, or waits to be sent again."""

    request: Request
    submission: Submission
    order: int = -1  # of arrival
    requests: int = 0
    without: frozenset[str] = frozenset()  # parts that the last request did without
    room: int | None = None  # for the answer, where it is less than max_tokens; 0: not known
    failures: int = 0
    unreached: int = 0  # of these failures, how many found no server
    sent: float = 0.0  # when it was sent last
    queued: bool = False
    moved: bool = False  # from another server
    asked: Asked | None = None  # the request that it is part of now
    alone: bool = False  # it shares no request: one that it was part of was refused
    timer: asyncio.TimerHandle | None = None

    def __lt__(self, other: Flight) -> bool:
        return (self.request.priority, self.order) < (other.request.priority, other.order)

    @property
    def embeds(self) -> bool:
        return self.submission.spec.task == "embed"

    @property
    def shares(self) -> bool:
        """It may be asked together with others."""
        return self.embeds and not self.alone

    @property
    def size(self) -> int:
        """Characters of its messages."""
        return sum(len(content) for _, content in self.request.messages)

    @property
    def most_tokens(self) -> float:
        """That a request for it may take, about."""
        output = 0 if self.embeds else self.submission.spec.sampling.max_tokens
        return self.size / 4 + output

    def leaves(self) -> None:
        """It goes to another server, to which it owes nothing."""
        self.forgive()
        self.moved = True

    def forgive(self) -> None:
        """That its server could not be reached counts no more."""
        self.failures -= self.unreached
        self.unreached = 0


class FlightQueue:
    """Calls that wait to be asked, the most urgent first."""

    def __init__(self) -> None:
        self._heap: list[Flight] = []
        self.waiting = 0  # how many there are, without those that were dropped

    def add(self, flight: Flight) -> None:
        flight.queued = True
        self.waiting += 1
        heapq.heappush(self._heap, flight)

    def drop(self, flight: Flight) -> None:
        """It waits no longer, if it did."""
        self.waiting -= flight.queued
        flight.queued = False

    def clear(self) -> None:
        """Forgets the calls, all of which were dropped or are over."""
        self._heap.clear()

    def take(self) -> list[Flight]:
        """The next call (there is one); where it embeds, with those behind it that do too."""
        taken: list[Flight] = []
        size = 0
        while self._heap and len(taken) < MOST_TEXTS:
            flight = self._heap[0]
            if flight.queued:
                size += flight.size
                if taken and not (flight.shares and size <= MOST_CHARACTERS):
                    break
                taken.append(flight)
                self.drop(flight)
            heapq.heappop(self._heap)
            if taken and not taken[0].shares:
                break
        return taken
