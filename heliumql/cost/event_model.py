"""An LLM engine as discrete events in virtual time: what a batch of calls would take and hit.

The simulated engine answers in its time, and the scheduler scores candidate orders with it.
It follows vLLM: continuous batching with chunked prefill, a paged KV cache whose whole blocks are
found again by prefix, least recently used blocks evicted first, priorities, and preemption with
recomputation where the KV cache runs short. Prompts are known by their length and the keys of
their blocks only (`prefix_keys`); no text and no answers live here.
"""

from __future__ import annotations

import heapq
import math
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

C = TypeVar("C", bound=Hashable)


@dataclass(frozen=True)
class Constants:
    """The engine's limits and speed. The defaults resemble an 8B model on one large GPU."""

    block_size: int = 16
    kv_cache_tokens: int = 400_000
    max_num_seqs: int = 256
    max_num_batched_tokens: int = 8192
    step_seconds: float = 0.008
    prefill_seconds_per_token: float = 0.00004
    decode_seconds_per_sequence: float = 0.00005
    attention_seconds_per_pair: float = 0.0  # of a computed token and one that it looks back at
    kv_read_seconds_per_token: float = 0.0  # that a drawn token looks back at, beside the pair
    call_seconds: float = 0.0  # of a call, when it is taken in
    answer_seconds: float = 0.0  # from an answer until a call that waited for it is there
    max_waiting: int | None = None  # calls worth having beside those that are computed

    def __post_init__(self) -> None:
        for name in ("block_size", "max_num_seqs", "max_num_batched_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        if self.kv_cache_tokens < self.block_size:
            raise ValueError(f"kv_cache_tokens must hold one block ({self.block_size} tokens)")
        if self.max_num_batched_tokens < self.max_num_seqs:
            raise ValueError("max_num_batched_tokens must be at least max_num_seqs")
        for name in _SPEEDS:
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be zero or more")

    @property
    def instant(self) -> bool:
        """Nothing takes any time."""
        return not any(getattr(self, name) for name in _SPEEDS)


_SPEEDS = (
    "step_seconds", "prefill_seconds_per_token", "decode_seconds_per_sequence",
    "attention_seconds_per_pair", "kv_read_seconds_per_token", "call_seconds", "answer_seconds",
)  # fmt: skip


class Completion(NamedTuple, Generic[C]):
    """A call that has got its last token. Times are virtual seconds."""

    call: C
    prompt_tokens: int
    cached_tokens: int  # of the prompt, found in the prefix cache when it was first admitted
    output_tokens: int
    submitted: float
    admitted: float
    finished: float
    preemptions: int
    first_token: float


def prefix_keys(data: bytes, block_bytes: int) -> list[int]:
    """Keys of the whole blocks of a prompt; equal keys stand for equal prefixes up to the block."""
    key = block_bytes
    keys = []
    for start in range(0, len(data) - block_bytes + 1, block_bytes):
        key = hash((key, data[start : start + block_bytes]))
        keys.append(key)
    return keys


class _Sequence(Generic[C]):
    """A call on its way through the engine."""

    __slots__ = (
        "admitted", "cached", "call", "computed", "decoding", "first_token", "held", "keyed",
        "keys", "left", "order", "output", "preemptions", "priority", "prompt", "since",
        "submitted", "target", "version",
    )  # fmt: skip

    def __init__(
        self, call: C, prompt: int, keys: Sequence[int], output: int, priority: int, order: int
    ) -> None:
        self.call = call
        self.prompt = prompt
        self.keys = keys
        self.output = output
        self.priority = priority
        self.order = order
        self.submitted = 0.0
        self.admitted = -1.0
        self.first_token = -1.0
        self.cached = 0
        self.preemptions = 0
        self.target = prompt  # tokens to compute before the next one is drawn
        self.computed = 0  # tokens in the KV cache; while decoding: when `since` was set
        self.left = output  # tokens still to draw; while decoding: when `since` was set
        self.since = 0
        self.decoding = False
        self.held: list[int | None] = []  # blocks in use; None: not to be found by a prefix
        self.keyed = 0  # how many leading blocks have been offered to the prefix cache
        self.version = 0  # tells events of this stay in the batch from those of earlier ones


class EventModel(Generic[C]):
    """One engine. `add` calls, then `step` until it is no longer `busy`."""

    def __init__(self, constants: Constants) -> None:
        self.constants = constants
        self.now = 0.0
        self.steps = 0
        self.prefill_tokens = 0
        self.hit_tokens = 0
        self.preemptions = 0
        self._blocks = constants.kv_cache_tokens // constants.block_size
        self._free = self._blocks  # blocks no sequence uses: the idle ones and the blank ones
        self._users: dict[int, int] = {}  # findable blocks in use: how many sequences use them
        self._idle: OrderedDict[int, None] = OrderedDict()  # findable, unused, oldest use first
        self._live: dict[C, _Sequence[C]] = {}
        self._running: dict[int, _Sequence[C]] = {}  # by order; in order of admission
        self._waiting: list[tuple[int, int, int, _Sequence[C]]] = []
        self._prefilling: list[_Sequence[C]] = []
        self._growing: list[_Sequence[C]] = []  # decoding, their blocks are full
        # A decoding sequence is left alone until it is done or needs a block: at this step count.
        self._events: list[tuple[int, int, int, _Sequence[C]]] = []
        self._decoding = 0
        self._looked_back = 0  # tokens in the KV cache of all decoding sequences, at this step
        self._pairs = 0.0  # that the prefill of the current step looks back at
        self._admitted = 0  # calls that the current step has taken in for the first time
        self._pinned: set[int] = set()  # keys to be kept, whether they are there yet or not
        self._added = 0

    @property
    def busy(self) -> bool:
        return bool(self._live)

    @property
    def capacity(self) -> int:
        """Tokens (prompt and output together) that a single call may have."""
        return self._blocks * self.constants.block_size

    def add(
        self, call: C, prompt_tokens: int, keys: Sequence[int], output_tokens: int, priority: int
    ) -> None:
        """A call arrives now. `keys` are those of the leading whole blocks of prompt and output.

        Raises ValueError where it could never run.
        """
        if call in self._live:
            raise ValueError("the call is in flight already")
        if prompt_tokens < 1 or output_tokens < 1:
            raise ValueError("a call has at least one prompt token and one output token")
        if prompt_tokens + output_tokens > self.capacity:
            raise ValueError(
                f"{prompt_tokens} prompt and {output_tokens} output tokens do not fit"
                f" the KV cache of {self.capacity} tokens"
            )
        sequence = _Sequence(call, prompt_tokens, keys, output_tokens, priority, self._added)
        self._added += 1
        sequence.submitted = self.now
        self._live[call] = sequence
        self._wait(sequence)

    def remove(self, call: C) -> bool:
        """The call is aborted; what it computed stays in the prefix cache. False: not in flight."""
        sequence = self._live.pop(call, None)
        if sequence is None:
            return False
        sequence.version += 1
        if self._running.pop(sequence.order, None) is not None:
            self._stop(sequence)
        return True

    def pin(self, keys: Iterable[int]) -> None:
        """Keep these blocks from when they are computed next until `unpin`."""
        for key in keys:
            if key in self._pinned:
                continue
            self._pinned.add(key)
            if key in self._idle:
                del self._idle[key]
                self._users[key] = 1
                self._free -= 1
            elif key in self._users:
                self._users[key] += 1

    def unpin(self, keys: Iterable[int]) -> None:
        """Let these blocks be evicted again."""
        for key in keys:
            if key in self._pinned:
                self._pinned.remove(key)
                if key in self._users:
                    self._let_go(key)

    def advance_to(self, time: float) -> None:
        """Let time pass while nothing runs."""
        assert not self._live
        self.now = max(self.now, time)

    def step(self, until: float = math.inf) -> list[Completion[C]]:
        """Run one step of the engine, or several equal ones up to the next event (or `until`).

        Returns the calls that completed, in a fixed order; often none.
        """
        if not self._live:
            return []
        preempted = self._grow()
        decoding = self._decoding
        looked_back = self._looked_back
        budget = self.constants.max_num_batched_tokens - decoding
        room = budget
        self._pairs, self._admitted = 0.0, 0
        for sequence in self._prefilling:
            budget -= self._prefill(sequence, budget)
        if not preempted:
            budget = self._admit(budget)
        prefilled = room - budget
        self.prefill_tokens += prefilled
        constants = self.constants
        pair = constants.attention_seconds_per_pair
        # Prefill computes on what it reads, decoding mostly waits for its memory.
        read = pair + constants.kv_read_seconds_per_token
        cost = constants.step_seconds
        cost += decoding * constants.decode_seconds_per_sequence + looked_back * read
        steps = 1
        if not self._prefilling and not preempted:
            while self._events and self._events[0][3].version != self._events[0][2]:
                heapq.heappop(self._events)
            steps = self._events[0][0] - self.steps if self._events else 1
            if cost > 0 and until < self.now + steps * cost:
                steps = max(1, math.ceil((until - self.now) / cost))
        self.now += steps * cost + prefilled * constants.prefill_seconds_per_token
        self.now += self._pairs * pair + self._admitted * constants.call_seconds
        self.now += decoding * read * (steps * (steps - 1) / 2)  # each step looks back further
        self.steps += steps
        self._looked_back += decoding * steps
        return self._decoded() + self._prefilled()

    def _wait(self, sequence: _Sequence[C]) -> None:
        entry = (sequence.priority, sequence.order, sequence.version, sequence)
        heapq.heappush(self._waiting, entry)

    def _admit(self, budget: int) -> int:
        """Take waiting calls into the batch, as far as tokens, slots and KV blocks go."""
        limit = self.constants.max_num_seqs
        size = self.constants.block_size
        while self._waiting and budget > 0 and len(self._running) < limit:
            _, _, version, sequence = self._waiting[0]
            if sequence.version != version:
                heapq.heappop(self._waiting)
                continue
            # The last token is always computed: its output is the next token.
            most = (sequence.target - 1) // size
            hits = 0
            unused = 0
            for key in sequence.keys[:most]:
                if key not in self._users:
                    if key not in self._idle:
                        break
                    unused += 1
                hits += 1
            fresh = -(-sequence.target // size) - hits
            if fresh + unused > self._free:
                break
            heapq.heappop(self._waiting)
            held: list[int | None] = list(sequence.keys[:hits])
            for key in sequence.keys[:hits]:
                if key in self._users:
                    self._users[key] += 1
                else:
                    del self._idle[key]
                    self._users[key] = 1
            self._free -= fresh + unused
            self._evict()
            held.extend([None] * fresh)
            sequence.held = held
            sequence.keyed = hits
            sequence.computed = hits * size
            if sequence.admitted < 0:
                sequence.admitted = self.now
                self._admitted += 1
                sequence.cached = hits * size
                self.hit_tokens += sequence.cached
            self._running[sequence.order] = sequence
            self._prefilling.append(sequence)
            budget -= self._prefill(sequence, budget)
        return budget

    def _prefill(self, sequence: _Sequence[C], budget: int) -> int:
        chunk = min(budget, sequence.target - sequence.computed)
        self._pairs += chunk * (sequence.computed + chunk / 2)
        sequence.computed += chunk
        self._offer(sequence, sequence.computed)
        return chunk

    def _prefilled(self) -> list[Completion[C]]:
        """Sequences whose prompt is computed draw their first token and decode from now on."""
        completions = []
        still = []
        for sequence in self._prefilling:
            if sequence.computed < sequence.target:
                still.append(sequence)
                continue
            if sequence.first_token < 0:
                sequence.first_token = self.now
            sequence.left -= 1
            if not sequence.left:
                completions.append(self._complete(sequence))
                continue
            sequence.decoding = True
            self._decoding += 1
            self._looked_back += sequence.computed
            self._expect(sequence)
        self._prefilling = still
        return completions

    def _decoded(self) -> list[Completion[C]]:
        """Events of the step just run: sequences that are done, or whose blocks are full."""
        completions = []
        while self._events and self._events[0][0] <= self.steps:
            _, _, version, sequence = heapq.heappop(self._events)
            if sequence.version != version:
                continue
            self._account(sequence)
            if sequence.left:
                self._growing.append(sequence)
            else:
                completions.append(self._complete(sequence))
        return completions

    def _account(self, sequence: _Sequence[C]) -> None:
        """Bring the counts of a decoding sequence up to the current step."""
        ran = self.steps - sequence.since
        sequence.computed += ran
        sequence.left -= ran
        sequence.since = self.steps

    def _expect(self, sequence: _Sequence[C]) -> None:
        """Set the next event of a sequence that decodes from now on."""
        sequence.since = self.steps
        room = len(sequence.held) * self.constants.block_size - sequence.computed
        if not room:
            self._growing.append(sequence)
            return
        at = self.steps + min(sequence.left, room)
        heapq.heappush(self._events, (at, sequence.order, sequence.version, sequence))

    def _grow(self) -> bool:
        """Give a block to each sequence that needs one; True where others had to leave for it."""
        if not self._growing:
            return False
        preempted = False
        growing = sorted(self._growing, key=lambda s: (s.priority, s.order))
        self._growing = []
        for sequence in growing:
            while sequence.decoding and not self._free:
                preempted = True
                self._preempt(max(self._running.values(), key=lambda s: (s.priority, s.order)))
            if sequence.decoding:
                self._offer(sequence, sequence.computed)
                self._free -= 1
                self._evict()
                sequence.held.append(None)
                self._expect(sequence)
        return preempted

    def _preempt(self, sequence: _Sequence[C]) -> None:
        """The sequence leaves the batch and waits again; it will compute its tokens anew."""
        if sequence.decoding:
            self._account(sequence)
            sequence.target = sequence.computed + 1
        sequence.version += 1
        sequence.preemptions += 1
        self.preemptions += 1
        del self._running[sequence.order]
        self._stop(sequence)
        self._wait(sequence)

    def _complete(self, sequence: _Sequence[C]) -> Completion[C]:
        self._offer(sequence, sequence.computed)
        del self._live[sequence.call]
        del self._running[sequence.order]
        if sequence.decoding:
            self._decoding -= 1
            self._looked_back -= sequence.computed
        self._release(sequence)
        return Completion(
            sequence.call,
            sequence.prompt,
            sequence.cached,
            sequence.output,
            sequence.submitted,
            sequence.admitted,
            self.now,
            sequence.preemptions,
            sequence.first_token,
        )

    def _stop(self, sequence: _Sequence[C]) -> None:
        """Take a sequence out of the batch before it is done."""
        if sequence.decoding:
            self._account(sequence)
            self._offer(sequence, sequence.computed)
            sequence.decoding = False
            self._decoding -= 1
            self._looked_back -= sequence.computed
            if sequence in self._growing:
                self._growing.remove(sequence)
        else:
            self._prefilling.remove(sequence)
        self._release(sequence)

    def _offer(self, sequence: _Sequence[C], tokens: int) -> None:
        """Make the whole blocks of the first `tokens` tokens findable."""
        whole = min(tokens // self.constants.block_size, len(sequence.keys))
        for index in range(sequence.keyed, whole):
            key = sequence.keys[index]
            # A second block of equal content (the last of a repeated prompt) stays anonymous.
            if key not in self._users and key not in self._idle:
                self._users[key] = 2 if key in self._pinned else 1
                sequence.held[index] = key
        sequence.keyed = max(sequence.keyed, whole)

    def _release(self, sequence: _Sequence[C]) -> None:
        """Give the blocks back, the last first: a prefix outlives what follows it."""
        for key in reversed(sequence.held):
            if key is None:
                self._free += 1
            else:
                self._let_go(key)
        sequence.held = []

    def _let_go(self, key: int) -> None:
        """One user less of a findable block."""
        if self._users[key] > 1:
            self._users[key] -= 1
            return
        del self._users[key]
        self._idle[key] = None
        self._free += 1

    def _evict(self) -> None:
        """Forget the oldest findable blocks where their space has been taken."""
        while len(self._idle) > self._free:
            self._idle.popitem(last=False)
