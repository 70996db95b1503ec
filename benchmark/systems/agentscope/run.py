"""AgentScope: an agent for each call with its conversation so far, all items at once."""

import asyncio
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[2]))

import httpx2
from agentscope.agent import Agent, InjectionConfig
from agentscope.credential import OpenAICredential
from agentscope.message import AssistantMsg, Msg, SystemMsg, UserMsg
from agentscope.model import OpenAIChatModel
from agentscope.state import AgentState
from systems.common import (
    SECONDS,
    TUNED,
    Answers,
    Ask,
    Call,
    Given,
    Item,
    each,
    in_loop,
    limited,
    main,
)

MESSAGES = {"system": SystemMsg, "user": UserMsg, "assistant": AssistantMsg}


async def answered(model: OpenAIChatModel, messages: list[tuple[str, str]]) -> str:
    """By an agent; where it would send a system message of its own, by the model itself."""
    first, *others = (MESSAGES[role](name=role, content=text) for role, text in messages)
    if first.role != "system" or any(message.role == "system" for message in others):
        return text_of(await model([first, *others]))
    agent = Agent(
        name="assistant",
        system_prompt=messages[0][1],
        model=model,
        state=AgentState(context=others[:-1]),
        injection_config=InjectionConfig(inject_runtime_state=False),  # else it appends the time
    )
    return text_of(await agent.reply(others[-1]))


def text_of(reply: Any) -> str:
    if isinstance(reply, Msg) and reply.error is not None:
        raise RuntimeError(reply.error.message)
    return "".join(block.text for block in reply.content if block.type == "text")


def prepare(given: Given) -> Ask:
    none = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    wide = httpx2.AsyncClient(limits=none, timeout=SECONDS) if given.setting == TUNED else None

    def model_of(max_tokens: int) -> OpenAIChatModel:
        return OpenAIChatModel(
            OpenAICredential(api_key="none", base_url=given.base_url),
            given.model,
            OpenAIChatModel.Parameters(max_tokens=max_tokens, temperature=0),
            stream=False,
            max_retries=0,  # a failure is to be seen
            client_kwargs={"timeout": SECONDS, "max_retries": 0, "http_client": wide},
        )

    models = {size: model_of(size) for size in {call.max_tokens for _, call in each(given.items)}}
    limit = limited(given)

    async def one(item: Item) -> dict[str, str]:
        tasks: dict[str, asyncio.Task[None]] = {}
        answers: dict[str, str] = {}

        async def ask(call: Call) -> None:
            await asyncio.gather(*(tasks[name] for name in call.inputs))
            messages = item.messages(call, answers)
            async with limit:
                answers[call.name] = await answered(models[call.max_tokens], messages)

        async with asyncio.TaskGroup() as group:
            for call in item.calls:
                tasks[call.name] = group.create_task(ask(call))
        return answers

    async def of_all(items: tuple[Item, ...]) -> Answers:
        found = await asyncio.gather(*map(one, items))
        return {item.name: answers for item, answers in zip(items, found, strict=True)}

    return lambda items: in_loop(of_all(items))


if __name__ == "__main__":
    main("agentscope", version("agentscope"), prepare)
