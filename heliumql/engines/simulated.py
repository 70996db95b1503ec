"""The engine `simulated`: answers are a function of the messages, or of a script; time is virtual.

It needs no model: tests, demonstrations and comparisons of schedules run on it. Time passes only
in `advance`, as the event models of its workers (`heliumql/cost/event_model.py`) say.
"""

from __future__ import annotations

import heapq
import itertools
import math
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TypeAlias

import pyarrow as pa

from heliumql.cost.event_model import Completion, Constants, prefix_keys
from heliumql.engines.batches import (
    Answer,
    Messages,
    Request,
    answers_batch,
    cancelled,
    check_workers,
    failed,
    one_line,
    read_requests,
    too_long,
)
from heliumql.engines.beginning import common_start
from heliumql.engines.engine import CallSpec, Deliver, Told, Warmup
from heliumql.engines.invention import invent
from heliumql.engines.lockstep import Lockstep
from heliumql.engines.options import (
    check_keys,
    read_flag,
    read_integer,
    read_number,
    read_tasks,
    read_text,
    read_workers,
)
from heliumql.engines.word_vectors import embed
from heliumql.errors import CatalogError, EngineError

_TOKEN_BYTES = 4  # a token of the simulated engine: four bytes of text
_INSTANT_SLOTS = 4096
_URGENT = -(1 << 62)  # the priority of warm-ups: before all calls

_CONSTANTS = tuple(
    f.name for f in fields(Constants) if f.default is not None and f.name != "answer_seconds"
)  # in virtual time an answer is there at once
KEYS = frozenset({*_CONSTANTS, "latency_seconds", "instant", "log"})
"""Options of CREATE MODEL beside the common ones: the event model's constants (of each worker),
seconds that every answer takes on top, `instant` (no event model, nothing takes time), `log` (keep
what was asked)."""


@dataclass(frozen=True)
class ScriptedAnswer:
    """What a script makes a call do: answer a text, or fail with `error`; and how long it takes."""

    text: str | None = None
    error: str | None = None
    seconds: float = 0.0  # on top of what the event model says
    output_tokens: int | None = None  # as many as the text has, if None


Scripted: TypeAlias = str | ScriptedAnswer | EngineError | None
"""What a script says to one call; an EngineError ends the engine, None leaves the call alone."""

Script: TypeAlias = Callable[[Messages, CallSpec], Scripted]


class ScriptedAnswers:
    """A script made of (pattern, answer) pairs; the first pattern found in a message wins.

    A pattern is a substring or a compiled regular expression. A list of answers is used up one by
    one, the last stays. Calls that no pattern fits get an invented answer.
    """

    def __init__(
        self, pairs: Sequence[tuple[str | re.Pattern[str], Scripted | list[Scripted]]]
    ) -> None:
        self._pairs = [
            (
                re.compile(re.escape(pattern)) if isinstance(pattern, str) else pattern,
                list(answer) if isinstance(answer, list) else [answer],
            )
            for pattern, answer in pairs
        ]

    def __call__(self, messages: Messages, spec: CallSpec) -> Scripted:
        for pattern, answers in self._pairs:
            if any(pattern.search(content) for _, content in messages):
                return answers.pop(0) if len(answers) > 1 else answers[0]
        return None


@dataclass
class LoggedCall:
    """A call that was submitted. Times are virtual seconds; `finished` None: still in flight."""

    call: bytes
    messages: Messages
    spec: CallSpec
    priority: int
    submitted: float
    finished: float | None = None
    answer: Answer | None = None
    worker: int = 0

    @property
    def prompt(self) -> str:
        """The last message."""
        return self.messages[-1][1]


@dataclass
class _Flight:
    """A call in flight: who gets its answer, and what that will be."""

    deliver: Deliver
    answer: Answer
    seconds: float
    fatal: EngineError | None
    logged: LoggedCall | None
    worker: int

    @property
    def tokens(self) -> int:
        """Of prompt and answer."""
        return self.answer.prompt_tokens + self.answer.output_tokens


@dataclass(frozen=True)
class _Warming:
    """A warm-up in flight: who is told of it, by which key."""

    key: bytes
    worker: int
    told: Told


class SimulatedEngine:
    """Implements `heliumql.engines.engine.ScheduledEngine`; several statements may share it."""

    virtual_time = True  # its times are no times of a clock

    def __init__(self, options: Mapping[str, object], answer: Script | None = None) -> None:
        check_keys("simulated", options, KEYS)
        self.tasks = read_tasks(options)
        self._script = answer
        self._model_name = read_text(options, "model", "simulated") or ""
        self._context = read_integer(options, "max_model_len", 0, 0)
        self._latency = read_number(options, "latency_seconds", 0.0)
        self._constants = _read_constants(options)
        self._instant = read_flag(options, "instant", False) or (
            self._constants.instant and not self._latency
        )
        slots = self._constants.max_num_seqs
        if self._instant and "max_num_seqs" not in options:
            slots = _INSTANT_SLOTS
        count = read_workers(options)
        self._slots = slots * count
        self._keep_log = read_flag(options, "log", True)
        self.log: list[LoggedCall] = []  # every call, in the order of submission
        self._lock = threading.Lock()
        self._now = 0.0
        self._models = Lockstep(self._constants, count)
        self._in_flight = [0] * count
        self._flights: dict[bytes, _Flight] = {}
        self._warming: dict[bytes, _Warming] = {}
        # Answers that are known but not yet due: (when, tie, call).
        self._late: list[tuple[float, int, _Flight]] = []
        self._ties = itertools.count()

    @property
    def slots(self) -> int:
        return self._slots

    @property
    def context_tokens(self) -> int | None:
        return self._context or None

    @property
    def now(self) -> float:
        """Virtual seconds since the engine was made."""
        return self._now

    @property
    def workers(self) -> Sequence[Constants]:
        return [self._constants] * len(self._in_flight)

    @property
    def prefill_tokens(self) -> int:
        """Prompt tokens computed so far by all workers, those of warm-ups and recomputation after
        preemptions included."""
        return self._models.prefill_tokens

    @property
    def steps(self) -> int:
        """Steps of all workers so far; calls that are computed together share one."""
        return self._models.steps

    def start(self) -> None:
        """Nothing to get ready."""

    def submit(self, spec: CallSpec, requests: pa.RecordBatch, deliver: Deliver) -> None:
        salt = repr((self._model_name, spec.sampling.seed, spec.returns.hql())).encode()
        calls = read_requests(requests)
        check_workers(calls, len(self._in_flight))
        with self._lock:
            for request in calls:
                self._take(request, spec, salt, deliver)

    def warm(self, warmups: Sequence[Warmup], told: Told) -> None:
        if not self._instant:
            with self._lock:
                for warmup in warmups:
                    self._warm(warmup, told)

    def release(self, keys: Sequence[bytes]) -> None:
        with self._lock:
            for key in keys:
                self._models.unpin(key)

    def advance(self) -> None:
        warmed: list[tuple[_Warming, Completion[bytes]]] = []
        with self._lock:
            deliveries = self._run(warmed)
        for warming, done in warmed:
            warming.told(warming.key, done.prompt_tokens, done.cached_tokens)
        _hand_out(deliveries)

    def cancel(self, calls: Sequence[bytes]) -> None:
        with self._lock:
            deliveries = self._drop(calls)
        _hand_out(deliveries)

    def close(self) -> None:
        with self._lock:
            deliveries = self._drop(list(self._flights))
            for name, warming in self._warming.items():
                self._models.remove(warming.worker, name)
            self._warming.clear()
            self._models.unpin_all()
        _hand_out(deliveries)

    def _take(self, request: Request, spec: CallSpec, salt: bytes, deliver: Deliver) -> None:
        call = request.call
        prompt = _rendered(request.messages)
        prompt_tokens = -(-len(prompt) // _TOKEN_BYTES)
        worker = request.worker
        if worker is None:
            worker = self._in_flight.index(min(self._in_flight))
        if self._context and prompt_tokens + (spec.task != "embed") > self._context:
            name = self._model_name or "the model"
            refused = too_long(call, prompt_tokens, self._context, name)._replace(worker=worker)
            flight = _Flight(deliver, refused, 0.0, None, None, worker)
            self._fly(flight)
            self._due(flight, self.now)
            return
        scripted = self._script(request.messages, spec) if self._script else None
        fatal = None
        seconds = self._latency
        output_tokens = None
        error = None
        text = None
        match scripted:
            case str():
                text = scripted
            case ScriptedAnswer():
                text, error = scripted.text, scripted.error and one_line(scripted.error)
                seconds += scripted.seconds
                output_tokens = scripted.output_tokens
            case EngineError():
                fatal = scripted
        embeds = spec.task == "embed"
        if text is None and error is None and embeds:
            text = embed(request.messages[-1][1])
        elif text is None and error is None:
            if spec.sampling.temperature > 0 and spec.sampling.seed is None:
                salt = salt + call
            text = invent(spec.returns, salt + b"\0" + prompt)
        most = spec.sampling.max_tokens
        if self._context:
            most = min(most, self._context - prompt_tokens)
        finish = "error"
        if text is not None and embeds:
            finish, output_tokens = "stop", 0
        elif text is not None:
            text, finish = _limited(text, most, spec.sampling.stop)
            if output_tokens is None:
                output_tokens = max(1, -(-len(text.encode()) // _TOKEN_BYTES))
        count = output_tokens or 1  # the event model knows no call without a step of its own
        drawn = 0 if embeds else count
        answer = Answer(call, text, error, finish, prompt_tokens, 0, drawn, worker=worker)
        logged = None
        if self._keep_log:
            logged = LoggedCall(call, request.messages, spec, request.priority, self.now)
            logged.worker = worker
            self.log.append(logged)
        flight = _Flight(deliver, answer, seconds, fatal, logged, worker)
        self._fly(flight)
        if self._instant:
            flight.answer = answer._replace(started=self.now, finished=self.now + seconds)
            self._due(flight, self.now + seconds)
            return
        block = _TOKEN_BYTES * self._constants.block_size
        whole = prompt if text is None or embeds else prompt + text.encode()
        keys = prefix_keys(whole, block)
        try:
            self._models.add(worker, self.now, call, prompt_tokens, keys, count, request.priority)
        except ValueError as reason:
            flight.answer = failed(call, str(reason))._replace(worker=worker)
            self._due(flight, self.now)

    def _fly(self, flight: _Flight) -> None:
        self._flights[flight.answer.call] = flight
        self._in_flight[flight.worker] += 1

    def _warm(self, warmup: Warmup, told: Told) -> None:
        prefix = common_start(_rendered(warmup.first), _rendered(warmup.second))
        keys = prefix_keys(prefix, _TOKEN_BYTES * self._constants.block_size)
        worker = warmup.worker
        if not keys or not 0 <= worker < len(self._in_flight):
            return
        if warmup.keep:
            flights = self._flights.values()
            room = max((f.tokens for f in flights if f.worker == worker), default=0)
            self._models.pin(warmup.key, worker, keys, room)
        name = b"warm" + next(self._ties).to_bytes(12, "big")
        tokens = len(prefix) // _TOKEN_BYTES
        try:
            self._models.add(worker, self.now, name, tokens, keys, 1, _URGENT)
        except ValueError:  # it does not fit
            self._models.unpin(warmup.key)
            return
        self._warming[name] = _Warming(warmup.key, worker, told)

    def _run(
        self, warmed: list[tuple[_Warming, Completion[bytes]]]
    ) -> list[tuple[Deliver, Answer | EngineError]]:
        """Let time pass until an answer is due; returns what is, and adds the warm-ups that are
        done meanwhile."""
        while True:
            while self._late and not self._is_flying(self._late[0][2]):
                heapq.heappop(self._late)  # cancelled while it was late
            due = self._late[0][0] if self._late else math.inf
            behind = self._models.behind
            if due <= behind:
                break
            for completion in self._models.step(due):
                if completion.call in self._warming:
                    warmed.append((self._warming.pop(completion.call), completion))
                else:
                    self._complete(completion)
        if due == math.inf:
            return []
        self._now = max(self.now, due if behind == math.inf else behind)
        deliveries: list[tuple[Deliver, Answer | EngineError]] = []
        while self._late and self._late[0][0] <= self.now:
            _, _, flight = heapq.heappop(self._late)
            if not self._is_flying(flight):
                continue
            if flight.fatal is not None:
                return deliveries + self._end(flight.fatal)
            deliveries.append(self._land(flight.answer.call, flight.answer))
        return deliveries

    def _is_flying(self, flight: _Flight) -> bool:
        """Not cancelled: the call may be in flight anew, for others."""
        return self._flights.get(flight.answer.call) is flight

    def _complete(self, completion: Completion[bytes]) -> None:
        flight = self._flights[completion.call]
        due = completion.finished + flight.seconds
        flight.answer = flight.answer._replace(
            cached_tokens=completion.cached_tokens,
            started=completion.admitted,
            first_token=completion.first_token,
            finished=due,
        )
        self._due(flight, due)

    def _due(self, flight: _Flight, when: float) -> None:
        heapq.heappush(self._late, (when, next(self._ties), flight))

    def _drop(self, calls: Sequence[bytes]) -> list[tuple[Deliver, Answer | EngineError]]:
        deliveries = []
        for call in calls:
            flight = self._flights.get(call)
            if flight is not None:
                self._models.remove(flight.worker, call)
                deliveries.append(self._land(call, cancelled(call)))
        return deliveries

    def _land(self, call: bytes, answer: Answer) -> tuple[Deliver, Answer | EngineError]:
        flight = self._flights.pop(call)
        self._in_flight[flight.worker] -= 1
        if flight.logged is not None:
            flight.logged.finished = self.now if answer.finished is None else answer.finished
            flight.logged.answer = answer
        return flight.deliver, answer

    def _end(self, error: EngineError) -> list[tuple[Deliver, Answer | EngineError]]:
        """Drop everything in flight; each statement is told once."""
        delivers = {id(flight.deliver): flight.deliver for flight in self._flights.values()}
        for call, flight in self._flights.items():
            self._models.remove(flight.worker, call)
        self._flights.clear()
        self._in_flight = [0] * len(self._in_flight)
        self._late.clear()
        return [(deliver, error) for deliver in delivers.values()]


def _hand_out(deliveries: Sequence[tuple[Deliver, Answer | EngineError]]) -> None:
    """One batch to each receiver. Runs without the lock: a receiver may submit more calls."""
    grouped: dict[Deliver, list[Answer]] = {}
    errors = []
    for deliver, result in deliveries:
        if isinstance(result, EngineError):
            errors.append((deliver, result))
        else:
            grouped.setdefault(deliver, []).append(result)
    for deliver, answers in grouped.items():
        deliver(answers_batch(answers))
    for deliver, error in errors:
        deliver(error)


def _read_constants(options: Mapping[str, object]) -> Constants:
    defaults = Constants()
    values: dict[str, int | float] = {}
    for name in _CONSTANTS:
        default = getattr(defaults, name)
        if isinstance(default, int):
            values[name] = read_integer(options, name, default)
        else:
            values[name] = read_number(options, name, default)
    try:
        return Constants(**values)  # type: ignore[arg-type]  # each has the type of its default
    except ValueError as error:
        raise CatalogError(f"engine 'simulated': {error}") from None


def _rendered(messages: Messages) -> bytes:
    """The prompt as one text that a continued conversation starts with."""
    parts = [f"{role}\n{content}\n\0" for role, content in messages]
    return ("".join(parts) + "assistant\n").encode("utf-8", "surrogatepass")


def _limited(text: str, max_tokens: int, stop: tuple[str, ...]) -> tuple[str, str]:
    """The text up to a stop sequence or `max_tokens`, and why it ended."""
    for sequence in stop:
        text = text.split(sequence, 1)[0] if sequence else text
    data = text.encode()
    if len(data) > max_tokens * _TOKEN_BYTES:
        return data[: max_tokens * _TOKEN_BYTES].decode("utf-8", "ignore"), "length"
    return text, "stop"
