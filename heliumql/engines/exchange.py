"""The traffic of the engine `openai` with one of its servers.

Everything here runs on the thread of the fleet's event loop (fleet.py).
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

import aiohttp

from heliumql.cost.event_model import Constants
from heliumql.engines.batches import Answer, answers_batch, cancelled, failed, too_long
from heliumql.engines.chat import (
    PRIORITY,
    TEMPLATE,
    dispensable,
    error_message,
    parameters,
    read_completion,
    request_body,
    switches,
)
from heliumql.engines.concurrency import ConcurrencyLimit, Paces
from heliumql.engines.embeddings import embeddings_body, read_embeddings
from heliumql.engines.engine import CallSpec, Deliver
from heliumql.engines.flight import Asked, Flight, FlightQueue
from heliumql.engines.line import Line
from heliumql.engines.overflow import Overflow, read_overflow, surely_tokens
from heliumql.engines.retry import Verdict, backoff, judge, nothing_left, retry_after
from heliumql.engines.server import Server
from heliumql.engines.server_watch import ServerWatch
from heliumql.engines.speed_notes import SpeedNotes
from heliumql.engines.throttle import Throttle
from heliumql.errors import EngineError, InternalError

_PATIENCE = 2  # a call goes to another server after so many retries, whatever it was granted


class _Unusable(Exception):
    """A response that cannot be an answer, though its status says so."""


class Owner(Protocol):
    """What an exchange asks of the fleet that it belongs to."""

    def has_others(self, exchange: Exchange) -> bool:
        """Another server can be reached."""

    def take(self, flights: list[Flight]) -> None:
        """Send calls that the exchange gives up, elsewhere where that is possible."""

    def lost(self, exchange: Exchange, error: EngineError) -> None:
        """The server cannot be reached any more."""

    def overloaded(self, exchange: Exchange, error: EngineError) -> None:
        """The server has refused everything for too long."""

    def end(self, error: EngineError) -> None:
        """No call can succeed, whatever the server."""


class Exchange:
    """The traffic with one server; `number` is that of the worker that it is."""

    def __init__(
        self,
        server: Server,
        number: int,
        key: str | None,
        loop: asyncio.AbstractEventLoop,
        owner: Owner,
        paces: Paces,
        notes: SpeedNotes,
    ) -> None:
        self._server = server
        self._number = number
        self._line = Line(server, key)
        self._watch = ServerWatch(self._line, notes)
        self._owner = owner
        self.loop = loop
        self.limit = ConcurrencyLimit(server.concurrency, server.ceiling)
        self.dead = False  # it could not be reached; nothing is sent
        self.tried = 0.0  # when that was found last
        self.context = server.context  # as far as the server has said it, by now
        self._paces = paces
        # Parts of requests that the server does not take, as far as it has said.
        strict = server.hosted and not server.template_arguments
        self._unknown = frozenset({TEMPLATE} if strict else ())
        self._chance = random.Random()
        self.throttle = Throttle(server.first_backoff, self._chance)
        self._live: dict[bytes, Flight] = {}
        self._queue = FlightQueue()
        self._asking = 0
        self._wake: asyncio.TimerHandle | None = None
        self._done: list[tuple[Deliver, Answer]] = []

    @property
    def load(self) -> float:
        """Calls in flight, for each that may be asked at once."""
        return len(self._live) / self.limit.value

    @property
    def constants(self) -> Constants:
        """Of the server as a worker, as far as it has said them."""
        return self._server.constants(self.limit.value, self._watch.cache)

    def stop(self) -> None:
        """Everything in flight is cancelled, and delivered so."""
        self._watch.stop()
        self.cancel(list(self._live))
        self.flush()
        if self._wake is not None:
            self._wake.cancel()

    async def close(self) -> None:
        await self._line.close()

    async def check(self) -> None:
        """Is the server there, and does it know the model?"""
        listing = await self._line.models()
        if listing is not None:
            self._server.check_model(listing)
            self._learn_context(self._server.listed_context(listing))
            if self._server.is_vllm(listing):
                await self._watch.ask()

    def _learn_context(self, told: int | None) -> None:
        if told is not None:
            self.context = told if self.context is None else min(told, self.context)

    def take(self, flights: list[Flight]) -> None:
        if not self._live and not any(flight.moved for flight in flights):
            self.throttle.begin()
        for flight in flights:
            self._live[flight.request.call] = flight
            if not self._is_too_long(flight):
                self._queue.add(flight)
        self.pump()

    def _is_too_long(self, flight: Flight) -> bool:
        """The prompt cannot fit; the call has failed then, without a request."""
        call, messages = flight.request.call, flight.request.messages
        tokens = 0 if self.context is None else surely_tokens(messages, self.context)
        if self.context is None or tokens < self.context:
            return False
        model = self._server.model
        self._finish(flight, too_long(call, tokens, self.context, model, counted=False))
        return True

    def surrender(self) -> list[Flight]:
        """The server is lost: gives up what waits. What it is being asked may still be answered."""
        flights = [flight for flight in self._live.values() if flight.asked is None]
        for flight in flights:
            self._give_up(flight)
        self._queue.clear()
        return [flight for flight in flights if not flight.submission.warms]

    def drop(self) -> list[Flight]:
        """Gives up everything, also what it is being asked."""
        flights = list(self._live.values())
        for flight in flights:
            self._abandon(flight)
        self._live.clear()
        self._queue.clear()
        return flights

    def cancel(self, calls: list[bytes]) -> None:
        for call in calls:
            flight = self._live.get(call)
            if flight is not None:
                self._abandon(flight)
                self._finish(flight, cancelled(call, flight.requests))
        self.pump()

    def _again(self, flight: Flight) -> None:
        if self.dead:
            self._move(flight)
            return
        flight.timer = None
        self._queue.add(flight)
        self.pump()

    def _move(self, flight: Flight) -> None:
        self._give_up(flight)
        if not flight.submission.warms:
            self._owner.take([flight])

    def _give_up(self, flight: Flight) -> None:
        """The call is no longer ours."""
        self._abandon(flight)
        del self._live[flight.request.call]
        flight.leaves()

    def pump(self) -> None:
        """Send waiting calls, as many as may be in flight now."""
        while self._queue.waiting and self._asking < self.limit.value and not self.dead:
            now = self.loop.time()
            delay = max(self.throttle.delay(now), self._paces.delay(now))
            if delay > 0:
                if self._wake is None:
                    self._wake = self.loop.call_later(delay, self._woken)
                return
            asked = Asked(self._queue.take())
            self._asking += 1
            self._watch.sent()
            asked.task = self.loop.create_task(self._ask(asked))
            for flight in asked.flights:
                flight.asked = asked
            self.throttle.sent(now)
            self._paces.spend(1, asked.reserved)

    def _woken(self) -> None:
        self._wake = None
        self.pump()

    async def _ask(self, asked: Asked) -> None:
        """One request, and what follows from it."""
        try:
            await self._request(asked)
        except Exception as bug:  # whatever it is, the callers must not wait forever
            self._owner.end(EngineError(f"{InternalError(f'engine openai: {bug!r}')}"))
        self.pump()

    async def _request(self, asked: Asked) -> None:
        first = asked.flights[0]
        if first.embeds:
            url = self._server.embeddings
            body = embeddings_body(self._server.model, asked.flights)
        else:
            url, body = self._server.completions, self._body(first)
        first.requests += 1
        sent = self.loop.time()
        for flight in asked.flights:
            flight.sent = sent
        error: Exception | None = None
        status = 0
        content = b""
        headers: Mapping[str, str] = {}
        asks = list(asked.flights)  # some may be cancelled meanwhile
        try:
            status, headers, content = await self._line.post(url, body)
        except (aiohttp.ClientError, OSError) as caught:  # OSError: TimeoutError too
            error = caught
        self._asked_no_more()
        for flight in asked.flights:
            flight.asked = None
        if error is None and judge(status) is Verdict.ANSWER:
            self._answered(asks, asked, headers, content)
            return
        if error is None and judge(status, error_message(content)[1]) is Verdict.BUSY:
            self._slow_down(asked, sent, headers, content)
        for flight in asked.flights:
            if self._live.get(flight.request.call) is not flight:
                continue  # what became of another has ended it too
            if error is None:
                self._refused(flight, len(asks), status, headers, content)
            else:
                self._broken(flight, error)

    def _body(self, flight: Flight) -> bytes:
        submission = flight.submission
        unknown = flight.without = self._unknown
        told = self._server.priorities and PRIORITY not in unknown
        priority = flight.request.priority if told else None
        if flight.room is not None:
            sampling = replace(submission.spec.sampling, max_tokens=flight.room)
            shorter = replace(submission.spec, sampling=sampling)
            return request_body(flight.request.messages, self._common(shorter), priority)
        common = submission.common.get(unknown)
        if common is None:
            common = submission.common[unknown] = self._common(submission.spec)
        return request_body(flight.request.messages, common, priority)

    def _common(self, spec: CallSpec) -> str:
        """What the requests of the same spec share, in the parts that the server takes."""
        name = "max_completion_tokens" if "max_tokens" in self._unknown else "max_tokens"
        more = switches(spec.thinking, self._server.template_arguments, self._unknown)
        return parameters(self._server.model, spec, name, more)

    def _answered(
        self, asks: list[Flight], asked: Asked, headers: Mapping[str, str], content: bytes
    ) -> None:
        """A response to calls, of which some may not wait any more."""
        try:
            answers = self._read(asks, content)
        except _Unusable as error:
            for flight in asked.flights:
                self._failed(flight, str(error), None)
            return
        self._succeeded(asked, answers, headers)
        for flight, answer in zip(asks, answers, strict=True):
            if flight in asked.flights:
                self._finish(flight, answer)

    def _refused(
        self, flight: Flight, calls: int, status: int, headers: Mapping[str, str], content: bytes
    ) -> None:
        """The server answered a request of so many calls with an error."""
        message, code = error_message(content)
        message = self._line.safe(message)
        wait = retry_after(headers, time.time())
        match judge(status, code):
            case Verdict.BUSY:
                self._again(flight)
            case Verdict.RETRY:
                self._failed(flight, f"the server answered {status}: {message}", wait)
            case Verdict.ROW if calls > 1:  # one of them is wrong, who knows which
                flight.alone = True
                self._again(flight)
            case Verdict.ROW if self._learns(flight, status, message):
                self._again(flight)
            case Verdict.ROW:
                reason = f"the server answered {status}: {message}"
                refused = failed(flight.request.call, reason, flight.requests)
                overflow = read_overflow(message, code)
                if overflow is None:
                    self._finish(flight, refused)
                else:
                    self._overflowed(flight, overflow, refused)
            case _:
                url = self._server.embeddings if flight.embeds else self._server.completions
                location = headers.get("location")
                self._owner.end(self._server.refused(status, message, location, url))

    def _overflowed(self, flight: Flight, overflow: Overflow, refused: Answer) -> None:
        """The prompt and its answer are too long: once more with a shorter answer, if that fits."""
        prompt, context = overflow.prompt_tokens, overflow.context
        self._learn_context(context)
        if overflow.fits and flight.room is None and not flight.embeds:
            flight.room = 0 if prompt is None or context is None else context - prompt
            self._again(flight)
            return
        if prompt is not None and context is not None:
            call, model = flight.request.call, self._server.model
            refused = too_long(call, prompt, context, model, requests=flight.requests)
        self._finish(flight, refused._replace(finish_reason="context", prompt_tokens=prompt or 0))

    def _succeeded(self, asked: Asked, answers: list[Answer], headers: Mapping[str, str]) -> None:
        """What an answer says of how fast to send."""
        now = self.loop.time()
        self.limit.succeeded(now, self._asking + 1, self._queue.waiting)
        self.throttle.answered()
        wait = nothing_left(headers, time.time())
        if wait is not None and wait <= self._server.timeout:
            self.throttle.pause(now + wait)
        used = sum(answer.prompt_tokens + answer.output_tokens for answer in answers)
        if used:
            self._paces.spend(0, used - asked.reserved)

    def _read(self, flights: list[Flight], content: bytes) -> list[Answer]:
        first = flights[0]
        try:
            payload = json.loads(content)
        except (ValueError, RecursionError):
            raise _Unusable("the server's answer is not JSON") from None
        try:
            if first.embeds:
                return read_embeddings(flights, payload)
            returns = first.submission.spec.returns
            return [read_completion(first.request.call, returns, payload, first.requests)]
        except ValueError as error:
            message, _ = error_message(content)
            raise _Unusable(f"{error}: {self._line.safe(message)}") from None

    def _broken(self, flight: Flight, error: Exception) -> None:
        """The request got no response, or only part of one."""
        unreached = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
        if isinstance(error, aiohttp.ClientSSLError):
            self._owner.end(self._server.unreachable(error))
        elif isinstance(error, TimeoutError) and not unreached:
            self._failed(flight, f"no answer within {self._server.timeout:g} seconds", None)
        elif self.dead:
            self._move(flight)
        elif unreached:
            late = isinstance(error, aiohttp.ConnectionTimeoutError)
            lost = self._owner.has_others(self) and (late or flight.unreached >= _PATIENCE)
            if not lost:
                flight.unreached += 1
                lost = not self._failed(flight, None, None)
            if lost:
                flight.forgive()
                self._queue.add(flight)  # it waits, as the others do, for who becomes its server
                self._owner.lost(self, self._server.unreachable(error))
        else:
            reason = str(error) or type(error).__name__
            self._failed(flight, f"the connection broke: {reason}", None)

    def _slow_down(
        self, asked: Asked, sent: float, headers: Mapping[str, str], content: bytes
    ) -> None:
        """Too many requests: send fewer, after a while. Calls keep their retries."""
        now = self.loop.time()
        server = self._server
        message = self._line.safe(error_message(content)[0])
        wait = retry_after(headers, time.time())
        if wait is None:
            wait = nothing_left(headers, time.time())
        self._paces.spend(0, -asked.reserved)
        if wait is not None and wait > server.timeout:
            self._owner.end(
                EngineError(
                    f"the server at {server.url} asks to wait {wait:.0f} seconds: {message}",
                    hint="run the statement again then, or set a larger timeout",
                )
            )
            return
        if self.throttle.refused(sent, now, wait) is None:
            return
        self.limit.refused(sent, now)
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        if self.throttle.is_hopeless(now, server.timeout):
            self._owner.overloaded(self, server.too_busy(message))

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
        if status not in (400, 422):
            return False
        given = flight.submission.spec.thinking, self._server.template_arguments
        if self._server.priorities and PRIORITY in message and PRIORITY not in flight.without:
            self._unknown |= {PRIORITY}  # vLLM says so where it goes by arrival
            return True
        part = dispensable(message, *given, flight.without)
        if part is None:
            return False
        if part not in self._unknown:
            if dispensable(message, *given, self._unknown) is None:
                return False
            self._unknown |= {part}
        return True

    def _finish(self, flight: Flight, answer: Answer) -> None:
        del self._live[flight.request.call]
        if not self._done:
            # What else finishes in this turn of the loop travels in the same batch.
            self.loop.call_soon(self.flush)
        answer = answer._replace(
            worker=self._number, started=flight.sent or None, finished=self.loop.time()
        )
        self._done.append((flight.submission.deliver, answer))

    def flush(self) -> None:
        done, self._done = self._done, []
        grouped: dict[Deliver, list[Answer]] = {}
        for deliver, answer in done:
            grouped.setdefault(deliver, []).append(answer)
        for deliver, answers in grouped.items():
            deliver(answers_batch(answers))

    def _asked_no_more(self) -> None:
        """A request has ended."""
        self._asking -= 1
        self._watch.answered(left=self._asking)

    def _abandon(self, flight: Flight) -> None:
        """Whatever the call waits for, it no longer does."""
        self._queue.drop(flight)
        if flight.timer is not None:
            flight.timer.cancel()
            flight.timer = None
        if flight.asked is not None and flight.asked.leave(flight):
            self._asked_no_more()
