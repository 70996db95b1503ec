"""Arrow batches of calls and answers as Python values, for engines that handle them one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from heliumql.engines.engine import ANSWERS
from heliumql.engines.engine import Messages as Messages
from heliumql.errors import EngineError


class Request(NamedTuple):
    """A row of REQUESTS."""

    call: bytes
    messages: Messages
    priority: int
    worker: int | None = None


class Answer(NamedTuple):
    """A row of ANSWERS."""

    call: bytes
    text: str | None
    error: str | None
    finish_reason: str
    prompt_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    requests: int = 1
    worker: int | None = None
    started: float | None = None
    first_token: float | None = None
    finished: float | None = None


def failed(call: bytes, error: str, requests: int = 1) -> Answer:
    """The answer of a call that failed; the reason becomes one line."""
    return Answer(call, None, one_line(error), "error", requests=requests)


def too_long(
    call: bytes, tokens: int, context: int, model: str, *, counted: bool = True, requests: int = 0
) -> Answer:
    """The answer of a call whose prompt does not fit into the context.

    It has so many tokens; at least so many, where they were not `counted`.
    """
    size = f"{tokens:,}" if counted else f"at least {tokens:,}"
    error = f"the prompt has {size} tokens, the context of {model} is {context:,}"
    return Answer(call, None, error, "context", tokens if counted else 0, requests=requests)


def one_line(error: str) -> str:
    return encodable(" ".join(error.split()))


def encodable(text: str) -> str:
    """The text without halves of surrogate pairs, which JSON may hold but Arrow may not."""
    return (
        text
        if text.isascii()
        else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )


def cancelled(call: bytes, requests: int = 0) -> Answer:
    return Answer(call, None, "cancelled", "cancelled", requests=requests)


def read_requests(batch: pa.RecordBatch) -> list[Request]:
    """The calls of a batch (schema REQUESTS), in row order."""
    messages = batch.column("messages")
    roles, contents = messages.flatten().flatten()
    pairs = list(zip(roles.to_pylist(), contents.to_pylist(), strict=True))
    requests = []
    end = 0
    for call, length, priority, worker in zip(
        batch.column("call").to_pylist(),
        messages.value_lengths().to_pylist(),
        batch.column("priority").to_pylist(),
        batch.column("worker").to_pylist(),
        strict=True,
    ):
        start, end = end, end + length
        requests.append(Request(call, tuple(pairs[start:end]), priority, worker))
    return requests


def check_workers(requests: Sequence[Request], count: int) -> None:
    """Raises EngineError where a request names a worker that an engine of `count` has not."""
    for request in requests:
        if request.worker is not None and not 0 <= request.worker < count:
            raise EngineError(
                f"there is no worker {request.worker}", hint=f"the engine has {count}, from 0"
            )


def answers_batch(answers: Sequence[Answer]) -> pa.RecordBatch:
    """The answers as a batch (schema ANSWERS)."""
    columns = zip(*answers, strict=True) if answers else [()] * len(ANSWERS)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, ANSWERS, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=ANSWERS)
