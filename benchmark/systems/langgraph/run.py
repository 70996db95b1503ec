"""LangGraph: a graph of nodes for each shape of items, compiled once; all items at once."""

import asyncio
import operator
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, TypedDict

sys.path.append(str(Path(__file__).parents[2]))

import httpx2
from langchain_openai import ChatOpenAI
from langgraph.graph import START, StateGraph
from systems.common import SECONDS, TUNED, Answers, Ask, Given, Item, in_loop, limited, main

Shape = tuple[tuple[str, ...], ...]
"""Of each call the places of its inputs, as names of nodes."""


class State(TypedDict):
    """Of one run of a graph: the item, and its answers so far by name of the call."""

    item: Item
    answers: Annotated[dict[str, str], operator.or_]


def shape(item: Item) -> Shape:
    place = {call.name: f"call_{number}" for number, call in enumerate(item.calls)}
    return tuple(tuple(place[name] for name in call.inputs) for call in item.calls)


def compiled(of: Shape, chat: ChatOpenAI, limit: AbstractAsyncContextManager[Any]) -> Any:
    def node(number: int) -> Callable[[State], Any]:
        async def ask(state: State) -> dict[str, dict[str, str]]:
            item = state["item"]
            call = item.calls[number]
            messages = item.messages(call, state["answers"])
            async with limit:
                reply = await chat.ainvoke(messages, max_tokens=call.max_tokens)
            return {"answers": {call.name: str(reply.content)}}

        return ask

    graph = StateGraph(State)
    for number, inputs in enumerate(of):
        name = f"call_{number}"
        graph.add_node(name, node(number))
        graph.add_edge(list(inputs) if inputs else START, name)
    return graph.compile()


def wide_client() -> httpx2.AsyncClient:
    """That opens and keeps as many connections as there are calls at once."""
    none = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    return httpx2.AsyncClient(limits=none, timeout=SECONDS)


def prepare(given: Given) -> Ask:
    chat = ChatOpenAI(
        model=given.model,
        base_url=given.base_url,
        api_key="none",
        temperature=0,
        max_retries=0,  # a failure is to be seen
        timeout=SECONDS,
        http_async_client=wide_client() if given.setting == TUNED else None,
    )
    limit = limited(given)
    shapes = dict.fromkeys([*map(shape, given.items), ((),)])  # that of a single call, too
    graphs = {of: compiled(of, chat, limit) for of in shapes}

    async def one(item: Item) -> dict[str, str]:
        config = {"recursion_limit": len(item.calls) + 2}
        state = await graphs[shape(item)].ainvoke({"item": item, "answers": {}}, config)
        return dict(state["answers"])

    async def of_all(items: tuple[Item, ...]) -> Answers:
        found = await asyncio.gather(*map(one, items))
        return {item.name: answers for item, answers in zip(items, found, strict=True)}

    return lambda items: in_loop(of_all(items))


if __name__ == "__main__":
    main("langgraph", version("langgraph"), prepare)
