"""Models of Flock: what is said about one in a call, and in CREATE MODEL."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from heliumql.dialects.flock.fields import Field, Fields
from heliumql.dialects.mistakes import mistake
from heliumql.dialects.schemas import of_json_schema
from heliumql.source import Span
from heliumql.syntax.mistakes import suggestion
from heliumql.syntax.statements import Value

_SAMPLING = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_tokens": "max_tokens",
    "max_completion_tokens": "max_tokens",
    "num_predict": "max_tokens",
    "seed": "seed",
    "stop": "stop",
}
_SCHEMAS = ("response_format", "format")
_SENDING = ("secret_name", "max_batch_size", "batch_size", "is_async", "tuple_format")
_THRESHOLD = "answers are true or false; LLM_SCORE('..') >= 0.8 has a threshold"
_BUDGET = "SET llm_max_tokens = .. is the budget of a statement"


@dataclass(frozen=True)
class Options:
    """Of a call, by their names in HQL; `returns` is there where the answer is JSON of a schema."""

    named: Mapping[str, Value]
    returns: str | None


def of_call(fields: Fields) -> Options:
    """The model and the parameters of a call."""
    model = fields.need("model_name").text("model_name")
    fields.ignore(*_SENDING)
    fields.refuse("CREATE MODEL .. WITH (requests_per_minute = ..)", "rate_limit")
    fields.refuse(_BUDGET, "usage_limit")
    fields.refuse(_THRESHOLD, "threshold")
    given = fields.take("model_parameters")
    fields.finished()
    if given is None:
        return Options({"model": model}, None)
    found = _parameters(given)
    schema = next((found.pop(key) for key in _SCHEMAS if key in found), None)
    returns = None if schema is None else of_schema(schema, given.span)
    return Options({"model": model, **_sampling(found, given)}, returns)


def of_model(fields: Fields) -> Mapping[str, Value]:
    """What the object in CREATE MODEL says, by the keys of HQL."""
    fields.ignore(*_SENDING[1:])
    fields.refuse(_BUDGET, "usage_limit")
    fields.refuse(_THRESHOLD, "threshold")
    rate, given = fields.take("rate_limit"), fields.take("model_parameters")
    fields.finished()
    limit = {"requests_per_minute": rate.value("rate_limit")} if rate else {}
    if given is None:
        return limit
    found = _parameters(given)
    for key in _SCHEMAS:
        if key in found:
            hint = "the type of an answer is said by its call: give it in model_parameters there"
            raise mistake(f"{key} of a model cannot be carried over", given.span, hint)
    return {**limit, **_sampling(found, given)}


def of_schema(schema: Value, place: Span) -> str:
    """A JSON schema, in the wrappings that providers want, as the type of an answer."""
    match schema:
        case {"type": "json_object"}:
            return "JSON"
        case {"type": "json_schema", "json_schema": inner, **others} if others.keys() <= {"strict"}:
            return of_schema(inner, place)
        case {"schema": inner, **others} if others.keys() <= {"name", "strict", "description"}:
            return of_schema(inner, place)
        case _:
            return of_json_schema(schema, place)


def _parameters(given: Field) -> dict[str, Value]:
    """A text of JSON, or a struct."""
    found = given.value("model_parameters")
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except ValueError as error:
            raise mistake(f"model_parameters is not JSON: {error}", given.span, None) from None
    if not isinstance(found, dict):
        raise mistake("model_parameters must be an object", given.span, None)
    return dict(found)


def _sampling(found: Mapping[str, Value], given: Field) -> dict[str, Value]:
    for key in found:
        if key not in _SAMPLING:
            hint = suggestion(key, (*_SAMPLING, *_SCHEMAS), "parameters that can be")
            raise mistake(f"the parameter {key} cannot be carried over", given.span, hint)
    return {_SAMPLING[key]: value for key, value in found.items()}
