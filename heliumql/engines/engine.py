"""The protocol that every engine implements: batches of ready calls in, batches of answers out.

The dispatcher (`physical/dispatch.py`) submits calls the moment their inputs are known and never
waits inside an engine; an engine keeps as many calls in flight as suits it and delivers answers
in any order, from any thread. Failure is a value on an answer, never a lost call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import pyarrow as pa

from heliumql.cost.event_model import Constants
from heliumql.cost.speeds import Observed
from heliumql.errors import EngineError
from heliumql.types import SqlType
from heliumql.vectors import accept

Messages: TypeAlias = tuple[tuple[str, str], ...]  # (role, content)

Task: TypeAlias = Literal["generate", "embed"]
"""What is asked of a model: to go on with a conversation, or for the vector of a text."""
Thinking: TypeAlias = Literal["auto", "on", "off"]
"""Whether a model thinks before it answers; `auto` leaves that to the model."""

MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))

REQUESTS = pa.schema(
    [
        ("call", pa.binary(16)),  # unique among the calls in flight of this engine
        ("messages", MESSAGES),  # system (optional), history, user; contents are never null
        ("priority", pa.int64()),  # smaller first; engines without priorities go in row order
        ("worker", pa.int32()),  # of the engine, that is to run the call; null: the engine chooses
    ]
)

ANSWERS = pa.schema(
    [
        ("call", pa.binary(16)),
        # null where the call failed; thoughts may come first (thoughts.py), delivery removes them
        ("text", pa.string()),
        ("error", pa.string()),  # null where it did not; one line, no secrets
        ("finish_reason", pa.string()),  # stop | length | error | cancelled | context
        ("prompt_tokens", pa.int32()),  # of one that does not fit the context: 0 if not counted
        ("cached_tokens", pa.int32()),  # prompt tokens found in the engine's prefix cache
        ("output_tokens", pa.int32()),
        ("requests", pa.int32()),  # requests sent, retries included; null is one
        ("worker", pa.int32()),  # that ran the call; from here on null where not known
        ("started", pa.float64()),  # seconds of time.monotonic(), or of the engine's virtual time
        ("first_token", pa.float64()),
        ("finished", pa.float64()),
    ]
)

OPTIONAL_ANSWERS = ("worker", "started", "first_token", "finished")
"""The columns of ANSWERS that an engine may leave out."""


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn. Temperature 0 is greedy decoding."""

    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class CallSpec:
    """What the calls of one submitted batch have in common.

    Calls that embed have one message, of the user, which is the text. The answer is a JSON list of
    numbers; there is nothing to sample, and no token is drawn.
    """

    sampling: Sampling
    returns: SqlType  # decoding is constrained to it where it is not VARCHAR
    retries: int = 2
    task: Task = "generate"
    thinking: Thinking = "auto"

    def accept(self, text: str) -> str:
        """The answer in canonical form. Raises ValueError that says why it does not fit."""
        return accept(text) if self.task == "embed" else self.returns.accept(text)


@dataclass(frozen=True)
class Warmup:
    """A prefix to compute ahead of the calls that begin with it.

    It is what the token sequences of two conversations have in common, and so is right for any
    tokenizer and chat template. `keep`: it stays in the worker's KV cache until `release`.
    """

    key: bytes  # unique among those that are kept
    worker: int
    first: Messages
    second: Messages
    keep: bool


Told = Callable[[bytes, int, int], None]
"""Takes the key of a warm-up that has been computed, its prompt tokens, and how many of them were
in the prefix cache already. Called from any thread; it never blocks and never raises."""

Deliver = Callable[[pa.RecordBatch | EngineError], None]
"""Takes a batch of ANSWERS (any subset of the submitted calls, each call once), or an EngineError
that ends all calls in flight. Called from any thread; it never blocks and never raises."""


class Engine(Protocol):
    """A model that answers calls."""

    @property
    def slots(self) -> int:
        """How many calls are worth having in flight; the dispatcher keeps slightly more there."""

    def start(self) -> None:
        """Get ready to answer (load weights, check the server). Idempotent. Raises EngineError."""

    def submit(self, spec: CallSpec, requests: pa.RecordBatch, deliver: Deliver) -> None:
        """Take calls (schema REQUESTS); returns at once, answers go to `deliver`."""

    def advance(self) -> None:
        """Called when the dispatcher has nothing to submit and is about to wait for answers.

        Engines with virtual time work here and deliver before they return; real ones ignore it.
        """

    def cancel(self, calls: Sequence[bytes]) -> None:
        """Abort these calls if still in flight; each is delivered with finish_reason cancelled."""

    def close(self) -> None:
        """Leave nothing behind: no process, no thread, no open connection. Idempotent."""


@runtime_checkable
class ScheduledEngine(Engine, Protocol):
    """An engine whose workers can be seen, so that a scheduler may choose among them."""

    @property
    def workers(self) -> Sequence[Constants]:
        """Limits and speed of each worker, as far as known; `start` may make them known better.

        `max_num_seqs` is how many calls the worker computes at once.
        """

    def warm(self, warmups: Sequence[Warmup], told: Told) -> None:
        """Compute these prefixes ahead of calls that are submitted later; returns at once.

        Best effort: one that cannot be computed or kept is passed over without a word.
        """

    def release(self, keys: Sequence[bytes]) -> None:
        """Let these prefixes go, now or once computed; unknown keys are passed over."""


@runtime_checkable
class TaskEngine(Protocol):
    """An engine that says what can be asked of it; others generate."""

    @property
    def tasks(self) -> frozenset[Task]:
        """What its model can do."""


@runtime_checkable
class TitledEngine(Protocol):
    """An engine that has words for what it is, for users who wait until it is started."""

    @property
    def title(self) -> str:
        """`vLLM: Qwen/Qwen3-0.6B`"""


def tasks_of(engine: Engine) -> frozenset[Task]:
    """What can be asked of the engine."""
    return engine.tasks if isinstance(engine, TaskEngine) else frozenset({"generate"})


@runtime_checkable
class LimitedEngine(Protocol):
    """An engine that may know how much fits into its context.

    A prompt that leaves no room there for a token of an answer is not sent: its call is delivered
    as failed, with finish_reason context (`batches.too_long`). Where the prompt fits and
    `max_tokens` more do not, the answer has what room there is.
    """

    @property
    def context_tokens(self) -> int | None:
        """Tokens of prompt and answer together; None where it is not known, or not yet."""


@runtime_checkable
class MeasuredEngine(Protocol):
    """An engine that notes how fast it is, from what it runs."""

    @property
    def speed_key(self) -> str:
        """What its speed depends on; engines with the same key are as fast."""

    def start_from(self, learnt: Observed) -> None:
        """Take this for its speed, from earlier runs, until more was observed."""

    def take_observed(self) -> Observed:
        """What was observed since this was last called, never what it started from."""


@runtime_checkable
class CalibratedEngine(MeasuredEngine, Protocol):
    """One that can be measured at any time."""

    def calibrate(self) -> Constants:
        """Measure it now, with calls of random text; what a worker is then. Starts the engine."""


@runtime_checkable
class ReportingEngine(Protocol):
    """An engine that goes on after troubles of which a user should hear."""

    def take_incidents(self) -> Sequence[str]:
        """What has happened since this was last called, a line each."""
