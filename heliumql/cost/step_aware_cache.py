"""An engine whose KV cache looks ahead: steps to execution, host copies and prefetch (KVFlow).

Blocks of agents that run soon stay, those of agents that are done go first; what goes leaves a copy
in host memory, and is loaded back before its agent runs. As the paper of KVFlow describes it; its
code keeps less (there eviction looks at steps only with an option that is off).
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence

from heliumql.cost.event_model import Completion, Constants, EventModel, _Sequence

# Qwen3-8B: 36 layers of 8 KV heads of 128 values, keys and values, 2 bytes each: 144 KiB a token.
KV_BYTES_PER_TOKEN = 2 * 36 * 8 * 128 * 2
# PCIe 5.0 x16 moves 64 GB/s one way; copies of single blocks reach less than half of that.
HOST_BYTES_PER_SECOND = 25e9

_FAR = 5  # steps; also of agents that are done, and of blocks that nobody has a claim to
_AHEAD = 2  # agents that run in so many steps are loaded back


class AgentSteps:
    """Steps until each agent runs next; the engines of one workload share the table.

    An operator is a step of its agent. One that runs now is 0 steps away, one that waits is a step
    behind the last of those it waits for, one that is done does not count; an agent is as far away
    as the next of its operators.
    """

    def __init__(
        self,
        operator: Sequence[int],
        agent: Sequence[int],
        needs: Mapping[int, Collection[int]],
    ) -> None:
        """`operator` and `agent` are those of each call, `needs` the operators below each one.

        An operator has a greater number than those below it.
        """
        self.agent = agent
        self.version = 0
        self.steps: dict[int, int] = {}
        self._operator = operator
        self._needs = needs
        self._left: dict[int, int] = {}
        for number in operator:
            self._left[number] = self._left.get(number, 0) + 1
        self._agents: dict[int, set[int]] = {number: set() for number in self._left}
        for number, name in zip(operator, agent, strict=True):
            self._agents[number].add(name)
        self._active: set[int] = set()
        self._update()

    def begin(self, call: int) -> None:
        """The call is at an engine."""
        operator = self._operator[call]
        if operator not in self._active:
            self._active.add(operator)
            self._update()

    def finish(self, call: int) -> None:
        """The call is answered, or aborted."""
        operator = self._operator[call]
        self._left[operator] -= 1
        if not self._left[operator]:
            self._update()

    def _update(self) -> None:
        before = self.steps
        steps: dict[int, int] = {}  # of operators that are not done
        self.steps = {}
        for operator in sorted(self._left):
            if not self._left[operator]:
                continue
            waits = [steps[n] for n in self._needs.get(operator, ()) if n in steps]
            away = 0 if operator in self._active else 1 + max(waits, default=0)
            steps[operator] = away
            for agent in self._agents[operator]:
                self.steps[agent] = min(self.steps.get(agent, _FAR), away)
        self.version += self.steps != before


class StepAwareModel(EventModel[int]):
    """An event model with step-aware eviction, host copies and prefetch. Calls are numbers."""

    def __init__(self, constants: Constants, table: AgentSteps) -> None:
        super().__init__(constants)
        self.loaded_tokens = 0  # from host memory
        self._table = table
        self._seen = table.version
        # Agents whose requests went through a block: sets as bits, and how far away each set is.
        self._tags: dict[int, int] = {}
        self._bits: dict[int, int] = {}
        self._away: dict[int, int] = {}
        self._remembered: dict[int, dict[int, None]] = {}  # their blocks, a prefix first
        # Idle blocks by steps, oldest use first. Blocks that are idle no more are left in it.
        self._levels: list[OrderedDict[int, None]] = [OrderedDict() for _ in range(_FAR + 1)]
        self._level: dict[int, int] = {}  # of idle blocks
        self._host: set[int] = set()
        self._loads: list[tuple[float, list[int], _Sequence[int] | None, int]] = []  # by time
        self._loading: dict[int, float] = {}  # blocks, and when they are there
        self._link_free = 0.0  # when the link to host memory is
        block_bytes = KV_BYTES_PER_TOKEN * constants.block_size
        self._load_seconds = block_bytes / HOST_BYTES_PER_SECOND

    def add(
        self, call: int, prompt_tokens: int, keys: Sequence[int], output_tokens: int, priority: int
    ) -> None:
        """A call arrives now; it waits for the blocks of its prefix that are in host memory."""
        super().add(call, prompt_tokens, keys, output_tokens, priority)
        self._table.begin(call)

    def remove(self, call: int) -> bool:
        """The call is aborted."""
        there = super().remove(call)
        if there:
            self._table.finish(call)
        return there

    def step(self, until: float = math.inf) -> list[Completion[int]]:
        """Run one step of the engine; what was loaded meanwhile is there, loads are begun."""
        if self._seen != self._table.version:
            self._seen = self._table.version
            self._sort_idle()
            self._prefetch()
        if self._loads and not self._running and not self._waiting:
            self.now = max(self.now, self._loads[0][0])
        while self._loads and self._loads[0][0] <= self.now:
            _, keys, sequence, version = self._loads.pop(0)
            self._arrive(keys)
            if sequence is not None and sequence.version == version:
                super()._wait(sequence)
        return super().step(until)

    def _wait(self, sequence: _Sequence[int]) -> None:
        """Load what host memory has of the prompt; until it is there, others go on."""
        missing = []
        ready = self.now
        for key in sequence.keys[: (sequence.target - 1) // self.constants.block_size]:
            if key in self._loading:
                ready = max(ready, self._loading[key])
            elif key not in self._users and key not in self._idle:
                if key not in self._host:
                    break
                missing.append(key)
        if missing:
            ready = max(ready, self._load(missing))
        if ready > self.now:
            self._queue(ready, [], sequence)
        else:
            super()._wait(sequence)

    def _load(self, keys: list[int]) -> float:
        """Start to load blocks, after the loads before; returns when they are there."""
        self._link_free = max(self._link_free, self.now) + len(keys) * self._load_seconds
        self._loading.update(dict.fromkeys(keys, self._link_free))
        self._queue(self._link_free, keys, None)
        return self._link_free

    def _queue(self, at: float, keys: list[int], sequence: _Sequence[int] | None) -> None:
        self._loads.append((at, keys, sequence, sequence.version if sequence else 0))
        self._loads.sort(key=lambda load: load[0])  # stable: blocks before those that wait for them

    def _arrive(self, keys: Sequence[int]) -> None:
        self.loaded_tokens += len(keys) * self.constants.block_size
        for key in reversed(keys):  # a prefix outlives what follows it
            self._loading.pop(key, None)
            if key not in self._users and key not in self._idle:
                self._idle[key] = None
                self._place(key)
        self._evict()

    def _prefetch(self) -> None:
        """Load blocks of the agents that run next, soonest first, until there is no room."""
        room = self._free - len(self._idle) - len(self._loading)
        away = self._table.steps
        for steps in range(_AHEAD + 1):
            later = [keys for far, keys in enumerate(self._levels) if far > steps]
            room_here = room + sum(len(keys) for keys in later)
            for agent in sorted(a for a, far in away.items() if far == steps):
                keys = [
                    key
                    for key in self._remembered.get(agent, ())
                    if key in self._host
                    and key not in self._users
                    and key not in self._idle
                    and key not in self._loading
                ]
                fitting = keys[: max(0, room_here)]
                if fitting:
                    self._load(fitting)
                    room -= len(fitting)
                    room_here -= len(fitting)
                if len(fitting) < len(keys):
                    return  # the first block that does not fit ends it

    def _complete(self, sequence: _Sequence[int]) -> Completion[int]:
        agent = self._table.agent[sequence.call]
        remembered = self._remembered.setdefault(agent, {})
        bit = self._bits.setdefault(agent, 1 << len(self._bits))
        tags = self._tags
        for key in sequence.keys:
            tags[key] = tags.get(key, 0) | bit
            remembered[key] = None
        completion = super()._complete(sequence)
        self._table.finish(sequence.call)
        return completion

    def _let_go(self, key: int) -> None:
        super()._let_go(key)
        if key in self._idle:
            self._place(key)

    def _place(self, key: int) -> None:
        tags = self._tags.get(key, 0)
        level = self._away.get(tags)
        if level is None:
            steps = self._table.steps
            agents = (agent for agent, bit in self._bits.items() if tags & bit)
            level = min((steps.get(agent, _FAR) for agent in agents), default=_FAR)
            level = self._away[tags] = min(level, _FAR)
        self._level[key] = level
        self._levels[level].pop(key, None)
        self._levels[level][key] = None

    def _sort_idle(self) -> None:
        """The table has changed: every idle block is placed anew, oldest use first."""
        self._away = {}
        self._levels = [OrderedDict() for _ in range(_FAR + 1)]
        for key in self._idle:
            self._place(key)

    def _evict(self) -> None:
        """Forget blocks of those that run last, of these the oldest; host memory keeps a copy."""
        while len(self._idle) > self._free:
            for number in range(_FAR, -1, -1):
                level = self._levels[number]
                while level:
                    key, _ = level.popitem(last=False)
                    if key in self._idle and self._level[key] == number:
                        break
                else:
                    continue
                break
            del self._idle[key]
            del self._level[key]
            self._host.add(key)
