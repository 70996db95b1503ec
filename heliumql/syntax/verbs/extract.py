"""LLM_EXTRACT(text, questions [, returns, options]): what a text says, as a struct.

Every field may be NULL: the text need not say. In FROM the fields are columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from heliumql.errors import BindError
from heliumql.source import Span
from heliumql.syntax.arguments import Arguments, CallParts
from heliumql.syntax.constants import elements, fields
from heliumql.syntax.tree import Argument, Call, Constant, Group
from heliumql.syntax.verbs.prompts import verb_prompt
from heliumql.types import TEXT, SqlType

_EXAMPLE = "LLM_EXTRACT(column, {'director': 'Who directed it?', 'year': 'Release year?'})"
_FORMS = "{'director': 'Who directed it?'}, or only names: ['director', 'year']"


@dataclass(frozen=True)
class _Question:
    field: str
    text: str  # '' where only the name is asked for
    span: Span


def read(call: Call, source: str) -> CallParts:
    """The call, as a value or in FROM."""
    arguments = Arguments(call, source, ("text", "questions", "returns"))
    text = arguments.message("text", "a text", _EXAMPLE)
    questions = _questions(arguments)
    arguments.nothing_more("a text and questions")
    returns = _returns(arguments, questions)
    spoken = verb_prompt("llm_extract")
    prompt = spoken.filled(
        source,
        call.span,
        questions="\n".join(_line(question) for question in questions),
        shape=returns.shape(),
        text=text,
    )
    return arguments.finished(prompt, returns, text, template=prompt.text, version=spoken.version)


def _line(question: _Question) -> str:
    return f"- {question.field}" + (f": {question.text}" if question.text else "")


def _questions(arguments: Arguments) -> list[_Question]:
    argument = arguments.take("questions")
    if argument is None:
        span = arguments.call.span
        raise BindError("LLM_EXTRACT needs questions", span=span, hint=_EXAMPLE)
    questions = list(_read(argument))
    if not questions:
        raise BindError("LLM_EXTRACT needs a question", span=argument.span, hint=_EXAMPLE)
    seen: set[str] = set()
    for question in questions:
        if not question.field.strip():
            raise BindError("a field has no name", span=question.span)
        if question.field.lower() in seen:
            raise BindError(f"the field {question.field} is there twice", span=question.span)
        seen.add(question.field.lower())
    return questions


def _read(argument: Argument) -> Iterator[_Question]:
    match argument.items:
        case (Group() as group,) if (named := fields(group)) is not None:
            for name, question in named:
                yield _Question(_text(name), _text(question), name.span)
        case (Group() as group,) if (listed := elements(group)) is not None:
            for name in listed:
                yield _Question(_text(name), "", name.span)
        case _:
            raise BindError(
                "questions must be constant texts by field", span=argument.span, hint=_FORMS
            )


def _text(constant: Constant) -> str:
    if not isinstance(constant.value, str):
        raise BindError("a field and its question are texts", span=constant.span, hint=_FORMS)
    return constant.value


def _returns(arguments: Arguments, questions: Sequence[_Question]) -> SqlType:
    """A struct of the fields asked for, all of which may be null."""
    given, span = arguments.returns()
    if given is None:
        kinds = [(question.field, TEXT) for question in questions]
    elif given.name != "STRUCT":
        raise BindError(
            f"LLM_EXTRACT returns a struct, not {given.sql()}",
            span=span,
            hint=f"returns => 'STRUCT({', '.join(f'{q.field} VARCHAR' for q in questions)})'",
        )
    else:
        kinds = list(given.fields)
        asked = [question.field for question in questions]
        typed = [name for name, _ in kinds]
        different = _difference(asked, typed)
        if different:
            raise BindError(
                f"returns does not fit the questions: {different}",
                span=span,
                hint=f"the questions are about {', '.join(asked)}",
            )
    nullable = [(name, replace(kind, nullable=True)) for name, kind in kinds]
    return SqlType("STRUCT", fields=tuple(nullable))


def _difference(asked: Sequence[str], typed: Sequence[str]) -> str:
    """What only one of them names; '' where they name the same."""
    untyped = [name for name in asked if name.lower() not in map(str.lower, typed)]
    unasked = [name for name in typed if name.lower() not in map(str.lower, asked)]
    parts = [f"{name} has no type" for name in untyped]
    return "; ".join([*parts, *(f"{name} is not asked for" for name in unasked)])
