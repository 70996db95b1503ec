"""What an engine delivers: answers checked, kept, and told to the statements that wait for them.

An engine delivers from any thread. Here an answer is fitted to its type and made durable before
anybody sees a row of it; who waits for it is told through an inbox, which the dispatcher of the
statement reads in its own thread.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from heliumql.calls.answers import Answer, AnswerStore
from heliumql.calls.graph import ReadyCall
from heliumql.calls.learnt import Learnt
from heliumql.engines.engine import ANSWERS, OPTIONAL_ANSWERS, CallSpec, Engine
from heliumql.engines.thoughts import without_thoughts
from heliumql.errors import EngineError, HeliumQLError
from heliumql.physical.flights import Flights, Inbox
from heliumql.physical.site import Site

Answered = list[tuple[bytes, Answer, int]]  # identity, answer, requests sent


@dataclass(frozen=True)
class Timed:
    """Rows of answers that are on their way, for when and where their calls ran."""

    rows: Sequence[Mapping[str, Any]]
    sent: float = 0.0  # when, by time.monotonic()


@dataclass(frozen=True)
class Invalid:
    """An answer that does not fit its type; its owner may ask again."""

    identity: bytes
    answer: Answer
    requests: int  # that were sent for it
    timed: Timed | None = None  # when it ran, where that is wanted


@dataclass(frozen=True)
class Warmed:
    """A prefix that an engine has computed ahead of the calls that begin with it."""

    key: bytes
    prompt_tokens: int
    cached_tokens: int


@dataclass(frozen=True)
class Failed:
    """The engine is of no use any more."""

    engine: Engine
    error: HeliumQLError


class Delivery:
    """A batch of calls of one site that an engine was given; `__call__` takes what it delivers."""

    def __init__(
        self,
        site: Site,
        spec: CallSpec,
        calls: Sequence[ReadyCall],
        owner: Inbox,
        flights: Flights,
        store: AnswerStore,
        learnt: Learnt,
        *,
        timed: bool,
    ) -> None:
        """`owner` is the inbox of the statement that submits; `timed`: it wants to know when and
        where calls ran."""
        self._site = site
        self._spec = spec
        self._owner = owner
        self._flights = flights
        self._store = store
        self._learnt = learnt
        self._timed = timed
        self._began = time.monotonic()
        self._asked = {c.identity: c.messages.bytes for c in calls}  # how long prompts are

    def __call__(self, arrived: pa.RecordBatch | EngineError) -> None:
        if not isinstance(arrived, EngineError) and not _is_answers(arrived):
            arrived = EngineError("the engine delivered something that is not answers")
        if isinstance(arrived, EngineError):
            self._fail(arrived)
            return
        good: dict[bytes, Answer] = {}
        over: Answered = []
        timed: list[Mapping[str, Any]] = []
        strangers: list[object] = []
        for row in arrived.to_pylist():
            identity, answer = row["call"], _answer(row)
            if self._is_strange(identity, answer):
                strangers.append(identity)
                continue
            requests = 1 if row["requests"] is None else row["requests"]
            if answer.text is not None:
                try:
                    accepted = _accepted(answer.text, answer.finish_reason, self._spec)
                    if accepted != answer.text:
                        answer = replace(answer, text=accepted)
                    good[identity] = answer
                except ValueError as error:
                    reason = str(error)
                    if answer.finish_reason == "length":
                        most = self._spec.sampling.max_tokens
                        reason = f"cut off at {most} tokens: {reason}"
                    invalid = replace(answer, text=None, error=reason)
                    when = Timed([{**row, "error": reason}], self._began) if self._timed else None
                    self._refuse(Invalid(identity, invalid, requests, when))
                    continue
            elif answer.finish_reason == "cancelled" and self._flights.waiting(identity):
                self._refuse(Invalid(identity, answer, requests))
                continue
            over.append((identity, answer, requests))
            if answer.finish_reason != "context":  # else nothing ran
                timed.append(row)
        try:
            self._keep({i: a for i, a in good.items() if i in self._asked})
        except HeliumQLError as error:  # of the answer store: nothing can be remembered
            self._fail(error)
            self._site.engine.cancel(list(self._asked))  # those that are still in the engine
            return
        if self._timed:
            self._owner.put(Timed(timed, self._began))
        told: dict[int, tuple[Inbox, Answered]] = {}
        for answered in over:
            for inbox in self._flights.land(answered[0]):
                told.setdefault(id(inbox), (inbox, []))[1].append(answered)
        for inbox, answers in told.values():
            inbox.put(answers)
        if strangers:  # those that were meant would be waited for for ever
            self._fail(_not_asked(self._site.engine, strangers))

    def _is_strange(self, identity: bytes, answer: Answer) -> bool:
        """Nobody has asked for this call; an engine may have mixed up batches, or stopped it."""
        return (
            identity not in self._asked
            and answer.finish_reason != "cancelled"
            and not self._flights.waiting(identity)
        )

    def _keep(self, answers: dict[bytes, Answer]) -> None:
        """Durable before anybody sees a row of it; what others may learn of it is noted."""
        site = self._site
        if site.cache != "off" and not site.sampled:
            self._store.put(answers, site.operator)
        self._learnt.note_calls(
            site.operator,
            prompt_bytes=sum(self._asked[i] for i, a in answers.items() if a.prompt_tokens),
            prompt_tokens=sum(a.prompt_tokens for a in answers.values()),
            output_tokens=[a.output_tokens for a in answers.values()],
            seconds=(time.monotonic() - self._began) * len(answers),
        )

    def _fail(self, error: HeliumQLError) -> None:
        """Ends the statements that wait for these calls."""
        for inbox in {i for c in self._asked for i in self._flights.land(c)}:
            inbox.put(Failed(self._site.engine, error))

    def _refuse(self, invalid: Invalid) -> None:
        """Lets the statement that asked ask again, or one that waits if that one is gone."""
        waiting = self._flights.waiting(invalid.identity)
        for inbox in [self._owner] if self._owner in waiting else waiting[:1]:
            inbox.put(invalid)


def _not_asked(engine: Engine, strangers: Sequence[object]) -> EngineError:
    more = f" and {len(strangers) - 1:,} more" if len(strangers) > 1 else ""
    return EngineError(
        f"the engine {type(engine).__name__} delivered a call that it was not given: "
        f"{strangers[0]!r:.60}{more}",
        hint="`call` of an answer is the one of the request, as it is",
    )


def _is_answers(arrived: object) -> bool:
    wanted = set(ANSWERS.names).difference(OPTIONAL_ANSWERS)
    return isinstance(arrived, pa.RecordBatch) and wanted <= set(arrived.schema.names)


def _accepted(text: str, finish_reason: str, spec: CallSpec) -> str:
    """The answer in the canonical form of its type, without the thoughts before it.

    Raises ValueError that says why where there is none, or none that fits the type.
    """
    if spec.task == "embed":
        return spec.accept(text)
    if not spec.returns.is_text:
        try:
            return spec.accept(text)  # JSON may hold a tag as well
        except ValueError:
            pass
    proper = without_thoughts(text, opened=spec.thinking != "off")
    if proper is None:
        if finish_reason == "length":
            raise ValueError("thinking used up max_tokens")
        raise ValueError("the model stopped while it was thinking")
    return spec.accept(proper)


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
