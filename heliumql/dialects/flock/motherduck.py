"""MotherDuck's `prompt(text, model := 'm', struct := {..})` as a call of LLM_GENERATE."""

from __future__ import annotations

import json
from collections.abc import Sequence

from heliumql.dialects.calls import braced
from heliumql.dialects.flock.calls import Called
from heliumql.dialects.flock.fields import Field, Fields, call, filled, named, span_of, struct
from heliumql.dialects.flock.parameters import of_schema
from heliumql.dialects.mistakes import mistake
from heliumql.syntax.literals import LITERAL_TYPES, decode, quoted
from heliumql.syntax.mistakes import suggestion
from heliumql.syntax.tokens import Token
from heliumql.syntax.tree import Element


def prompt(called: Called) -> str:
    """The call in HQL; raises BindError at what cannot be carried over."""
    text, fields = _arguments(called)
    model, temperature = fields.take("model"), fields.take("temperature")
    fields.refuse("CREATE MODEL .. WITH (thinking = true) has models think", "reasoning_effort")
    parts = fields.take("struct")
    returns, is_json = _returns(fields, parts)
    described = _described(fields, parts)
    fields.finished()
    options = {
        "model": model.text("model") if model else None,
        "temperature": temperature.value("temperature") if temperature else None,
        "returns": returns,
    }
    made = call("LLM_GENERATE", _message(called, text, described), options)
    return f"CAST({made} AS JSON)" if is_json else made


def _arguments(called: Called) -> tuple[tuple[Element, ...], Fields]:
    text: tuple[Element, ...] | None = None
    found: list[Field] = []
    for part in filled(called.group):
        match part:
            case [Token(type="NAME") as name, Token(type="ARROW"), first, *more]:
                items = (first, *more)
                found.append(Field(name.text.lower(), name.span, items, called.source))
            case _ if text is None and not found:
                text = part
            case _:
                hint = "prompt('..', model := 'm', struct := {..})"
                raise mistake("prompt takes one text, the rest has names", span_of(part), hint)
    fields = Fields("prompt", called.name.span, found)
    if text is None:
        given = fields.take("prompt_text")
        if given is None:
            raise mistake("prompt needs a text", called.span, "prompt('..')")
        text = given.items
    return text, fields


def _returns(fields: Fields, parts: Field | None) -> tuple[str | None, bool]:
    """The type of the answer, and whether its value is JSON."""
    kind, schema = fields.take("return_type"), fields.take("json_schema")
    given = [field for field in (kind, parts, schema) if field is not None]
    if len(given) > 1:
        raise mistake("the type of the answer is there twice", given[1].place, None)
    if kind is not None:
        return kind.text("return_type"), False
    if parts is not None:
        types = struct("struct", parts.items, parts.source).rest()
        inner = [f"{named(part.key)} {part.text(part.key)}" for part in types]
        return f"STRUCT({', '.join(inner)})", False
    if schema is None:
        return None, False
    found = schema.value("json_schema")
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except ValueError as error:
            raise mistake(f"json_schema is not JSON: {error}", schema.span, None) from None
    returns = of_schema(found, schema.span)
    return returns, returns != "JSON"


def _described(fields: Fields, parts: Field | None) -> list[str]:
    """A line for each field of the answer that has a description."""
    given = fields.take("struct_descr")
    if given is None:
        return []
    known = [f.key for f in struct("struct", parts.items, parts.source).rest()] if parts else []
    lines = []
    for field in struct("struct_descr", given.items, given.source).rest():
        if field.key not in known:
            hint = suggestion(field.key, known, "fields of struct")
            raise mistake(f"struct has no {field.key}", field.place, hint)
        lines.append(f"{field.key}: {field.text(field.key)}")
    return lines


def _message(called: Called, text: Sequence[Element], described: Sequence[str]) -> list[str]:
    """The text is no template in MotherDuck, so its braces are doubled."""
    below = "".join(f"\n{line}" for line in ("", *described)) if described else ""
    match text:
        case [Token(type=kind) as token] if kind in LITERAL_TYPES:
            return [quoted(braced(decode(token).text + below))]
        case _ if below:
            return [quoted("{0}" + braced(below)), called.written(text)]
        case _:
            return [called.written(text)]
