"""Dispatch: sends calls to their engines the moment they are ready and takes answers in.

One dispatcher a statement, driven by the thread that reads its rows: it never waits while there is
something to submit. Engines are kept just above saturation, so that the order stays ours to the
last moment. Answers are stored when they arrive, whatever becomes of the statement.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue

import pyarrow as pa

from heliumql.calls.answers import Answer, AnswerStore
from heliumql.calls.graph import CallGraph, ReadyCall
from heliumql.calls.learnt import Learnt
from heliumql.calls.minted import Messages
from heliumql.engines.engine import ANSWERS, REQUESTS, CallSpec, Deliver, Engine
from heliumql.errors import EngineError, ExecutionError, HeliumQLError, InternalError
from heliumql.physical.flights import Flights, Inbox
from heliumql.physical.site import Site
from heliumql.stats import Progress

_PROGRESS_SECONDS = 0.1
_CANCELLATIONS = 20  # of one call, by others that ask it too; more are the engine's own doing
_MESSAGES = REQUESTS.field("messages").type


class Interrupted(HeliumQLError):
    """The user stopped the statement; what was answered stays stored."""

    exit_status = 130

    def __init__(self) -> None:
        super().__init__("interrupted; the answers that had arrived are kept")


@dataclass(frozen=True)
class _Invalid:
    """An answer that does not fit its type; its owner may ask again."""

    identity: bytes
    answer: Answer


@dataclass
class _Flight:
    """A call of this statement that an engine has."""

    call: ReadyCall
    attempts: int = 1
    cancelled: int = 0
    owner: bool = True


@dataclass
class Tally:
    """What the engines did for this statement."""

    run: int = 0
    failed: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    prefix_hit_tokens: int = 0
    output_tokens: int = 0
    failures: dict[str, int] = field(default_factory=dict)  # message -> how many calls


class Dispatcher:
    """Runs the ready calls of one call graph."""

    def __init__(
        self,
        graph: CallGraph,
        sites: Mapping[int, Site],
        store: AnswerStore,
        learnt: Learnt,
        flights: Flights,
        interrupted: threading.Event,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self.graph = graph
        self.sites = sites
        self.tally = Tally()
        self._store = store
        self._learnt = learnt
        self._flights = flights
        self._interrupted = interrupted
        self._progress = progress
        self._inbox: Inbox = SimpleQueue()
        self._flying: dict[bytes, _Flight] = {}
        self._backlog: dict[int, deque[ReadyCall]] = {}  # by engine
        self._engines: dict[int, Engine] = {}
        self._in_engine: dict[int, int] = {}
        self._failure: HeliumQLError | None = None
        self._started = time.monotonic()
        self._shown = 0.0

    # driving ------------------------------------------------------------------------------

    def pump(self) -> None:
        """Submits what is ready and takes in what has arrived, without waiting."""
        self._take_in(wait=False)
        self._submit()

    def run_until(self, done: Callable[[], bool]) -> None:
        """Runs calls until `done()`; raises what fails the statement as a whole."""
        while True:
            if self._interrupted.is_set():
                raise Interrupted
            if self._failure is None:
                self._submit()
                if done():
                    return
            if not self._flying:
                if self._failure is not None:
                    raise self._failure
                if self._backlog_size() or (self.graph.open_calls and self._submit()):
                    continue
                if done():
                    return
                if self._interrupted.is_set():  # since the last look: nothing was submitted
                    raise Interrupted
                raise InternalError("calls wait for answers that nobody will give")
            for engine in list(self._engines.values()):
                with _failing_as_engine(engine):
                    engine.advance()
            self._take_in(wait=True)

    def close(self) -> None:
        """Aborts what is in flight for nobody else."""
        by_engine: dict[int, list[bytes]] = {}
        for identity, flight in self._flying.items():
            if self._flights.leave(identity, self._inbox):
                engine = self.sites[flight.call.messages.site].engine
                by_engine.setdefault(id(engine), []).append(identity)
        for key, identities in by_engine.items():
            self._engines[key].cancel(identities)
        self._flying.clear()

    # submitting ---------------------------------------------------------------------------

    def _submit(self) -> int:
        if self._failure is not None or self._interrupted.is_set():
            return 0
        submitted = 0
        while True:
            calls = self.graph.take(self._wanted())
            for call in calls:
                engine = self.sites[call.messages.site].engine
                if id(engine) not in self._engines:
                    if self._progress is not None:
                        self._progress(self.progress())  # a model may take a while to load
                    with _failing_as_engine(engine):
                        engine.start()
                    self._engines[id(engine)] = engine
                self._backlog.setdefault(id(engine), deque()).append(call)
            sent = 0
            for key, backlog in self._backlog.items():
                room = self._room(self._engines[key]) - self._in_engine.get(key, 0)
                batch = [backlog.popleft() for _ in range(min(room, len(backlog)))]
                if batch:
                    self._send(self._engines[key], batch)
                    sent += len(batch)
            submitted += sent
            if not calls or not sent:
                return submitted

    def _wanted(self) -> int:
        """How many more calls the engines can use; the first call of an engine shows its size."""
        room = sum(
            max(0, self._room(e) - self._in_engine.get(k, 0) - len(self._backlog.get(k, ())))
            for k, e in self._engines.items()
        )
        engines = {id(s.engine) for s in self.sites.values()}
        return room if engines <= self._engines.keys() else max(room, 1)

    @staticmethod
    def _room(engine: Engine) -> int:
        return engine.slots + max(1, engine.slots // 4)

    def _backlog_size(self) -> int:
        return sum(len(b) for b in self._backlog.values())

    def _send(self, engine: Engine, calls: list[ReadyCall]) -> None:
        """Submits calls to their engine, one batch a site."""
        by_site: dict[int, list[ReadyCall]] = {}
        for call in calls:
            flight = _Flight(call, owner=self._flights.join(call.identity, self._inbox))
            self._flying[call.identity] = flight
            self._in_engine[id(engine)] = self._in_engine.get(id(engine), 0) + 1
        self._take_just_answered(calls)
        for call in calls:
            if self._flying[call.identity].owner:
                by_site.setdefault(call.messages.site, []).append(call)
        for site, group in by_site.items():
            spec = self.sites[site].spec
            deliver = self._deliver(self.sites[site], spec, group)
            with _failing_as_engine(engine):
                engine.submit(spec, _requests(group), deliver)

    def _take_just_answered(self, calls: list[ReadyCall]) -> None:
        """Calls that another statement finished after this one had looked for their answers."""
        owned = [
            c.identity
            for c in calls
            if self._flying[c.identity].owner and self.sites[c.messages.site].cache == "use"
        ]
        for identity, answer in self._store.get(owned).items():
            self._flying[identity].owner = False
            for inbox in self._flights.land(identity):
                inbox.put([(identity, answer, 0)])

    def _deliver(self, site: Site, spec: CallSpec, calls: list[ReadyCall]) -> Deliver:
        """What the engine calls with answers of calls of this site, from any thread."""
        flights, owner, began = self._flights, self._inbox, time.monotonic()
        asked = {c.identity: _bytes_of(c.messages) for c in calls}  # how long the prompts are

        def keep(answers: dict[bytes, Answer]) -> None:
            """Durable before anybody sees a row of it; what others may learn of it is noted."""
            if site.cache != "off" and not site.sampled:
                self._store.put(answers, site.operator)
            self._learnt.note_calls(
                site.operator,
                prompt_bytes=sum(asked[i] for i, a in answers.items() if a.prompt_tokens),
                prompt_tokens=sum(a.prompt_tokens for a in answers.values()),
                output_tokens=[a.output_tokens for a in answers.values()],
                seconds=(time.monotonic() - began) * len(answers),
            )

        def deliver(arrived: pa.RecordBatch | EngineError) -> None:
            if not isinstance(arrived, EngineError) and not _is_answers(arrived):
                arrived = EngineError("the engine delivered something that is not answers")
            if isinstance(arrived, EngineError):
                fail(arrived)
                return
            good: dict[bytes, Answer] = {}
            over: list[tuple[bytes, Answer, int]] = []
            for row in arrived.to_pylist():
                identity, answer = row["call"], _answer(row)
                if answer.text is not None:
                    try:
                        accepted = spec.returns.accept(answer.text)
                        if accepted != answer.text:
                            answer = replace(answer, text=accepted)
                        good[identity] = answer
                    except ValueError as error:
                        reason = str(error)
                        if answer.finish_reason == "length":
                            reason = f"cut off at {spec.sampling.max_tokens} tokens: {reason}"
                        refuse(_Invalid(identity, replace(answer, text=None, error=reason)))
                        continue
                elif answer.finish_reason == "cancelled" and flights.waiting(identity):
                    refuse(_Invalid(identity, answer))
                    continue
                over.append((identity, answer, row["requests"] or 1))
            try:
                keep({i: a for i, a in good.items() if i in asked})
            except HeliumQLError as error:  # of the answer store: nothing can be remembered
                fail(error)
                return
            told: dict[int, tuple[Inbox, list[tuple[bytes, Answer, int]]]] = {}
            for answered in over:
                for inbox in flights.land(answered[0]):
                    told.setdefault(id(inbox), (inbox, []))[1].append(answered)
            for inbox, answers in told.values():
                inbox.put(answers)

        def fail(error: HeliumQLError) -> None:
            """Ends the statements that wait for these calls."""
            for inbox in {i for c in asked for i in flights.land(c)}:
                inbox.put(error)

        def refuse(invalid: _Invalid) -> None:
            """Lets the statement that asked ask again, or one that waits if that one is gone."""
            waiting = flights.waiting(invalid.identity)
            for inbox in [owner] if owner in waiting else waiting[:1]:
                inbox.put(invalid)

        return deliver

    # taking in ----------------------------------------------------------------------------

    def _take_in(self, *, wait: bool) -> None:
        if self._interrupted.is_set():
            raise Interrupted
        try:
            arrived = self._inbox.get(timeout=0.05) if wait else self._inbox.get_nowait()
            while True:
                self._absorb(arrived)
                arrived = self._inbox.get_nowait()
        except Empty:
            pass
        now = time.monotonic()
        if self._progress is not None and now - self._shown > _PROGRESS_SECONDS:
            self._shown = now
            self._progress(self.progress())

    def progress(self) -> Progress:
        tally, graph = self.tally, self.graph
        return Progress(
            calls_done=len(graph.known),
            calls_known=len(graph.known) + graph.open_calls,
            calls_failed=tally.failed,
            output_tokens=tally.output_tokens,
            prompt_tokens=tally.prompt_tokens,
            prefix_hit_tokens=tally.prefix_hit_tokens,
            seconds=time.monotonic() - self._started,
        )

    def _absorb(self, arrived: object) -> None:
        match arrived:
            case HeliumQLError():
                self.close()  # what else is in flight: other statements may submit it again
                self._failure = self._failure or arrived
            case _Invalid(identity, answer):
                self._ask_again(identity, answer)
            case list():
                for identity, answer, requests in arrived:
                    flight = self._flying.pop(identity, None)
                    if flight is not None:
                        self._landed(flight, answer, requests)

    def _ask_again(self, identity: bytes, answer: Answer) -> None:
        """An answer that does not fit: once more, with more room where it was cut off."""
        flight = self._flying.get(identity)
        if flight is None:
            return
        site = self.sites[flight.call.messages.site]
        cancelled = answer.finish_reason == "cancelled"
        self._spend(answer, 1)
        flight.cancelled += cancelled
        if flight.cancelled > _CANCELLATIONS or (
            not cancelled
            and (flight.attempts > site.spec.retries or self._failure or self._interrupted.is_set())
        ):
            for inbox in self._flights.land(identity):
                inbox.put([(identity, replace(answer, prompt_tokens=0, output_tokens=0), 0)])
            return
        flight.attempts += 0 if cancelled else 1
        spec = site.spec
        if answer.finish_reason == "length":
            more = spec.sampling.max_tokens * 2 ** (flight.attempts - 1)
            spec = replace(spec, sampling=replace(spec.sampling, max_tokens=more))
        deliver = self._deliver(site, spec, [flight.call])
        with _failing_as_engine(site.engine):
            site.engine.submit(spec, _requests([flight.call]), deliver)

    def _spend(self, answer: Answer, requests: int) -> None:
        self.tally.requests += requests
        self.tally.prompt_tokens += answer.prompt_tokens
        self.tally.prefix_hit_tokens += answer.cached_tokens
        self.tally.output_tokens += answer.output_tokens

    def _landed(self, flight: _Flight, answer: Answer, requests: int) -> None:
        site = self.sites[flight.call.messages.site]
        self._in_engine[id(site.engine)] -= 1
        if flight.owner:
            self.tally.run += 1
            self._spend(answer, requests)
        else:
            self.graph.counts.shared += 1
        if answer.error is not None:
            self.tally.failed += flight.owner
            failures = self.tally.failures
            failures[answer.error] = failures.get(answer.error, 0) + 1
            if site.on_error == "fail" and self._failure is None:
                self._failure = ExecutionError(
                    f"a call of {site.name} failed: {answer.error}",
                    span=site.span,
                    hint="the answers that had arrived are kept; on_error => 'null' goes on",
                )
        self.graph.answered(flight.call.identity, answer)


@contextmanager
def _failing_as_engine(engine: Engine) -> Iterator[None]:
    """Engines may be anybody's: what they raise ends the statement as the engine's failure."""
    try:
        yield
    except HeliumQLError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise EngineError(f"the engine {type(engine).__name__} failed: {reason}") from error


def _is_answers(arrived: object) -> bool:
    return isinstance(arrived, pa.RecordBatch) and set(ANSWERS.names) <= set(arrived.schema.names)


def _answer(row: Mapping[str, object]) -> Answer:
    def number(name: str) -> int:
        value = row[name]
        return value if isinstance(value, int) else 0

    text, error = row["text"], row["error"]
    if error is not None:
        text = None
    return Answer(
        text=text if isinstance(text, str) else None,
        error=str(error) if error is not None else (None if text is not None else "no answer"),
        finish_reason=sys.intern(str(row["finish_reason"] or "stop")),  # kept once, not per call
        prompt_tokens=number("prompt_tokens"),
        cached_tokens=number("cached_tokens"),
        output_tokens=number("output_tokens"),
    )


def _bytes_of(messages: Messages) -> int:
    texts = [messages.prompt, messages.system, *(m["content"] for m in messages.history or ())]
    return sum(len(t.encode()) for t in texts if t is not None)


def _requests(calls: list[ReadyCall]) -> pa.RecordBatch:
    """Calls as the engine takes them: system, history without a system of its own, prompt."""
    conversations = []
    for call in calls:
        messages = call.messages
        history = list(messages.history or ())
        if messages.system is not None:
            history = [m for m in history if m["role"] != "system"]
            history = [{"role": "system", "content": messages.system}, *history]
        conversations.append([*history, {"role": "user", "content": messages.prompt}])
    return pa.RecordBatch.from_arrays(
        [
            pa.array([c.identity for c in calls], pa.binary(16)),
            pa.array(conversations, _MESSAGES),
            pa.array(range(len(calls)), pa.int64()),
        ],
        schema=REQUESTS,
    )
