"""The workers of a simulated engine: one event model each, in lockstep on one virtual clock.

The model that is behind goes on, no further than where the next one stands: an answer of one may
lead to a call for another, which must not be past that moment then.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from heliumql.cost.event_model import Completion, Constants, EventModel


@dataclass(frozen=True)
class _Pin:
    """Blocks that one worker keeps."""

    worker: int
    blocks: Sequence[int]


class Lockstep:
    """Event models of equal constants; calls and pins have names, times are virtual seconds."""

    def __init__(self, constants: Constants, workers: int) -> None:
        self.constants = constants
        self.models: list[EventModel[bytes]] = [EventModel(constants) for _ in range(workers)]
        self._pins: dict[bytes, _Pin] = {}
        # How many pins hold a block: one that is let go may share its beginning with another.
        self._holds: list[Counter[int]] = [Counter() for _ in range(workers)]

    @property
    def behind(self) -> float:
        """Where the model stands that is behind of those with calls; infinite where none has."""
        return min((model.now for model in self.models if model.busy), default=math.inf)

    @property
    def prefill_tokens(self) -> int:
        return sum(model.prefill_tokens for model in self.models)

    @property
    def steps(self) -> int:
        return sum(model.steps for model in self.models)

    def add(
        self,
        worker: int,
        now: float,
        call: bytes,
        prompt_tokens: int,
        keys: Sequence[int],
        output_tokens: int,
        priority: int,
    ) -> None:
        """A call arrives at a worker. Raises ValueError where it could never run."""
        model = self.models[worker]
        if not model.busy:
            model.advance_to(now)
        model.add(call, prompt_tokens, keys, output_tokens, priority)
        if prompt_tokens + output_tokens > self._unpinned(worker):
            # Beside what is kept there is no room for this call: it would wait for ever.
            for key in [key for key, pin in self._pins.items() if pin.worker == worker]:
                self.unpin(key)

    def remove(self, worker: int, call: bytes) -> bool:
        return self.models[worker].remove(call)

    def step(self, until: float) -> list[Completion[bytes]]:
        """Runs the model that is behind, up to its next event, the next model's time or `until`."""
        busy = [n for n, model in enumerate(self.models) if model.busy]
        number = min(busy, key=lambda n: self.models[n].now)
        limit = min((self.models[n].now for n in busy if n != number), default=until)
        return self.models[number].step(min(limit, until))

    def pin(self, key: bytes, worker: int, blocks: Sequence[int], room: int) -> bool:
        """Keep blocks under a name; false where less than `room` tokens would be left for calls."""
        holds = self._holds[worker]
        fresh = sum(block not in holds for block in blocks)
        if key in self._pins or self._unpinned(worker) - fresh * self.constants.block_size < room:
            return False
        self._pins[key] = _Pin(worker, blocks)
        holds.update(blocks)
        self.models[worker].pin(blocks)
        return True

    def unpin(self, key: bytes) -> None:
        """Let go what is kept under the name, save what another name keeps too."""
        pin = self._pins.pop(key, None)
        if pin is None:
            return
        holds = self._holds[pin.worker]
        holds.subtract(pin.blocks)
        gone = [block for block in pin.blocks if not holds[block]]
        for block in gone:
            del holds[block]
        self.models[pin.worker].unpin(gone)

    def unpin_all(self) -> None:
        for key in list(self._pins):
            self.unpin(key)

    def _unpinned(self, worker: int) -> int:
        """Tokens that a call of this worker may have beside what is kept."""
        return self.models[worker].capacity - len(self._holds[worker]) * self.constants.block_size
