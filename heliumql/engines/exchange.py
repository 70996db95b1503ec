"""The traffic of the engine `openai` with its server, on an event loop in a thread of its own.

Everything here runs on that thread, except where it says otherwise.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import random
import threading
import time
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import aiohttp

from heliumql.engines.batches import Answer, Request, answers_batch, cancelled, failed
from heliumql.engines.chat import error_message, parameters, read_completion, request_body
from heliumql.engines.concurrency import ConcurrencyLimit, Pace
from heliumql.engines.engine import CallSpec, Deliver
from heliumql.engines.retry import Verdict, backoff, judge, retry_after
from heliumql.engines.server import Server, proxy_for
from heliumql.errors import EngineError, InternalError

_CHECK_SECONDS = 10.0
_CONNECT_SECONDS = 30.0
_CLOSE_SECONDS = 10.0
# Below the five seconds after which common servers close an idle connection: a request that
# meets such a close is lost.
_KEEP_ALIVE = 4.0


@dataclass
class Submission:
    """A batch as it was submitted."""

    spec: CallSpec
    deliver: Deliver
    common: dict[str, str] = field(default_factory=dict)  # body, by the name of max_tokens


@dataclass(eq=False)
class Flight:
    """A call in flight: it waits in the queue, is being asked, or waits to be sent again."""

    request: Request
    submission: Submission
    order: int = 0
    requests: int = 0
    max_tokens_name: str = ""  # as the last request had it
    failures: int = 0
    first_sent: float = 0.0
    queued: bool = False
    task: asyncio.Task[None] | None = None
    timer: asyncio.TimerHandle | None = None

    def __lt__(self, other: Flight) -> bool:
        return (self.request.priority, self.order) < (other.request.priority, other.order)


class _Unusable(Exception):
    """A response that cannot be an answer, though its status says so."""


class Exchange:
    """The traffic with one server, on its own event loop and thread."""

    def __init__(self, server: Server, key: str | None) -> None:
        self._server = server
        self._key = key
        self._headers = {"Content-Type": "application/json"}
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key}"
        self.limit = ConcurrencyLimit(server.concurrency, server.ceiling)
        self._paces = (
            Pace(server.requests_per_minute) if server.requests_per_minute else None,
            Pace(server.tokens_per_minute) if server.tokens_per_minute else None,
        )
        self._max_tokens_name = "max_tokens"
        self._chance = random.Random()
        self._live: dict[bytes, Flight] = {}
        self._queue: list[Flight] = []
        self._waiting = 0  # of the queue, how many are not cancelled
        self._asking = 0
        self._arrived = 0
        self._not_before = 0.0
        self._wake: asyncio.TimerHandle | None = None
        self._done: list[tuple[Deliver, Answer]] = []
        self._session: aiohttp.ClientSession | None = None
        self.loop = asyncio.new_event_loop()
        # Looks up host names. Our own, so that closing it needs no help from the loop.
        self._executor = ThreadPoolExecutor(2, "heliumql-openai-names")
        self.loop.set_default_executor(self._executor)
        self._thread = threading.Thread(target=self._run, name="heliumql-openai", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def schedule_check(self) -> Future[None]:
        """Called from another thread: begin to `check`."""
        return asyncio.run_coroutine_threadsafe(self.check(), self.loop)

    def close(self) -> None:
        """Called from another thread: everything in flight is cancelled, the thread ends."""
        stopping = asyncio.run_coroutine_threadsafe(self._stop(), self.loop)
        try:
            stopping.result(_CLOSE_SECONDS)
        finally:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(_CLOSE_SECONDS)
            self._executor.shutdown(cancel_futures=True)
            if not self._thread.is_alive():
                self.loop.close()

    async def _stop(self) -> None:
        self.cancel(list(self._live))
        self._flush()
        if self._wake is not None:
            self._wake.cancel()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def check(self) -> None:
        """Ask for the list of models: is the server there, and does it know the model?"""
        server = self._server
        timeout = aiohttp.ClientTimeout(total=_CHECK_SECONDS, sock_connect=_CHECK_SECONDS / 2)
        try:
            async with self._opened().get(
                server.url / "models", timeout=timeout, allow_redirects=False
            ) as response:
                body = await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise self._server.unreachable(error) from None
        except (aiohttp.ClientError, OSError):
            return  # it is there, only slow or odd, and may well answer chats
        if response.status in (401, 403):
            raise self._server.refused(response.status, self._safe(error_message(body)[0]), None)
        if response.status != 200:
            return
        server.check_model(body)

    def take(self, flights: list[Flight]) -> None:
        for flight in flights:
            flight.order = self._arrived
            self._arrived += 1
            self._live[flight.request.call] = flight
            self._enqueue(flight)
        self._pump()

    def cancel(self, calls: list[bytes]) -> None:
        for call in calls:
            flight = self._live.get(call)
            if flight is not None:
                self._abandon(flight)
                self._finish(flight, cancelled(call, flight.requests))
        self._pump()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE),
                timeout=aiohttp.ClientTimeout(
                    total=self._server.timeout, sock_connect=_CONNECT_SECONDS
                ),
                headers=self._headers,
                proxy=proxy_for(self._server.url),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    def _enqueue(self, flight: Flight) -> None:
        flight.timer = None
        flight.queued = True
        self._waiting += 1
        heapq.heappush(self._queue, flight)

    def _again(self, flight: Flight) -> None:
        self._enqueue(flight)
        self._pump()

    def _pump(self) -> None:
        """Send waiting calls, as many as may be in flight now."""
        while self._queue and self._asking < self.limit.value:
            if not self._queue[0].queued:
                heapq.heappop(self._queue)
                continue
            now = self.loop.time()
            delay = max(
                self._not_before - now, *(pace.delay(now) if pace else 0.0 for pace in self._paces)
            )
            if delay > 0:
                if self._wake is None:
                    self._wake = self.loop.call_later(delay, self._woken)
                return
            flight = heapq.heappop(self._queue)
            flight.queued = False
            self._waiting -= 1
            self._asking += 1
            self._spend(flight)
            flight.task = self.loop.create_task(self._ask(flight))

    def _spend(self, flight: Flight) -> None:
        requests, tokens = self._paces
        if requests:
            requests.spend(1)
        if tokens:
            size = sum(len(content) for _, content in flight.request.messages)
            tokens.spend(size / 4 + flight.submission.spec.sampling.max_tokens)

    def _woken(self) -> None:
        self._wake = None
        self._pump()

    async def _ask(self, flight: Flight) -> None:
        """One request for a call, and what follows from it."""
        try:
            await self._request(flight)
        except Exception as bug:  # whatever it is, the callers must not wait forever
            self._end(EngineError(f"{InternalError(f'engine openai: {bug!r}')}"))
        self._pump()

    async def _request(self, flight: Flight) -> None:
        body = self._body(flight)
        flight.requests += 1
        sent = self.loop.time()
        flight.first_sent = flight.first_sent or sent
        error: Exception | None = None
        status = 0
        content = b""
        headers: Mapping[str, str] = {}
        try:
            async with self._opened().post(
                self._server.completions, data=body, allow_redirects=False
            ) as response:
                status = response.status
                headers = response.headers
                content = await response.read()
        except (aiohttp.ClientError, OSError) as caught:  # OSError: TimeoutError too
            error = caught
        self._asking -= 1
        flight.task = None
        if error is None:
            self._answered(flight, sent, status, headers, content)
        else:
            self._broken(flight, error)

    def _body(self, flight: Flight) -> bytes:
        submission = flight.submission
        name = flight.max_tokens_name = self._max_tokens_name
        common = submission.common.get(name)
        if common is None:
            common = parameters(self._server.model, submission.spec, name, self._server.extra)
            submission.common[name] = common
        return request_body(flight.request.messages, common)

    def _answered(
        self, flight: Flight, sent: float, status: int, headers: Mapping[str, str], content: bytes
    ) -> None:
        if judge(status) is Verdict.ANSWER:
            try:
                answer = self._completion(flight, content)
            except _Unusable as error:
                self._failed(flight, str(error), None)
                return
            self.limit.succeeded(self.loop.time(), self._waiting > 0)
            self._finish(flight, answer)
            return
        message, code = error_message(content)
        message = self._safe(message)
        wait = retry_after(headers, time.time())
        match judge(status, code):
            case Verdict.BUSY:
                self._busy(flight, sent, message, wait)
            case Verdict.RETRY:
                self._failed(flight, f"the server answered {status}: {message}", wait)
            case Verdict.ROW if self._learns(flight, status, message):
                self._again(flight)
            case Verdict.ROW:
                reason = f"the server answered {status}: {message}"
                self._finish(flight, failed(flight.request.call, reason, flight.requests))
            case _:
                self._end(self._server.refused(status, message, headers.get("location")))

    def _completion(self, flight: Flight, content: bytes) -> Answer:
        returns = flight.submission.spec.returns
        try:
            payload = json.loads(content)
        except (ValueError, RecursionError):
            raise _Unusable("the server's answer is not JSON") from None
        try:
            return read_completion(flight.request.call, returns, payload, flight.requests)
        except ValueError as error:
            message, _ = error_message(content)
            raise _Unusable(f"{error}: {self._safe(message)}") from None

    def _broken(self, flight: Flight, error: Exception) -> None:
        """The request got no response, or only part of one."""
        if isinstance(error, aiohttp.ClientSSLError):
            self._end(self._server.unreachable(error))
        elif isinstance(error, TimeoutError) and not isinstance(
            error, aiohttp.ConnectionTimeoutError
        ):
            self._failed(flight, f"no answer within {self._server.timeout:g} seconds", None)
        elif isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            if not self._failed(flight, None, None):
                self._end(self._server.unreachable(error))
        else:
            reason = str(error) or type(error).__name__
            self._failed(flight, f"the connection broke: {reason}", None)

    def _busy(self, flight: Flight, sent: float, message: str, wait: float | None) -> None:
        """Too many requests: send fewer, after a while. The call keeps its retries."""
        now = self.loop.time()
        self.limit.refused(sent, now)
        timeout = self._server.timeout
        if wait is not None and wait > timeout:
            self._end(
                EngineError(
                    f"the server at {self._server.url} asks to wait {wait:.0f} seconds: {message}",
                    hint="run the statement again then, or set a larger timeout",
                )
            )
            return
        if wait is None:
            wait = backoff(self.limit.refusals, self._server.first_backoff, self._chance)
        if now + wait - flight.first_sent > timeout:
            error = f"the server was too busy for {timeout:g} seconds (429): {message}"
            self._finish(flight, failed(flight.request.call, error, flight.requests))
            return
        self._not_before = max(self._not_before, now + wait)
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        self._again(flight)

    def _failed(self, flight: Flight, reason: str | None, wait: float | None) -> bool:
        """Send the call again after a while; False if it has no retries left.

        With a `reason` its failure becomes its answer then, without one the caller decides.
        """
        flight.failures += 1
        if flight.failures > flight.submission.spec.retries:
            if reason is not None:
                self._finish(flight, failed(flight.request.call, reason, flight.requests))
            return False
        delay = backoff(flight.failures, self._server.first_backoff, self._chance)
        if wait is not None:
            delay += min(wait, self._server.timeout)
        flight.timer = self.loop.call_later(delay, self._again, flight)
        return True

    def _learns(self, flight: Flight, status: int, message: str) -> bool:
        """True where the message says how the server wants its requests, and that can be had."""
        if (
            status != 400
            or flight.max_tokens_name != "max_tokens"
            or "max_completion_tokens" not in message
        ):
            return False
        self._max_tokens_name = "max_completion_tokens"
        return True

    def _finish(self, flight: Flight, answer: Answer) -> None:
        del self._live[flight.request.call]
        if not self._done:
            # What else finishes in this turn of the loop travels in the same batch.
            self.loop.call_soon(self._flush)
        self._done.append((flight.submission.deliver, answer))

    def _flush(self) -> None:
        done, self._done = self._done, []
        grouped: dict[Deliver, list[Answer]] = {}
        for deliver, answer in done:
            grouped.setdefault(deliver, []).append(answer)
        for deliver, answers in grouped.items():
            deliver(answers_batch(answers))

    def _abandon(self, flight: Flight) -> None:
        """Whatever the call waits for, it no longer does."""
        if flight.queued:
            flight.queued = False
            self._waiting -= 1
        if flight.timer is not None:
            flight.timer.cancel()
            flight.timer = None
        if flight.task is not None:
            flight.task.cancel()
            flight.task = None
            self._asking -= 1

    def _end(self, error: EngineError) -> None:
        """No call can succeed: what is answered is delivered, all others learn why."""
        self._flush()
        flights = list(self._live.values())
        self._live.clear()
        for flight in flights:
            self._abandon(flight)
        self._queue.clear()
        for deliver in {flight.submission.deliver: None for flight in flights}:
            deliver(error)

    def _safe(self, message: str) -> str:
        """The message of a server, which may repeat the key."""
        return message.replace(self._key, "***") if self._key else message


def wait_for(check: Future[None]) -> None:
    """Called from another thread: wait for the end of a check."""
    try:
        check.result()
    except CancelledError:
        raise EngineError("the engine was closed meanwhile") from None
