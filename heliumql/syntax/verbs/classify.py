"""LLM_CLASSIFY(text, labels [, instruction, multi, options]): the label that fits, or all that do.

The answer is an ENUM of the labels, or a list of it; the value is VARCHAR or VARCHAR[].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from heliumql.errors import BindError
from heliumql.source import Span
from heliumql.syntax.arguments import Arguments, CallParts
from heliumql.syntax.constants import elements, fields
from heliumql.syntax.mistakes import suggestion
from heliumql.syntax.tree import Argument, Call, Constant, Group
from heliumql.syntax.verbs.prompts import verb_prompt
from heliumql.types import TEXT, SqlType

_EXAMPLE = "LLM_CLASSIFY(column, ['plot', 'acting', 'other'])"
_FORMS = "['plot', 'acting'], or with descriptions {'plot': 'about the story', 'acting': '..'}"
_KEYS = ("label", "description")


@dataclass(frozen=True)
class _Label:
    name: str
    description: str | None
    span: Span


def as_value(call: Call, source: str) -> CallParts:
    """The call as one label, or as a list of labels without duplicates in the order given."""
    arguments = Arguments(call, source, ("text", "labels", "instruction", "multi"))
    text = arguments.message("text", "a text", _EXAMPLE)
    labels = _labels(arguments)
    instruction = arguments.constant_text("instruction")
    multi = arguments.flag("multi")
    arguments.nothing_more("a text, labels and an instruction")
    arguments.no_returns("VARCHAR[]" if multi else "VARCHAR")
    spoken = verb_prompt("llm_classify_multi" if multi else "llm_classify")
    prompt = spoken.filled(
        source, call.span, instruction=instruction, labels=_listed(labels), text=text
    )
    one = SqlType("ENUM", values=tuple(label.name for label in labels))
    return arguments.finished(
        prompt,
        SqlType("LIST", item=one, distinct=True) if multi else one,
        text,
        template=prompt.text,
        value=SqlType("LIST", item=TEXT) if multi else TEXT,
        version=spoken.version,
    )


def _listed(labels: list[_Label]) -> str:
    """In one line, or a line each where they have descriptions."""
    if all(label.description is None for label in labels):
        return ", ".join(label.name for label in labels)
    return "".join(
        f"\n- {label.name}" + (f": {label.description}" if label.description else "")
        for label in labels
    )


def _labels(arguments: Arguments) -> list[_Label]:
    argument = arguments.take("labels")
    if argument is None:
        span = arguments.call.span
        raise BindError("LLM_CLASSIFY needs labels", span=span, hint=_EXAMPLE)
    labels = list(_read(argument))
    seen: set[str] = set()
    for label in labels:
        if not label.name.strip():
            raise BindError("a label is empty", span=label.span)
        if label.name != label.name.strip():
            raise BindError("a label has blanks around it", span=label.span)
        if label.name in seen:
            raise BindError(f"the label {label.name} is there twice", span=label.span)
        seen.add(label.name)
    if len(labels) < 2:
        raise BindError("LLM_CLASSIFY chooses among labels: give at least two", span=argument.span)
    return labels


def _read(argument: Argument) -> Iterator[_Label]:
    """The labels of any of the three forms."""
    match argument.items:
        case (Group() as group,) if (listed := elements(group)) is not None:
            for element in listed:
                yield _of_list(element)
        case (Group() as group,) if (named := fields(group)) is not None:
            for name, description in named:
                yield _Label(_text(name), _text(description), name.span)
        case _:
            raise BindError("labels must be a constant list", span=argument.span, hint=_FORMS)


def _of_list(element: Constant) -> _Label:
    match element.value:
        case str(name):
            return _Label(name, None, element.span)
        case dict(parts):
            for key in parts:
                if key not in _KEYS:
                    raise BindError(
                        f"a label has no {key}",
                        span=element.span,
                        hint=suggestion(key, _KEYS, "its parts"),
                    )
            match parts.get("label"), parts.get("description"):
                case str(name), str() | None as description:
                    return _Label(name, description, element.span)
            raise BindError("a label and its description are texts", span=element.span, hint=_FORMS)
        case _:
            raise BindError("a label is a text", span=element.span, hint=_FORMS)


def _text(constant: Constant) -> str:
    if not isinstance(constant.value, str):
        raise BindError("a label and its description are texts", span=constant.span, hint=_FORMS)
    return constant.value
