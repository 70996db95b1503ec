"""Requests and responses of the chat completions API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from receiver import spec

from heliumql.engines.chat import (
    error_message,
    parameters,
    read_completion,
    request_body,
    response_format,
)
from heliumql.types import parse_type


def body(of: Any, name: str = "max_tokens", **extra: object) -> dict[str, Any]:
    messages = (("system", "Be brief."), ("user", 'What is "ä"?\n'))
    payload: dict[str, Any] = json.loads(request_body(messages, parameters("m", of, name, extra)))
    assert payload.pop("messages") == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": 'What is "ä"?\n'},
    ]
    assert payload.pop("model") == "m"
    return payload


def test_a_greedy_request_says_so_and_no_more_than_needed():
    assert body(spec(max_tokens=9)) == {"max_tokens": 9, "temperature": 0.0}


def test_all_sampling_parameters_are_sent():
    of = spec(max_tokens=9, temperature=0.7, top_p=0.9, seed=4, stop=("\n", "END"))
    assert body(of, "max_completion_tokens") == {
        "max_completion_tokens": 9,
        "temperature": 0.7,
        "top_p": 0.9,
        "seed": 4,
        "stop": ["\n", "END"],
    }


def test_extra_parts_are_part_of_the_body():
    extra = body(spec(), chat_template_kwargs={"enable_thinking": False})
    assert extra["chat_template_kwargs"] == {"enable_thinking": False}


@pytest.mark.parametrize(
    ("returns", "value"),
    [
        ("BOOLEAN", {"type": "boolean"}),
        ("INTEGER", {"type": "integer"}),
        ("ENUM('a', 'b')", {"type": "string", "enum": ["a", "b"]}),
        ("DOUBLE[]", {"type": "array", "items": {"type": "number"}}),
    ],
)
def test_what_is_not_an_object_is_asked_for_as_the_field_value_of_one(returns: str, value: Any):
    assert response_format(parse_type(returns)) == {
        "type": "json_schema",
        "json_schema": {
            "name": "answer",
            "strict": True,
            "schema": {
                "type": "object",
                "properties": {"value": value},
                "required": ["value"],
                "additionalProperties": False,
            },
        },
    }


def test_text_needs_no_format_a_struct_is_its_own_object_and_json_is_any():
    assert response_format(parse_type("VARCHAR")) is None
    assert response_format(parse_type("JSON")) == {"type": "json_object"}
    struct = parse_type("STRUCT(a INTEGER)")
    form: Any = response_format(struct)
    assert form["json_schema"]["schema"] == struct.json_schema()
    loose: Any = response_format(parse_type("STRUCT(a INTEGER, b JSON)[]"))
    assert loose["json_schema"]["strict"] is False


def respond(content: Any, finish: str | None = "stop", **message: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": content, **message}, "finish_reason": finish}]}


@pytest.mark.parametrize(
    ("returns", "content", "text"),
    [
        ("VARCHAR", '{"value": 1}', '{"value": 1}'),
        ("BOOLEAN", '{"value": true}', "true"),
        ("INTEGER", '{"value": -3}', "-3"),
        ("DOUBLE", ' {"value":0.5} ', "0.5"),
        ("ENUM('a', 'größer')", '{"value": "größer"}', "größer"),
        ("VARCHAR[]", '{"value": ["ä", "b"]}', '["ä", "b"]'),
        ("INTEGER", '{"value": null}', "null"),
        ("INTEGER", "7", "7"),  # the server ignores schemas
        ("ENUM('a', 'b')", "a", "a"),
        ("INTEGER[]", "[1]", "[1]"),
        ("INTEGER", '{"val', '{"val'),  # cut short
        ("STRUCT(value INTEGER)", '{"value": 1}', '{"value": 1}'),
        ("JSON", '{"value": 1}', '{"value": 1}'),
        ("VARCHAR[]", '{"value": ["\\ud83d"]}', '["\\ud83d"]'),  # half a character
        ("DECIMAL(38,2)[]", '{"value" : [12345678901234567890.10]}\n', "[12345678901234567890.10]"),
        ("DECIMAL(5,2)", '{"value": "1.10"}', "1.10"),
        ("DATE", '{"value": "2024-02-29"}', "2024-02-29"),
        ("INTEGER", '{"why": "so", "value": 3}', "3"),  # the server ignores that there is no more
        ("VARCHAR", "half \ud83d, whole \U0001f600", "half \ufffd, whole \U0001f600"),
        ("INTEGER[]", "[" * 5000, "[" * 5000),
    ],
)
def test_wrapped_answers_are_unwrapped(returns: str, content: str, text: str):
    answer = read_completion(b"c", parse_type(returns), respond(content), 1)
    assert (answer.text, answer.error, answer.finish_reason) == (text, None, "stop")


def test_usage_is_counted_where_the_server_tells_it():
    payload = respond("x") | {
        "usage": {
            "prompt_tokens": 30,
            "completion_tokens": 4,
            "prompt_tokens_details": {"cached_tokens": 16},
        }
    }
    answer = read_completion(b"c", parse_type("VARCHAR"), payload, 3)
    assert answer[4:8] == (30, 16, 4, 3)
    payload["usage"]["prompt_tokens_details"] = None
    assert read_completion(b"c", parse_type("VARCHAR"), payload, 1)[4:8] == (30, 0, 4, 1)
    assert read_completion(b"c", parse_type("VARCHAR"), respond("x"), 1)[4:8] == (0, 0, 0, 1)


@pytest.mark.parametrize(
    ("payload", "finish", "error"),
    [
        (respond("part", "length"), "length", None),
        (respond(None, "length"), "length", None),
        (respond("x", None), "stop", None),
        (respond("x", "content_filter"), "error", "the server's content filter stopped the answer"),
        (respond(None, refusal="I\ncannot."), "error", "the model refused: I cannot."),
        (respond(None, "tool_calls"), "error", "the server sent an answer without text"),
    ],
)
def test_how_an_answer_ended(payload: dict[str, Any], finish: str, error: str | None):
    answer = read_completion(b"c", parse_type("VARCHAR"), payload, 1)
    assert (answer.finish_reason, answer.error) == (finish, error)
    assert (answer.text is None) == (error is not None)


@pytest.mark.parametrize(
    "payload", [{}, {"choices": []}, {"choices": None}, [], "x", {"choices": [{"message": None}]}]
)
def test_what_is_no_completion_is_refused(payload: Any):
    with pytest.raises(ValueError, match="no chat completion"):
        read_completion(b"c", parse_type("VARCHAR"), payload, 1)


@pytest.mark.parametrize(
    ("content", "message", "code"),
    [
        (b'{"error": {"message": "too\\nlong", "code": "context"}}', "too long", "context"),
        (b'{"error": {"message": "bad", "type": "invalid", "code": null}}', "bad", "invalid"),
        (b'{"error": {"message": "bad", "code": 400}}', "bad", "400"),
        (b'{"error": "model not found"}', "model not found", None),
        (b'{"object": "error", "message": "no"}', "no", None),
        (b'{"detail": [{"msg": "field required"}]}', '[{"msg": "field required"}]', None),
        (b"<html>\n Bad gateway", "<html> Bad gateway", None),
        (b"", "", None),
        (b"\xff", "\ufffd", None),
        (b'{"error": "half \\ud83d"}', "half \ufffd", None),
    ],
)
def test_errors_are_read_whatever_the_habit_of_the_server(
    content: bytes, message: str, code: str | None
):
    assert error_message(content) == (message, code)
