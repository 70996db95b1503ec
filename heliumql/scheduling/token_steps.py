"""A workload in the token-step model of the paper: orders of its calls are priced exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush

from heliumql.cost.token_steps import TokenSteps, makespan, order_cost
from heliumql.scheduling.queue import ReadyQueue
from heliumql.scheduling.schedule import Schedule
from heliumql.scheduling.workload import Worker, Workload

CAPACITY = 8192  # tokens of the KV cache in the paper's comparison with the optimum


def token_steps(workload: Workload) -> TokenSteps:
    """The calls as the model wants them; their order and numbers stay."""
    tree = workload.tree
    return TokenSteps(
        tree.parent, tree.end, tree.leaf, workload.prompt, workload.output, workload.needs
    )


def sequence_makespan(workload: Workload, order: Sequence[int], capacity: int = CAPACITY) -> float:
    """Steps until the last call completes on one worker that runs the calls in this order.

    Raises ValueError where calls are left out, repeated, or placed before what they need.
    """
    return makespan(token_steps(workload), [order], [capacity])


def sequence_cost(workload: Workload, capacity: int = CAPACITY) -> Callable[[Sequence[int]], float]:
    """`sequence_makespan` for many orders of one workload of some hundreds of calls at most.

    Orders are not checked.
    """
    return order_cost(token_steps(workload), capacity)


def sequence(workload: Workload, worker: Worker, schedule: Schedule) -> list[int]:
    """The order in which one worker would take the calls of a schedule in this model.

    Whenever the worker is free it takes the next call that is ready; an answer is there when the
    delay of its call has passed. Where nothing is ready the worker waits for the next answer.
    """
    calls = token_steps(workload)
    capacity = worker.constants.kv_cache_tokens
    queue = ReadyQueue(workload, [worker], schedule)
    missing = [len(set(needs)) for needs in workload.needs]
    for call, count in enumerate(missing):
        if not count:
            queue.add(call)
    answers: list[tuple[float, int]] = []  # when they are there, of the calls in flight
    order: list[int] = []
    now = 0.0
    while len(order) < len(workload):
        taken = queue.take(0)
        if taken is not None:
            now += calls.usage(order[-1] if order else None, taken, capacity)
            order.append(taken)
            heappush(answers, (now + calls.delay(taken), taken))
        elif answers:
            now = max(now, answers[0][0])
        else:
            raise ValueError("calls that wait for each other, or for a stage that never ends")
        while answers and answers[0][0] <= now:
            _, call = heappop(answers)
            queue.done(call)
            for dependent in dict.fromkeys(workload.dependents[call]):
                missing[dependent] -= 1
                if not missing[dependent]:
                    queue.add(dependent)
    return order
