"""What a policy looks at: the calls that are to be run, and the workers there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from heliumql.cost.event_model import Constants
from heliumql.scheduling.prefix_tree import PrefixTree


@dataclass(frozen=True)
class Worker:
    """One worker of an engine: what it can hold and how fast it is."""

    engine: int = 0
    constants: Constants = field(default_factory=Constants)

    @property
    def slots(self) -> int:
        """Calls that are computed at once."""
        return self.constants.max_num_seqs

    @property
    def room(self) -> int:
        """Calls worth having there: slightly more than are computed, so that none waits for us."""
        waiting = self.constants.max_waiting
        return self.slots + (max(1, self.slots // 4) if waiting is None else waiting)

    def seconds(self, prefill: int, output: int) -> float:
        """What a call adds to the work of the worker where its batch is full."""
        c = self.constants
        share = c.step_seconds / c.max_num_seqs + c.decode_seconds_per_sequence
        return prefill * c.prefill_seconds_per_token + output * share + c.call_seconds


@dataclass(frozen=True)
class Workload:
    """Calls as columns; call `i` is row `i` of each.

    Calls come in the order in which rows asked for them, those that a call needs before it.
    """

    query: Sequence[int]  # the row of the result that asked first
    operator: Sequence[int]  # the LLM operator; an operator has a greater number than those below
    prompt: Sequence[int]  # tokens, answers inside it as long as they are expected to be
    output: Sequence[int]  # tokens expected
    needs: Sequence[Sequence[int]]  # the calls whose answers stand in its messages
    tree: PrefixTree
    engine: Sequence[int]  # that runs it
    known: Sequence[bool] = ()  # runs have shown how long its answer is; empty: none of them

    def __len__(self) -> int:
        return len(self.operator)

    def keys(self, call: int, block: int) -> list[int]:
        """Keys of the whole blocks of prompt and answer, as the event model wants them."""
        return self.tree.keys(call, self.prompt[call] + self.output[call], block)

    @cached_property
    def dependents(self) -> list[list[int]]:
        """The calls that wait for each call."""
        result: list[list[int]] = [[] for _ in range(len(self))]
        for call, needs in enumerate(self.needs):
            for need in needs:
                result[need].append(call)
        return result

    @cached_property
    def topological(self) -> list[int]:
        """The calls, each after those that it needs."""
        missing = [len(set(needs)) for needs in self.needs]
        order = [call for call, count in enumerate(missing) if not count]
        for call in order:
            for dependent in dict.fromkeys(self.dependents[call]):
                missing[dependent] -= 1
                if not missing[dependent]:
                    order.append(dependent)
        return order

    @cached_property
    def chain(self) -> list[int]:
        """Output tokens on the longest way from the start of a call to an end of the graph."""
        if not any(self.needs):
            return list(self.output)
        result = [0] * len(self)
        for call in reversed(self.topological):
            after = max((result[d] for d in self.dependents[call]), default=0)
            result[call] = self.output[call] + after
        return result

    @cached_property
    def level(self) -> list[int]:
        """How many calls stand below each on the longest way."""
        result = [0] * len(self)
        for call in self.topological:
            result[call] = max((result[n] + 1 for n in self.needs[call]), default=0)
        return result
