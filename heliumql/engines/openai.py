"""The engine `openai`: servers with the chat completions and embeddings APIs, over pooled HTTP.

The work is done by a `Fleet` (fleet.py), which lives from the first use to `close`. Each server
is a worker.
"""

from __future__ import annotations

import atexit
import json
import threading
import uuid
from collections.abc import Mapping, Sequence
from functools import partial

import pyarrow as pa

from heliumql.cost.event_model import Constants
from heliumql.cost.speeds import Observed
from heliumql.engines.batches import Request, check_workers, read_requests
from heliumql.engines.beginning import common_beginning
from heliumql.engines.engine import CallSpec, Deliver, Sampling, Told, Warmup
from heliumql.engines.fleet import DEAD_SECONDS, Fleet, wait_for
from heliumql.engines.flight import Flight, Submission
from heliumql.engines.options import read_tasks
from heliumql.engines.server import read_servers
from heliumql.engines.speed_notes import SpeedNotes
from heliumql.errors import EngineError
from heliumql.types import parse_type

_URGENT = -(1 << 62)  # the priority of warm-ups: before all calls


class OpenAIEngine:
    """Implements `heliumql.engines.engine.ScheduledEngine`, and `MeasuredEngine` where the servers
    are vLLM's: all of them are taken to be as fast as they are together.

    Where the option `task` does not say what the model does, the server does when it is asked.
    """

    def __init__(
        self,
        options: Mapping[str, object],
        *,
        first_backoff: float = 0.5,
        dead_seconds: float = DEAD_SECONDS,
    ) -> None:
        self.tasks = read_tasks(options)
        self._servers = read_servers(options, first_backoff)
        self._dead_seconds = dead_seconds  # until a server that could not be reached is tried again
        self._lock = threading.Lock()
        self._fleet: Fleet | None = None
        self._checked = False
        self._speed = SpeedNotes()

    @property
    def slots(self) -> int:
        fleet = self._fleet
        return fleet.slots if fleet is not None else sum(s.concurrency for s in self._servers)

    @property
    def context_tokens(self) -> int | None:
        """The smallest of the servers that have said it, or whose model's options do."""
        fleet = self._fleet
        known = [e.context for e in fleet.exchanges] if fleet else [self._servers[0].context]
        return min((context for context in known if context), default=None)

    def take_incidents(self) -> Sequence[str]:
        """Servers that have been lost since this was last called."""
        fleet = self._fleet
        if fleet is None:
            return []
        incidents, fleet.incidents = fleet.incidents, []
        return incidents

    @property
    def workers(self) -> Sequence[Constants]:
        fleet = self._fleet
        if fleet is None:
            return self._speed.fit([s.constants(s.concurrency) for s in self._servers])
        return self._speed.fit([exchange.constants for exchange in fleet.exchanges])

    @property
    def speed_key(self) -> str:
        """The servers and the model. What runs at an address may change: newer steps count more."""
        urls = sorted(str(server.url.with_query(None)) for server in self._servers)
        return json.dumps({"model": self._servers[0].model, "servers": urls})

    def start_from(self, learnt: Observed) -> None:
        self._speed.start_from(learnt)

    def take_observed(self) -> Observed:
        return self._speed.take()

    def start(self) -> None:
        with self._lock:
            if self._checked:
                return
            checking = self._opened().schedule_check()
        wait_for(checking)
        self._checked = True

    def submit(self, spec: CallSpec, requests: pa.RecordBatch, deliver: Deliver) -> None:
        submission = Submission(spec, deliver)
        calls = read_requests(requests)
        check_workers(calls, len(self._servers))
        self._take([Flight(request, submission) for request in calls])

    def warm(self, warmups: Sequence[Warmup], told: Told) -> None:
        """Asks for one token after each common beginning; what a server keeps is its own affair."""
        spec = CallSpec(Sampling(max_tokens=1), parse_type("VARCHAR"), retries=0)
        flights = []
        for warmup in warmups:
            messages = common_beginning(warmup.first, warmup.second)
            if messages and 0 <= warmup.worker < len(self._servers):
                name = uuid.uuid4().bytes  # no key of ours: those in flight are named by calls
                request = Request(name, messages, _URGENT, warmup.worker)
                deliver = partial(_tell, warmup.key, told)
                flights.append(Flight(request, Submission(spec, deliver, warms=True)))
        if flights:
            self._take(flights)

    def release(self, keys: Sequence[bytes]) -> None:
        """Nothing to do: servers forget by themselves."""

    def advance(self) -> None:
        """Time passes by itself."""

    def cancel(self, calls: Sequence[bytes]) -> None:
        with self._lock:
            fleet = self._fleet
            if fleet is not None:
                fleet.loop.call_soon_threadsafe(fleet.cancel, list(calls))

    def close(self) -> None:
        with self._lock:
            fleet, self._fleet = self._fleet, None
            self._checked = False
        if fleet is not None:
            atexit.unregister(self.close)
            fleet.close()

    def _take(self, flights: list[Flight]) -> None:
        with self._lock:  # so that `close` comes before or after, and cancels them if after
            fleet = self._opened()
            fleet.loop.call_soon_threadsafe(fleet.take, flights)

    def _opened(self) -> Fleet:
        if self._fleet is None:
            self._fleet = Fleet(self._servers, self._dead_seconds, self._speed)
            atexit.register(self.close)
        return self._fleet


def _tell(key: bytes, told: Told, answers: pa.RecordBatch | EngineError) -> None:
    """Tells of a warm-up that has been answered; of no other."""
    if isinstance(answers, pa.RecordBatch) and answers.column("error")[0].as_py() is None:
        prompt, cached = answers.column("prompt_tokens")[0], answers.column("cached_tokens")[0]
        told(key, prompt.as_py(), cached.as_py())
