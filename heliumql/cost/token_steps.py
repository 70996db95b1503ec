"""The token-step model of the paper (section 5): what an order of calls takes on each worker.

A token that lies in a KV cache for one decoding step is a token step. A worker whose cache holds M
tokens does M of them in a step, so work is counted in steps of a worker whose cache is full. A
call pays for the part of its prompt that the call before it on the worker does not share, and a
call that waits for another one starts no sooner than that one has drawn all its tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TokenSteps:
    """Calls and the tree of their prompts as columns; call `i` is row `i`.

    Node 0 is the root, a parent comes before its children. `end` is the length in tokens of the
    prefix that a node stands for, so a node has `end[v] - end[parent[v]]` tokens of its own: the
    paper's omega. The path of a call ends at its `leaf` or before, where its prompt ends: its own
    answer is not on it.
    """

    parent: Sequence[int]  # of each node
    end: Sequence[int]  # of each node
    leaf: Sequence[int]  # of each call
    prompt: Sequence[int]  # tokens
    output: Sequence[int]  # tokens
    needs: Sequence[Sequence[int]]  # calls that a call waits for

    def __len__(self) -> int:
        return len(self.output)

    def shared(self, first: int, second: int) -> int:
        """Tokens from the root to the last node on the paths of both calls."""
        one, other = self.leaf[first], self.leaf[second]
        while one != other:
            if one > other:
                one = self.parent[one]
            else:
                other = self.parent[other]
        return min(self.end[one], self.prompt[first], self.prompt[second])

    def prefill_usage(self, before: int | None, call: int) -> int:
        """Tokens of the path to the call, below what the call before it on the worker shares."""
        return self.prompt[call] - (0 if before is None else self.shared(before, call))

    def decode_usage(self, call: int) -> int:
        """Token steps of the answer: its tokens come one a step and stay until the last."""
        return self.output[call] * (self.output[call] + 1) // 2

    def usage(self, before: int | None, call: int, capacity: int) -> float:
        """Steps that the call takes of a worker whose KV cache holds `capacity` tokens."""
        held = self.output[call] * self.prefill_usage(before, call)
        return (held + self.decode_usage(call)) / capacity

    def delay(self, call: int) -> float:
        """Steps from the completion of a call to the start of those that need it.

        The paper's alpha M out, where alpha is 1 / M on every worker.
        """
        return float(self.output[call])


def completions(
    calls: TokenSteps, orders: Sequence[Sequence[int]], capacities: Sequence[int]
) -> list[float]:
    """When each call completes, in steps, where every worker runs its calls in the order given.

    Raises ValueError where an order leaves out or repeats calls, or calls wait for each other.
    """
    if sorted(call for order in orders for call in order) != list(range(len(calls))):
        raise ValueError(f"the orders of the workers must name each of {len(calls)} calls once")
    if len(orders) != len(capacities) or min(capacities, default=1) < 1:
        raise ValueError("every order needs the capacity of its worker, one token or more")
    done: list[float | None] = [None] * len(calls)
    at = [0] * len(orders)  # how many calls of the worker have been placed
    free = [0.0] * len(orders)
    moved = True
    while moved:
        moved = False
        for worker, order in enumerate(orders):
            while at[worker] < len(order):
                call = order[at[worker]]
                start = _start(calls, done, call)
                if start is None:
                    break
                before = order[at[worker] - 1] if at[worker] else None
                begin = max(free[worker], start)
                free[worker] = begin + calls.usage(before, call, capacities[worker])
                done[call] = free[worker]
                at[worker] += 1
                moved = True
    if any(at[worker] < len(order) for worker, order in enumerate(orders)):
        raise ValueError("calls wait for calls that come after them in these orders")
    return [time for time in done if time is not None]


def makespan(
    calls: TokenSteps, orders: Sequence[Sequence[int]], capacities: Sequence[int]
) -> float:
    """Steps until the last call completes; errors as of `completions`."""
    return max(completions(calls, orders, capacities), default=0.0)


def order_cost(calls: TokenSteps, capacity: int) -> Callable[[Sequence[int]], float]:
    """A fast `makespan` of one worker, for many orders of the same calls.

    It holds the usage of every pair of calls, so it is for some hundreds of calls at most. Orders
    must name each call once, after those that it needs; that is not checked.
    """
    count = len(calls)
    first = [calls.usage(None, call, capacity) for call in range(count)]
    after = [[calls.usage(b, call, capacity) for call in range(count)] for b in range(count)]
    delays = [calls.delay(call) for call in range(count)]
    needs = [tuple(dict.fromkeys(n)) for n in calls.needs]
    ready = [0.0] * count  # when the answer of a call is there; read after it was written only

    def cost(order: Sequence[int]) -> float:
        now, row = 0.0, first
        for call in order:
            for need in needs[call]:
                if ready[need] > now:
                    now = ready[need]
            now += row[call]
            ready[call] = now + delays[call]
            row = after[call]
        return now

    return cost


def _start(calls: TokenSteps, done: Sequence[float | None], call: int) -> float | None:
    """When the answers that the call needs are there; None: some of them are not placed yet."""
    latest = 0.0
    for need in calls.needs[call]:
        time = done[need]
        if time is None:
            return None
        latest = max(latest, time + calls.delay(need))
    return latest
