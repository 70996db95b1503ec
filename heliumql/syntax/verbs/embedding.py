"""LLM_EMBED(text [, options]) and LLM_SIMILARITY(text, text [, options]): vectors of texts.

LLM_SIMILARITY is SQL over two calls that embed, so that equal texts are one call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from heliumql.errors import BindError
from heliumql.syntax.arguments import Arguments, CallParts
from heliumql.syntax.message import Message, Template
from heliumql.syntax.template import Placeholder
from heliumql.syntax.tokens import Token
from heliumql.syntax.tree import Call
from heliumql.types import SqlType

VECTOR = SqlType("LIST", item=SqlType("FLOAT"))

_OPTIONS = ("model", "retries", "on_error", "cache")


def as_value(call: Call, source: str) -> CallParts:
    """The call as a FLOAT[]."""
    (parts,) = _read(call, source, VECTOR.sql(), "a text", "LLM_EMBED(body)", 1)
    return parts


def compared(call: Call, source: str) -> tuple[CallParts, CallParts]:
    """The two vectors that an LLM_SIMILARITY compares."""
    example = "LLM_SIMILARITY(body, 'a joke')"
    for argument in call.arguments:
        match argument.items:
            case (Call(verb=Token(word="LLM_EMBED")),):  # its vector would be embedded as a text
                raise BindError(
                    "LLM_SIMILARITY takes texts, and embeds them itself",
                    span=argument.span,
                    hint=f"{example}; vectors are compared by list_cosine_similarity",
                )
    one, other = _read(call, source, "DOUBLE", "two texts", example, 2)
    return one, other


def _read(
    call: Call, source: str, always: str, takes: str, example: str, texts: int
) -> Iterator[CallParts]:
    arguments = Arguments(call, source, (), _OPTIONS)
    arguments.no_returns(always)
    given = arguments.positional
    if len(given) != texts:
        span = given[texts].span if len(given) > texts else call.span
        raise BindError(f"{arguments.verb} takes {takes}", span=span, hint=example)
    for _ in range(texts):
        text = arguments.message("text", "a text", example)
        _no_value(text, arguments.verb)
        template = text.text if isinstance(text, Template) else None
        yield replace(arguments.finished(text, VECTOR, template=template), task="embed")


def _no_value(text: Message, verb: str) -> None:
    for part in text.parts if isinstance(text, Template) else ():
        if isinstance(part, Placeholder) and part.value is not None:
            raise BindError(
                f"{verb} takes no value for {{{part.value}}}",
                span=part.span,
                hint="name a column: {body}",
            )
