"""Orders of calls that need no framework: each is a coroutine over the items and a way to ask."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence

import aiohttp

from systems.common import SECONDS, Answers, Call, Given, Item, each, main
from systems.common import Ask as Asking

Ask = Callable[[Item, Call], Awaitable[None]]
"""Asks a call whose inputs are answered, and keeps its answer."""

Order = Callable[[Sequence[Item], Ask], Awaitable[None]]


async def query_wise(items: Sequence[Item], ask: Ask) -> None:
    """One item after the other, its calls one after the other."""
    for item, call in each(tuple(items)):
        await ask(item, call)


async def op_wise(items: Sequence[Item], ask: Ask) -> None:
    """All calls of an operator at once, and the next operator when the last of them is answered."""
    for stage in stages(items):
        await _at_once(ask(item, call) for item, call in stage)


async def op_wise_chained(items: Sequence[Item], ask: Ask) -> None:
    """All items at once, the calls of each one after the other."""

    async def chain(item: Item) -> None:
        for call in item.calls:
            await ask(item, call)

    await _at_once(map(chain, items))


async def raw(items: Sequence[Item], ask: Ask) -> None:
    """Every call as soon as its own inputs are there."""
    answered = {(item.name, call.name): asyncio.Event() for item, call in each(tuple(items))}

    async def when_ready(item: Item, call: Call) -> None:
        for name in call.inputs:
            await answered[item.name, name].wait()
        await ask(item, call)
        answered[item.name, call.name].set()

    await _at_once(when_ready(item, call) for item, call in each(tuple(items)))


def stages(items: Sequence[Item]) -> Iterator[list[tuple[Item, Call]]]:
    """The operators in topological order, each with its calls of all items.

    An operator that goes on from its own answers is as many stages as its longest chain has calls.
    """
    waiting: dict[tuple[str, int], list[tuple[Item, Call]]] = {}
    for item in items:
        turns: dict[str, dict[str, int]] = {}  # by call: how many of each operator led to it
        for call in item.calls:
            turn: dict[str, int] = {}
            for name in call.inputs:
                for operator, count in turns[name].items():
                    turn[operator] = max(count, turn.get(operator, 0))
            waiting.setdefault((call.operator, turn.get(call.operator, 0)), []).append((item, call))
            turns[call.name] = turn | {call.operator: turn.get(call.operator, 0) + 1}
    done: set[tuple[str, str]] = set()

    def ready(entry: tuple[Item, Call]) -> bool:
        return all((entry[0].name, name) in done for name in entry[1].inputs)

    while waiting:
        # Items of different shapes may have two operators in either order: then what is ready.
        complete = (key for key, calls in waiting.items() if all(map(ready, calls)))
        key = next(complete, None) or next(
            k for k, calls in waiting.items() if any(map(ready, calls))
        )
        calls = waiting.pop(key)
        stage = [entry for entry in calls if ready(entry)]
        if len(stage) < len(calls):
            waiting[key] = [entry for entry in calls if not ready(entry)]
        yield stage
        done.update((item.name, call.name) for item, call in stage)


async def _at_once(coroutines: Iterator[Awaitable[None]]) -> None:
    """Until all are done; the first failure ends the others."""
    async with asyncio.TaskGroup() as group:
        for coroutine in coroutines:
            group.create_task(coroutine)  # type: ignore[arg-type]


def run(name: str, order: Order) -> None:
    """The run.py of an order."""

    def prepare(given: Given) -> Asking:
        return lambda items: asyncio.run(_answers(given, items, order))

    main(name, f"aiohttp {aiohttp.__version__}", prepare)


async def _answers(given: Given, items: tuple[Item, ...], order: Order) -> Answers:
    answers: Answers = {item.name: {} for item in items}
    connector = aiohttp.TCPConnector(limit=given.concurrency or 0)
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

        async def ask(item: Item, call: Call) -> None:
            known = answers[item.name]
            messages = [{"role": r, "content": t} for r, t in item.messages(call, known)]
            body = {
                "model": given.model,
                "messages": messages,
                "max_tokens": call.max_tokens,
                "temperature": 0,
            }
            async with session.post(f"{given.base_url}/chat/completions", json=body) as response:
                if response.status != 200:
                    text = (await response.text())[:500]
                    raise RuntimeError(f"the server answered {response.status}: {text}")
                reply = await response.json()
            known[call.name] = reply["choices"][0]["message"]["content"]

        await order(items, ask)
    return answers
