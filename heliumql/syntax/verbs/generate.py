"""LLM_GENERATE(prompt, values .. [, system, history, returns, options]): text or any type."""

from __future__ import annotations

from heliumql.syntax.arguments import Arguments, CallParts
from heliumql.syntax.message import Template, with_hint
from heliumql.syntax.tokens import Token
from heliumql.syntax.tree import Call, Element, Group, starts_query
from heliumql.types import TEXT, SqlType

_NAMES = ("prompt", "returns")


def as_value(call: Call, source: str, inferred: SqlType = TEXT) -> CallParts:
    """The call as a value of its type: the inferred one where it names none."""
    return _read(Arguments(call, source, _NAMES), None, inferred)


def as_table(call: Call, source: str) -> CallParts:
    """The call in FROM: beside a table, or with a query that comes first."""
    arguments = Arguments(call, source, _NAMES)
    table = _table(arguments)
    if table is not None:
        del arguments.positional[0]
    return _read(arguments, table, TEXT)


def _read(arguments: Arguments, table: tuple[Element, ...] | None, otherwise: SqlType) -> CallParts:
    verb = arguments.verb
    example = f"{verb}('About {{column}}')" if table is None else _with_query(verb)
    prompt = arguments.message("prompt", "a prompt", example)
    values = arguments.values()
    returns, _ = arguments.returns()
    returns = returns or otherwise
    template = prompt.text if isinstance(prompt, Template) else None
    return arguments.finished(
        with_hint(prompt, returns), returns, prompt, template=template, values=values, table=table
    )


def _table(arguments: Arguments) -> tuple[Element, ...] | None:
    """The query that comes first in the form table in, table out."""
    given = arguments.positional
    if not given or ("prompt" not in arguments.named and len(given) < 2):
        return None
    items = given[0].items
    first = items[0]
    if isinstance(first, Token) and first.word == "TABLE":
        return items
    if len(items) == 1 and isinstance(first, Group) and starts_query(first):
        return first.items
    arguments.no_bare_query(given[0])
    return None


def _with_query(verb: str) -> str:
    return f"{verb}((SELECT ..), prompt => '..')"
