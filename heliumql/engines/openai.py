"""The engine `openai`: any server with the chat completions API, over pooled HTTP connections.

The work is done by an `Exchange` (exchange.py), which lives from the first use to `close`.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Mapping, Sequence

import pyarrow as pa

from heliumql.engines.batches import read_requests
from heliumql.engines.engine import CallSpec, Deliver
from heliumql.engines.exchange import Exchange, Flight, Submission, wait_for
from heliumql.engines.server import read_server


class OpenAIEngine:
    """Implements `heliumql.engines.engine.Engine`."""

    def __init__(self, options: Mapping[str, object], *, first_backoff: float = 0.5) -> None:
        self._server = read_server(options, first_backoff)
        self._lock = threading.Lock()
        self._exchange: Exchange | None = None
        self._checked = False

    @property
    def slots(self) -> int:
        exchange = self._exchange
        return exchange.limit.value if exchange is not None else self._server.concurrency

    def start(self) -> None:
        with self._lock:
            if self._checked:
                return
            checking = self._opened().schedule_check()
        wait_for(checking)
        self._checked = True

    def submit(self, spec: CallSpec, requests: pa.RecordBatch, deliver: Deliver) -> None:
        submission = Submission(spec, deliver)
        flights = [Flight(request, submission) for request in read_requests(requests)]
        with self._lock:  # so that `close` comes before or after, and cancels it if after
            exchange = self._opened()
            exchange.loop.call_soon_threadsafe(exchange.take, flights)

    def advance(self) -> None:
        """Time passes by itself."""

    def cancel(self, calls: Sequence[bytes]) -> None:
        with self._lock:
            exchange = self._exchange
            if exchange is not None:
                exchange.loop.call_soon_threadsafe(exchange.cancel, list(calls))

    def close(self) -> None:
        with self._lock:
            exchange, self._exchange = self._exchange, None
            self._checked = False
        if exchange is not None:
            atexit.unregister(self.close)
            exchange.close()

    def _opened(self) -> Exchange:
        if self._exchange is None:
            self._exchange = Exchange(self._server, self._server.key())
            atexit.register(self.close)
        return self._exchange
