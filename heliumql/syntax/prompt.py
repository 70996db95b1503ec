"""CREATE PROMPT as the call that it stands for; `desugaring.py` makes macros of it."""

from __future__ import annotations

from collections.abc import Sequence

from heliumql.errors import BindError
from heliumql.source import Span
from heliumql.syntax.arguments import CallParts
from heliumql.syntax.literals import LITERAL_TYPES, quoted, quoted_name
from heliumql.syntax.message import Template, read_template, with_hint
from heliumql.syntax.mistakes import suggestion
from heliumql.syntax.options import OPTIONS, read_options
from heliumql.syntax.statements import CreatePrompt
from heliumql.syntax.template import Placeholder
from heliumql.syntax.tokens import Token, tokenize
from heliumql.types import TEXT


def read_prompt(create: CreatePrompt) -> CallParts:
    """The call that a prompt stands for; spans relative to the statement."""
    offset = create.span.start
    options = {
        key: (value, create.value_spans[key].shifted(-offset))
        for key, value in create.options.items()
        if key != "system"
    }
    for key in options:
        _known_prompt_option(key, create.option_spans[key].shifted(-offset))
    if options.get("n", (1,))[0] not in (1, None):
        raise BindError(
            "a prompt is one value a row: n belongs to LLM_GENERATE in FROM",
            span=options["n"][1],
        )
    body = _literal(create, create.body_span)
    template = read_template(body)
    system: Template | None = None
    if create.options.get("system") is not None:
        token = _literal(create, create.value_spans["system"])
        if token.type not in LITERAL_TYPES:
            raise BindError("system is a template: one string", span=token.span)
        system = read_template(token)
    known = [name for name, _ in create.parameters]
    _check_parameters(template, known)
    if system is not None:
        _check_parameters(system, known)
    returns = create.returns or TEXT
    return CallParts(
        prompt=with_hint(template, returns),
        system=system,
        history=None,
        values=(),
        table=None,
        returns=returns,
        options=read_options(options),
        template=template.text,
    )


def _known_prompt_option(key: str, span: Span) -> None:
    if key not in OPTIONS:
        hint = suggestion(key, [*OPTIONS, "system"], "options of a prompt")
        raise BindError(f"unknown option {key}", span=span, hint=hint)


def _check_parameters(template: Template, known: Sequence[str]) -> None:
    for part in template.parts:
        if not isinstance(part, Placeholder):
            continue
        name = part.path[0] if part.path else str(part.value)
        if name.lower() not in [parameter.lower() for parameter in known]:
            hint = suggestion(name, known, "parameters")
            raise BindError(f"the prompt has no parameter {name}", span=part.span, hint=hint)


def _literal(create: CreatePrompt, span: Span) -> Token:
    start = span.start - create.span.start
    return tokenize(create.text, start, span.end - create.span.start)[0]


def parameter(placeholder: Placeholder, types: dict[str, str]) -> str:
    """A placeholder in a prompt: a parameter, or a field of one."""
    name, *fields = placeholder.path
    sql = quoted_name(name)
    if types[name.lower()].upper() not in ("", "VARCHAR", "TEXT"):
        sql = f"CAST({sql} AS {types[name.lower()]})"
    for field in fields:
        sql = f"struct_extract({sql}, {quoted(field)})"
    return sql
