"""What the verbs say to a model: the prompts of catalog/verbs.hql, and how they are filled.

The version of a prompt is part of the identity of its calls from 2 on; a changed text changes the
messages anyway, a changed version also forgets answers where a text is used in another way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from heliumql.resources import resource
from heliumql.source import Span
from heliumql.syntax.message import (
    Gathered,
    Message,
    Part,
    Template,
    joined,
    read_template,
)
from heliumql.syntax.parse import parse
from heliumql.syntax.statements import CreatePrompt
from heliumql.syntax.template import Placeholder
from heliumql.syntax.tokens import tokenize

_Given: TypeAlias = Message | Part


@dataclass(frozen=True)
class VerbPrompt:
    """The prompt of a verb: texts, and placeholders that name what is put in."""

    parts: tuple[Part, ...]
    version: int

    def filled(self, source: str, span: Span, **given: _Given | tuple[_Given, ...]) -> Template:
        """The prompt of a call at `span` of the source; texts are put in as they are.

        A text that is empty takes the blank before it along.
        """
        parts: list[Part] = []
        text = ""
        for part in self.parts:
            put = given[part.path[0]] if isinstance(part, Placeholder) else part
            if put == "" and isinstance(before := parts[-1], str):
                parts[-1], text = before.removesuffix(" "), text.removesuffix(" ")
            for piece in put if isinstance(put, tuple) else (put,):
                parts += piece.parts if isinstance(piece, Template) else (piece,)
                text += _written(piece, source)
        return Template(joined(parts), text, span)


def verb_prompt(name: str) -> VerbPrompt:
    """The prompt of that name, in either case."""
    return _prompts()[name.lower()]


def _written(part: _Given, source: str) -> str:
    """The part as it stands in a template."""
    match part:
        case str():
            return part.replace("{", "{{").replace("}", "}}")
        case Template():
            return part.text
        case Gathered(text=text):
            return _written(text, source)
        case _:
            return "{" + source[part.span.start : part.span.end] + "}"


@cache
def _prompts() -> Mapping[str, VerbPrompt]:
    return dict(_read(resource("catalog/verbs.hql").read_text(encoding="utf-8")))


def _read(text: str) -> Iterator[tuple[str, VerbPrompt]]:
    for statement in parse(text):
        assert isinstance(statement, CreatePrompt)
        (body,) = tokenize(text, statement.body_span.start, statement.body_span.end)
        version = statement.options["version"]
        assert isinstance(version, int)
        yield statement.name, VerbPrompt(read_template(body).parts, version)
