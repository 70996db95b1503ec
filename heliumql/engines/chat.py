"""The wire format of chat completions: request bodies out of calls, answers out of responses."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Mapping
from typing import Any

from heliumql.engines.batches import Answer, Messages, encodable, failed, one_line
from heliumql.engines.engine import CallSpec, Thinking
from heliumql.engines.thoughts import OPENING, without_thoughts
from heliumql.types import SqlType

TEMPLATE, EFFORT, PRIORITY = "chat_template_kwargs", "reasoning_effort", "priority"
_WRAPPED = re.compile(r'\s*\{\s*"value"\s*:')
_SHOWN = 300  # characters of a server's message that are worth showing


def parameters(
    model: str, spec: CallSpec, max_tokens_name: str, extra: Mapping[str, object]
) -> str:
    """What the requests of one batch have in common, as JSON text with a brace to be replaced.

    Where max_tokens is 0 the server finds how long the answer may be.
    """
    sampling = spec.sampling
    body: dict[str, object] = {"model": model, "temperature": sampling.temperature}
    if sampling.max_tokens:
        body[max_tokens_name] = sampling.max_tokens
    if sampling.temperature > 0:
        body["top_p"] = sampling.top_p
    if sampling.seed is not None:
        body["seed"] = sampling.seed
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    form = response_format(spec.returns)
    if form is not None:
        body["response_format"] = form
    body.update(extra)
    return json.dumps(body, ensure_ascii=False)


def switches(
    thinking: Thinking, template_arguments: Mapping[str, object], unknown: Container[str]
) -> dict[str, object]:
    """The parts of a request that tell a model to think or not, and its template what else to do.

    There is no standard: vLLM, SGLang and llama.cpp hear the argument of the chat template, Ollama
    and hosted models the effort; most servers pass over the other one. Those in `unknown`, which
    the server does not take, are left out.
    """
    arguments = dict(template_arguments)
    found: dict[str, object] = {}
    if thinking != "auto":
        arguments["enable_thinking"] = thinking == "on"
        found[EFFORT] = "medium" if thinking == "on" else "none"
    if arguments:
        found[TEMPLATE] = arguments
    return {name: value for name, value in found.items() if name not in unknown}


def dispensable(
    message: str,
    thinking: Thinking,
    template_arguments: Mapping[str, object],
    unknown: Container[str],
) -> str | None:
    """The part of a refused request that the message names and the next one can do without.

    One of the two that tell a model to think must be left, and what the user has given stays.
    """
    if "max_completion_tokens" in message and "max_tokens" not in unknown:
        return "max_tokens"
    sent = switches(thinking, template_arguments, unknown)
    for name in sent:
        if name in message and len(sent) > 1 and not (name == TEMPLATE and template_arguments):
            return name
    return None


def request_body(messages: Messages, common: str, priority: int | None = None) -> bytes:
    """`priority`: a smaller one goes first; None where the server is not told."""
    turns = [{"role": role, "content": content} for role, content in messages]
    own = "" if priority is None else f'"{PRIORITY}":{priority},'
    return f'{{"messages":{json.dumps(turns, ensure_ascii=False)},{own}{common[1:]}'.encode()


def response_format(returns: SqlType) -> dict[str, object] | None:
    """What makes a server decode to the type; None where any text will do."""
    if returns.is_text:
        return None
    if returns.name == "JSON":
        return {"type": "json_object"}
    schema = returns.json_schema()
    if _is_wrapped(returns):
        schema = {
            "type": "object",
            "properties": {"value": schema},
            "required": ["value"],
            "additionalProperties": False,
        }
    # Strict schemas say what every part is; "any JSON" cannot be one.
    strict = not _holds_any(returns)
    return {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": strict, "schema": schema},
    }


def read_completion(
    call: bytes, returns: SqlType, payload: Mapping[str, Any], requests: int
) -> Answer:
    """The answer in a response of a server.

    Raises ValueError where the response is not one; a model that refused is a failed answer.
    """
    try:
        choice = payload["choices"][0]
        message = choice["message"]
        text = message.get("content")
        reason = choice.get("finish_reason")
        refusal = message.get("refusal")
        usage = payload.get("usage") or {}
        details = usage.get("prompt_tokens_details") or {}
        prompt = int(usage.get("prompt_tokens") or 0)
        cached = int(details.get("cached_tokens") or 0)
        output = int(usage.get("completion_tokens") or 0)
    except (KeyError, IndexError, TypeError, AttributeError):
        raise ValueError("the server sent no chat completion") from None
    error = None
    if refusal:
        error = f"the model refused: {refusal}"
    elif reason == "content_filter":
        error = "the server's content filter stopped the answer"
    elif not text and reason == "length":
        text = OPENING  # all tokens went into thoughts, which the server keeps to itself
    elif not isinstance(text, str):
        error = "the server sent an answer without text"
    if error is not None:
        return failed(call, error, requests)._replace(
            prompt_tokens=prompt, cached_tokens=cached, output_tokens=output
        )
    if _is_wrapped(returns):
        text = _unwrapped(text, returns)
    finish = "length" if reason == "length" else "stop"
    return Answer(call, encodable(text), None, finish, prompt, cached, output, requests)


def error_message(body: bytes) -> tuple[str, str | None]:
    """The message and the code in an error response, whatever the server's habit."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        payload = None
    code = None
    message: object = payload
    if isinstance(payload, dict):
        message = next((payload[k] for k in ("error", "message", "detail") if payload.get(k)), "")
        if isinstance(message, dict):
            code = message.get("code") or message.get("type")
            message = message.get("message", "")
        if not isinstance(message, str):
            message = json.dumps(message)
    if not isinstance(message, str):
        message = body.decode("utf-8", "replace")
    return one_line(message)[:_SHOWN], None if code is None else str(code)


def _is_wrapped(returns: SqlType) -> bool:
    """Structured output is an object always: what is not one travels as the field `value`."""
    return not returns.is_text and returns.name not in ("STRUCT", "JSON")


def _unwrapped(text: str, returns: SqlType) -> str:
    proper = text if text.lstrip()[:1] == "{" else without_thoughts(text)
    try:
        payload = json.loads(proper or "")
    except (ValueError, RecursionError):
        return text  # cut short, or a server that ignores schemas: the type check decides
    if not isinstance(payload, dict) or "value" not in payload:
        return text
    value = payload["value"]
    if isinstance(value, str) and not returns.is_nested:
        return value
    opened = _WRAPPED.match(text)
    if opened is not None and len(payload) == 1:  # as it is written: a number keeps its digits
        return text[opened.end() : text.rindex("}")].strip()
    return json.dumps(value, ensure_ascii=False)


def _holds_any(returns: SqlType) -> bool:
    return (
        returns.name == "JSON"
        or (returns.item is not None and _holds_any(returns.item))
        or any(_holds_any(kind) for _, kind in returns.fields)
    )
