"""The wire format of chat completions: request bodies out of calls, answers out of responses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from heliumql.engines.batches import Answer, Messages, encodable, failed, one_line
from heliumql.engines.engine import CallSpec
from heliumql.types import SqlType

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


def request_body(messages: Messages, common: str) -> bytes:
    turns = [{"role": role, "content": content} for role, content in messages]
    return f'{{"messages":{json.dumps(turns, ensure_ascii=False)},{common[1:]}'.encode()


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
    elif text is None and reason == "length":
        text = ""  # all tokens went into thoughts that are not part of the answer
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
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        return text  # cut short, or a server that ignores schemas: the type check decides
    if not isinstance(payload, dict) or "value" not in payload:
        return text
    value = payload["value"]
    if isinstance(value, str) and not returns.is_nested:
        return value
    return json.dumps(value, ensure_ascii=False)


def _holds_any(returns: SqlType) -> bool:
    return (
        returns.name == "JSON"
        or (returns.item is not None and _holds_any(returns.item))
        or any(_holds_any(kind) for _, kind in returns.fields)
    )
