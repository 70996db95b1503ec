"""The engine `openai`: any server with the chat completions API, over pooled HTTP connections.

All network work happens on one event loop in one thread that the engine owns. An `_Exchange` is
what lives on that loop from `start` to `close`; everything in it runs on the loop's thread.
"""

from __future__ import annotations

import asyncio
import atexit
import heapq
import json
import os
import random
import threading
import time
import urllib.request
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
import pyarrow as pa
from yarl import URL

from heliumql.engines.batches import (
    Answer,
    Request,
    answers_batch,
    cancelled,
    failed,
    read_requests,
)
from heliumql.engines.chat import error_message, parameters, read_completion, request_body
from heliumql.engines.concurrency import ConcurrencyLimit, Pace
from heliumql.engines.engine import CallSpec, Deliver
from heliumql.engines.options import (
    check_keys,
    read_flag,
    read_integer,
    read_number,
    read_object,
    read_text,
)
from heliumql.engines.retry import Verdict, backoff, judge, retry_after
from heliumql.errors import CatalogError, EngineError, InternalError

_HOSTED = "https://api.openai.com/v1"
_CONCURRENCY = 64
_CEILING = 256
_CHECK_SECONDS = 10.0
_CONNECT_SECONDS = 30.0
_CLOSE_SECONDS = 10.0
# Below the five seconds after which common servers close an idle connection: a request that
# meets such a close is lost.
_KEEP_ALIVE = 4.0

T = TypeVar("T")


@dataclass(frozen=True)
class Server:
    """Where the calls go and how, read from the options of a model."""

    url: URL
    model: str
    key_name: str | None  # the environment variable that holds the key
    concurrency: int
    ceiling: int
    timeout: float
    requests_per_minute: float  # 0: no limit
    tokens_per_minute: float
    extra: Mapping[str, object]  # parts of every request body
    first_backoff: float

    @property
    def completions(self) -> URL:
        return self.url / "chat/completions"

    def key(self) -> str | None:
        """The key itself. Raises EngineError where the variable is not set."""
        if self.key_name is None:
            return None
        key = os.environ.get(self.key_name, "").strip()
        if not key:
            raise EngineError(
                f"the environment variable {self.key_name} is not set; it should hold"
                f" the API key for {self.url}",
                hint="set it, or name another variable with api_key_env",
            )
        return key


class OpenAIEngine:
    """Implements `heliumql.engines.engine.Engine`."""

    def __init__(self, options: Mapping[str, object], *, first_backoff: float = 0.5) -> None:
        check_keys("openai", options)
        self._server = _read_server(options, first_backoff)
        self._lock = threading.Lock()
        self._exchange: _Exchange | None = None
        self._checked = False

    @property
    def slots(self) -> int:
        exchange = self._exchange
        return exchange.limit.value if exchange is not None else self._server.concurrency

    def start(self) -> None:
        exchange = self._opened()
        if not self._checked:
            exchange.wait(exchange.check())
            self._checked = True

    def submit(self, spec: CallSpec, requests: pa.RecordBatch, deliver: Deliver) -> None:
        exchange = self._opened()
        submission = _Submission(spec, deliver)
        flights = [_Flight(request, submission) for request in read_requests(requests)]
        exchange.loop.call_soon_threadsafe(exchange.take, flights)

    def advance(self) -> None:
        """Time passes by itself."""

    def cancel(self, calls: Sequence[bytes]) -> None:
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

    def _opened(self) -> _Exchange:
        with self._lock:
            if self._exchange is None:
                self._exchange = _Exchange(self._server, self._server.key())
                atexit.register(self.close)
            return self._exchange


@dataclass
class _Submission:
    """A batch as it was submitted."""

    spec: CallSpec
    deliver: Deliver
    common: dict[str, str] = field(default_factory=dict)  # body, by the name of max_tokens


@dataclass(eq=False)
class _Flight:
    """A call in flight: it waits in the queue, is being asked, or waits to be sent again."""

    request: Request
    submission: _Submission
    order: int = 0
    requests: int = 0
    failures: int = 0
    first_sent: float = 0.0
    queued: bool = False
    task: asyncio.Task[None] | None = None
    timer: asyncio.TimerHandle | None = None

    def __lt__(self, other: _Flight) -> bool:
        return (self.request.priority, self.order) < (other.request.priority, other.order)


class _Unusable(Exception):
    """A response that cannot be an answer, though its status says so."""


class _Exchange:
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
        self._live: dict[bytes, _Flight] = {}
        self._queue: list[_Flight] = []
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

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and wait for it, from another thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

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
        tasks = [flight.task for flight in self._live.values() if flight.task is not None]
        self.cancel(list(self._live))
        self._flush()
        if self._wake is not None:
            self._wake.cancel()
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
            raise self._unreachable(error) from None
        except (aiohttp.ClientError, OSError):
            return  # it is there, only slow or odd, and may well answer chats
        if response.status in (401, 403):
            raise self._refused(response.status, error_message(body)[0], None)
        if response.status != 200:
            return
        names = _model_names(body)
        if names and server.model not in names and f"{server.model}:latest" not in names:
            shown = ", ".join(names[:20]) + (", .." if len(names) > 20 else "")
            raise EngineError(
                f"the server at {server.url} has no model {server.model!r}",
                hint=f"it has {shown}",
            )

    def take(self, flights: list[_Flight]) -> None:
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
                proxy=_proxy(self._server.url),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    def _enqueue(self, flight: _Flight) -> None:
        flight.timer = None
        flight.queued = True
        self._waiting += 1
        heapq.heappush(self._queue, flight)

    def _again(self, flight: _Flight) -> None:
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
            flight.task = self.loop.create_task(self._ask(flight))

    def _woken(self) -> None:
        self._wake = None
        self._pump()

    async def _ask(self, flight: _Flight) -> None:
        """One request for a call, and what follows from it."""
        try:
            await self._request(flight)
        except Exception as bug:  # whatever it is, the callers must not wait forever
            self._end(EngineError(f"{InternalError(f'engine openai: {bug!r}')}"))
        self._pump()

    async def _request(self, flight: _Flight) -> None:
        body = self._body(flight)
        flight.requests += 1
        sent = self.loop.time()
        flight.first_sent = flight.first_sent or sent
        requests, tokens = self._paces
        if requests:
            requests.spend(1)
        if tokens:
            tokens.spend(len(body) / 4 + flight.submission.spec.sampling.max_tokens)
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

    def _body(self, flight: _Flight) -> bytes:
        submission = flight.submission
        name = self._max_tokens_name
        common = submission.common.get(name)
        if common is None:
            common = parameters(self._server.model, submission.spec, name, self._server.extra)
            submission.common[name] = common
        return request_body(flight.request.messages, common)

    def _answered(
        self, flight: _Flight, sent: float, status: int, headers: Mapping[str, str], content: bytes
    ) -> None:
        code = None
        message = ""
        verdict = judge(status)
        if verdict is Verdict.ANSWER:
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
            case Verdict.ROW if self._learns(status, message):
                self._again(flight)
            case Verdict.ROW:
                reason = f"the server answered {status}: {message}"
                self._finish(flight, failed(flight.request.call, reason, flight.requests))
            case _:
                self._end(self._refused(status, message, headers.get("location")))

    def _completion(self, flight: _Flight, content: bytes) -> Answer:
        returns = flight.submission.spec.returns
        try:
            payload = json.loads(content)
        except ValueError:
            raise _Unusable("the server's answer is not JSON") from None
        try:
            return read_completion(flight.request.call, returns, payload, flight.requests)
        except ValueError as error:
            message, _ = error_message(content)
            raise _Unusable(f"{error}: {self._safe(message)}") from None

    def _broken(self, flight: _Flight, error: Exception) -> None:
        """The request got no response, or only part of one."""
        if isinstance(error, aiohttp.ClientSSLError):
            self._end(self._unreachable(error))
        elif isinstance(error, TimeoutError) and not isinstance(
            error, aiohttp.ConnectionTimeoutError
        ):
            self._failed(flight, f"no answer within {self._server.timeout:g} seconds", None)
        elif isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            if not self._failed(flight, None, None):
                self._end(self._unreachable(error))
        else:
            reason = str(error) or type(error).__name__
            self._failed(flight, f"the connection broke: {reason}", None)

    def _busy(self, flight: _Flight, sent: float, message: str, wait: float | None) -> None:
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

    def _failed(self, flight: _Flight, reason: str | None, wait: float | None) -> bool:
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

    def _learns(self, status: int, message: str) -> bool:
        """True where the message says how the server wants its requests, and that is news."""
        if (
            status == 400
            and self._max_tokens_name == "max_tokens"
            and "max_completion_tokens" in message
        ):
            self._max_tokens_name = "max_completion_tokens"
            return True
        return False

    def _finish(self, flight: _Flight, answer: Answer) -> None:
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

    def _abandon(self, flight: _Flight) -> None:
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

    def _unreachable(self, error: Exception) -> EngineError:
        reason = getattr(error, "os_error", None) or error
        reason = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        return EngineError(
            f"the server at {self._server.url} is unreachable: {reason}",
            hint="is it running, and is base_url right?",
        )

    def _refused(self, status: int, message: str, detail: str | None) -> EngineError:
        server = self._server
        message = f" ({self._safe(message)})" if message else ""
        if status in (401, 403):
            hint = (
                f"look at the key in the environment variable {server.key_name}"
                if server.key_name
                else "name the environment variable that holds the key with api_key_env"
            )
            return EngineError(
                f"the server at {server.url} refused the credentials: {status}{message}", hint=hint
            )
        if status == 404:
            return EngineError(
                f"the server at {server.url} does not know the model {server.model!r}"
                f" or the path {server.completions.path}: 404{message}",
                hint="base_url usually ends in /v1",
            )
        if status == 429:
            return EngineError(f"the account at {server.url} has no quota left{message}")
        return EngineError(
            f"the server at {server.url} redirects to {detail}", hint="use that as base_url"
        )

    def _safe(self, message: str) -> str:
        """The message of a server, which may repeat the key."""
        return message.replace(self._key, "***") if self._key else message


def _read_server(options: Mapping[str, object], first_backoff: float) -> Server:
    model = read_text(options, "model")
    if model is None:
        raise CatalogError(
            "engine 'openai' needs the option 'model'", hint="the name that the server knows"
        )
    base = read_text(options, "base_url", _HOSTED) or _HOSTED
    try:
        url = URL(base)
    except ValueError as error:
        raise CatalogError(f"base_url {base!r} is not a URL: {error}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise CatalogError(
            f"base_url {base!r} is not an HTTP address", hint="for example http://localhost:8000/v1"
        )
    if url.user or url.password:
        raise CatalogError("base_url holds credentials", hint="use api_key_env")
    extra: dict[str, object] = {}
    arguments = read_object(options, "chat_template_args")
    if options.get("thinking") is not None:
        arguments["enable_thinking"] = read_flag(options, "thinking", False)
    if arguments:
        extra["chat_template_kwargs"] = arguments
    # A number that the user gave is a promise to somebody's server: never more than that.
    given = options.get("concurrency") is not None
    concurrency = read_integer(options, "concurrency", _CONCURRENCY)
    return Server(
        url=URL(base.rstrip("/")),
        model=model,
        key_name=read_text(
            options, "api_key_env", "OPENAI_API_KEY" if url == URL(_HOSTED) else None
        ),
        concurrency=concurrency,
        ceiling=concurrency if given else _CEILING,
        timeout=read_number(options, "timeout", 600.0, 0.001),
        requests_per_minute=read_number(options, "requests_per_minute", 0.0),
        tokens_per_minute=read_number(options, "tokens_per_minute", 0.0),
        extra=extra,
        first_backoff=first_backoff,
    )


def _model_names(body: bytes) -> list[str]:
    """The names in a list of models; empty where the server sent something else."""
    try:
        entries = json.loads(body)["data"]
        return [entry["id"] for entry in entries if isinstance(entry["id"], str)]
    except (ValueError, KeyError, TypeError):
        return []


def _proxy(url: URL) -> str | None:
    """The proxy that the environment names for the address, if any; asked once, not per call."""
    assert url.host is not None
    if url.host in ("localhost", "127.0.0.1", "::1") or urllib.request.proxy_bypass(url.host):
        return None
    return urllib.request.getproxies().get(url.scheme)
