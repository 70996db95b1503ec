"""A call as a macro describes it, and what it says to a model: by the code of the verbs.

A macro of DuckDB gives everything about a call that is not of the row as one JSON object: its verb
and its arguments. It is written as HQL and read as any call, so that its messages, its type and its
name are those of the same call in HQL. `vectors.py` puts the texts of the rows in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from heliumql import syntax
from heliumql.syntax import CallSite, DesugarContext, parse_soup, tokenize
from heliumql.syntax.message import Message, Template
from heliumql.syntax.tree import Call
from heliumql.syntax.verbs import read_call
from heliumql.types import SqlType

_TEXT = "__text"  # the column that the texts of the rows would have
_TEMPLATES = ("instruction",)  # arguments in which HQL reads braces, and a macro does not


@dataclass(frozen=True)
class Spoken:
    """A call without the text of its row."""

    site: CallSite
    value: SqlType  # of the call in SQL
    parts: tuple[str | None, ...]  # of the prompt; None: here goes the text of the row

    def prompt(self, text: str | None) -> str | None:
        """The prompt for a row; NULL where the row has no text."""
        if text is None:
            return None
        return "".join(text if part is None else part for part in self.parts)


def spoken(description: str, next_site: Callable[[], int]) -> Spoken:
    """The call that a macro describes. Raises BindError as for the same call in HQL."""
    text = f"SELECT {_written_call(json.loads(description))}"
    (call,) = (e for e in parse_soup(tokenize(text)) if isinstance(e, Call))
    parts = read_call(call, text, as_table=False)
    core = syntax.desugar(text, DesugarContext(next_site))
    return Spoken(core.sites[0], parts.value or parts.returns, _parts(parts.prompt))


def value_type(description: str) -> SqlType:
    """The type of the call in SQL. Raises BindError as for the same call in HQL."""
    return spoken(description, lambda: 0).value


def _parts(prompt: Message) -> tuple[str | None, ...]:
    if not isinstance(prompt, Template):
        return (None,)
    return tuple(part if isinstance(part, str) else None for part in prompt.parts)


def _written_call(description: Mapping[str, object]) -> str:
    """The call in HQL; what is NULL is not given."""
    given = {n: v for n, v in description.items() if n != "verb" and v is not None}
    arguments = [f"{name} => {_written(name, value)}" for name, value in given.items()]
    return f"{str(description['verb']).upper()}({', '.join([_TEXT, *arguments])})"


def _written(name: str, value: object) -> str:
    """A constant in HQL."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "NULL"
        case int() | float():
            return repr(value)
        case list():
            return f"[{', '.join(_written('', element) for element in value)}]"
        case dict():
            fields = (f"{_quoted(k)}: {_written('', v)}" for k, v in value.items())
            return f"{{{', '.join(fields)}}}"
        case _:
            text = str(value)
            if name in _TEMPLATES:
                text = text.replace("{", "{{").replace("}", "}}")
            return _quoted(text)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
