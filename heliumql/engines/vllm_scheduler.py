"""What a vLLM worker adds to vLLM's scheduler: it notes what steps compute, and keeps prefixes.

vllm_worker.py mixes `Watch` into the scheduler class that vLLM has chosen. It relies on the names
that are declared in it, which are vLLM's but not public. Nothing of HeliumQL is imported.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple

PIN = "heliumql_pin"
"""The key of `SamplingParams.extra_args` that holds a pin's key."""


class Computed(NamedTuple):
    """What one step computed; all zero where it had nothing to do."""

    prefill: int  # tokens of prompts
    decode: int  # sequences that drew one more token
    pairs: float  # sum over computed tokens of the tokens that each looks back at
    read: float  # the same, over the tokens drawn alone


class _Step(NamedTuple):
    """A step that is scheduled and has no result yet."""

    computed: Computed
    first: list[str]  # requests that draw their first token


class Watch:
    """Mixed into vLLM's scheduler, in front of it.

    `done`: the steps whose results have come, until taken. `started` and `first`: when a request
    was first scheduled and when its first token was there, until taken; time.monotonic() seconds.
    """

    kv_cache_manager: Any
    max_model_len: int
    block_size: int
    max_num_running_reqs: int
    requests: dict[str, Any]
    running: list[Any]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        vllm: Any = super()
        vllm.__init__(*arguments, **named)
        self.done: list[Computed] = []
        self.started: dict[str, float] = {}
        self.first: dict[str, float] = {}
        self._scheduled: deque[_Step] = deque()
        self._wanted: set[bytes] = set()  # keys that are pinned or will be
        self._pins: dict[bytes, list[Any]] = {}  # the blocks that are kept
        pool = self.kv_cache_manager.block_pool
        # With one request of the greatest length and one block for each other that runs the
        # engine always gets on. Where the cache is not much greater than that, a quarter of it
        # may be kept all the same: `_relent` sees to it that nothing waits for ever.
        longest = -(-self.max_model_len // self.block_size)
        self._most_pinned = max(
            pool.num_gpu_blocks - 1 - longest - self.max_num_running_reqs, pool.num_gpu_blocks // 4
        )

    # steps --------------------------------------------------------------------------------

    def schedule(self, *arguments: Any, **named: Any) -> Any:
        now = time.monotonic()
        vllm: Any = super()
        output = vllm.schedule(*arguments, **named)
        for new in output.scheduled_new_reqs:
            self.started.setdefault(new.req_id, now)
        self._scheduled.append(self._step(output.num_scheduled_tokens))
        if self._pins and not output.num_scheduled_tokens:
            self._relent()
        return output

    def _step(self, counts: dict[str, int]) -> _Step:
        prefill, decode, pairs, read = 0, 0, 0.0, 0.0
        first = []
        for name, count in counts.items():
            request = self.requests[name]
            after = request.num_computed_tokens  # counts these tokens already
            pairs += count * (after - count / 2)
            if count == 1 and after > request.num_prompt_tokens:
                decode += 1
                read += after - 0.5
                continue
            prefill += count
            if after >= request.num_prompt_tokens and name not in self.first:
                first.append(name)
        return _Step(Computed(prefill, decode, pairs, read), first)

    def update_from_output(self, *arguments: Any, **named: Any) -> Any:
        vllm: Any = super()
        result = vllm.update_from_output(*arguments, **named)
        now = time.monotonic()
        step = self._scheduled.popleft()  # results come in the order of the steps
        for name in step.first:
            self.first.setdefault(name, now)
        self.done.append(step.computed)
        return result

    def take_times(self, name: str) -> tuple[float | None, float | None]:
        """When the request was started and had its first token; they are forgotten."""
        return self.started.pop(name, None), self.first.pop(name, None)

    # pins ---------------------------------------------------------------------------------

    def want(self, key: bytes) -> None:
        """The request with this pin is about to come."""
        self.release([key])
        self._wanted.add(key)

    def release(self, keys: Iterable[bytes]) -> None:
        """Let blocks be evicted again, the last of a prefix first."""
        for key in keys:
            self._wanted.discard(key)
            blocks = self._pins.pop(key, None)
            if blocks:
                self.kv_cache_manager.block_pool.free_blocks(reversed(blocks))

    def _free_request_blocks(self, request: Any) -> None:
        key = ((request.sampling_params and request.sampling_params.extra_args) or {}).get(PIN)
        if key in self._wanted and key not in self._pins and request.is_finished():
            self._pin(key, request)
        vllm: Any = super()
        vllm._free_request_blocks(request)

    def _pin(self, key: bytes, request: Any) -> None:
        """Count one user more of the whole blocks of the prompt, if there is room for that."""
        whole = request.num_prompt_tokens // self.block_size
        groups = self.kv_cache_manager.get_blocks(request.request_id).blocks
        blocks = [
            block
            for group in groups
            for block in group[:whole]
            if block.block_hash is not None and not block.is_null
        ]
        kept = {b.block_id for b in blocks} | {b.block_id for p in self._pins.values() for b in p}
        if len(kept) <= self._most_pinned:
            self.kv_cache_manager.block_pool.touch(blocks)
            self._pins[key] = blocks

    def _relent(self) -> None:
        """Let all pins go where nothing runs though something could: they leave too little room."""
        if not self.running and any(
            request.status.name in ("WAITING", "PREEMPTED") for request in self.requests.values()
        ):
            self.release(list(self._pins))
