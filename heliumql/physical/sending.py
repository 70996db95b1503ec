"""Calls as the dispatcher sends them: what it knows of one that an engine has, or is to have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from heliumql.calls.account import Account
from heliumql.calls.answers import Answer
from heliumql.calls.graph import ReadyCall
from heliumql.engines.engine import REQUESTS, CallSpec, Engine, LimitedEngine
from heliumql.physical.site import Site

_MESSAGES = REQUESTS.field("messages").type


@dataclass
class Flight:
    """A call of these statements that an engine has."""

    call: ReadyCall
    worker: int
    rank: int
    attempts: int = 1
    cancelled: int = 0
    owner: bool = True


@dataclass(frozen=True)
class Held:
    """A call that its statement's budget does not allow while others are in flight."""

    flight: Flight
    engine: Engine
    spec: CallSpec
    unfit: Answer | None = None  # to be asked again: the answer that did not fit


def asked_again(site: Site, flight: Flight, unfit: Answer) -> CallSpec:
    """How to ask for an answer that did not fit: with more tokens where it was cut off.

    They double with each attempt, up to what the context has room for.
    """
    spec = site.spec
    if unfit.finish_reason != "length":
        return spec
    few = spec.sampling.max_tokens
    more = few * 2 ** (flight.attempts - 1)
    context = site.engine.context_tokens if isinstance(site.engine, LimitedEngine) else None
    if context is not None:
        more = max(few, min(more, context - unfit.prompt_tokens))
    return replace(spec, sampling=replace(spec.sampling, max_tokens=more))


def paid(answer: Answer) -> Answer:
    """The answer, what it took counted already."""
    return replace(answer, prompt_tokens=0, output_tokens=0)


def spend(account: Account, site: Site, answer: Answer, requests: int) -> None:
    account.requests += requests
    for spent in (account, account.at(site.number)):
        spent.prompt_tokens += answer.prompt_tokens
        spent.prefix_hit_tokens += answer.cached_tokens
        spent.output_tokens += answer.output_tokens


def requests(flights: Sequence[Flight]) -> pa.RecordBatch:
    """Calls as the engine takes them: system, history without a system of its own, prompt."""
    conversations = []
    for flight in flights:
        messages = flight.call.messages
        history = list(messages.history or ())
        if messages.system is not None:
            history = [m for m in history if m["role"] != "system"]
            history = [{"role": "system", "content": messages.system}, *history]
        conversations.append([*history, {"role": "user", "content": messages.prompt}])
    return pa.RecordBatch.from_arrays(
        [
            pa.array([f.call.identity for f in flights], pa.binary(16)),
            pa.array(conversations, _MESSAGES),
            pa.array([f.rank for f in flights], pa.int64()),
            pa.array([f.worker for f in flights], pa.int32()),
        ],
        schema=REQUESTS,
    )
