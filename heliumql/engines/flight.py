"""A call on its way to a server and back, and the batch that it came in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from heliumql.engines.batches import Request
from heliumql.engines.engine import CallSpec, Deliver


@dataclass
class Submission:
    """A batch as it was submitted."""

    spec: CallSpec
    deliver: Deliver
    warms: bool = False  # a prefix on one server; of no use on another
    common: dict[str, str] = field(default_factory=dict)  # body, by the name of max_tokens


@dataclass(eq=False)
class Flight:
    """A call in flight: it waits in the queue, is being asked, or waits to be sent again."""

    request: Request
    submission: Submission
    order: int = -1  # of arrival
    requests: int = 0
    max_tokens_name: str = ""  # as the last request had it
    failures: int = 0
    unreached: int = 0  # of these failures, how many found no server
    first_sent: float = 0.0
    sent: float = 0.0  # when it was sent last
    queued: bool = False
    task: asyncio.Task[None] | None = None
    timer: asyncio.TimerHandle | None = None

    def __lt__(self, other: Flight) -> bool:
        return (self.request.priority, self.order) < (other.request.priority, other.order)

    def leaves(self) -> None:
        """It goes to another server, to which it owes nothing."""
        self.failures -= self.unreached
        self.unreached = 0
        self.first_sent = 0.0
