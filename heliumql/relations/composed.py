"""Queries made of queries: one statement each, so that the optimizer sees all of it.

    FROM (the query) AS relation WHERE ..

`Relation` calls it. A text is put together so that `?` stand in the order of the values, and every
piece knows where it was written: an error shows the line that somebody wrote.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from heliumql import syntax
from heliumql.binder.parameters import Parameters
from heliumql.errors import BindError
from heliumql.source import Source, Span, joined
from heliumql.syntax.literals import quoted_name

Piece = str | tuple[Source, Span]


@dataclass(frozen=True)
class Query:
    """A query as it was written: `span` of `source`, with the values of its parameters."""

    source: Source
    span: Span
    parameters: Parameters = None

    @property
    def text(self) -> Piece:
        return self.source, self.span

    def inside(
        self, columns: Sequence[str], *after: Piece, params: Parameters = None
    ) -> tuple[Source, Parameters]:
        """`FROM (this) AS relation(columns)`, and what comes after it."""
        names = ""
        if len({c.lower() for c in columns}) == len(columns):  # else DuckDB tells them apart
            names = "(" + ", ".join(map(quoted_name, columns)) + ")"
        source = joined("FROM (\n", self.text, f"\n) AS relation{names} ", *after)
        return source, merged(self.parameters, params, after)

    def between(
        self, before: str, *after: Piece, params: Parameters = None
    ) -> tuple[Source, Parameters]:
        """This query between other texts."""
        return joined(before, self.text, *after), merged(self.parameters, params, after)


def query_of(source: Source, span: Span, parameters: Parameters, method: str) -> Query:
    """The query in a text. Raises BindError where the statement is none."""
    if syntax.shell(source.text[span.start : span.end]).kind != "select":
        raise BindError(
            f"{method} takes a query, and these are the rows of another statement",
            hint="the rows can be read: .arrow(), .fetchall(), .df()",
        )
    return Query(source, span, parameters)


def written(text: str) -> Piece:
    """A piece that the user wrote."""
    return Source(text), Span(0, len(text))


def listed(texts: Sequence[str]) -> list[Piece]:
    """Pieces with commas between them; each may end in a comment."""
    pieces: list[Piece] = []
    for number, text in enumerate(texts):
        pieces += [",\n" if number else "", written(text)]
    return [*pieces, "\n"]


def merged(first: Parameters, later: Parameters, after: Sequence[Piece]) -> Parameters:
    """The values of both. Raises BindError where it is open which value is whose."""
    if not later:
        return first
    if not first:
        return later
    if isinstance(first, Mapping) != isinstance(later, Mapping):
        raise BindError(
            "values by position and values by name in one query",
            hint="write $name in both, with a mapping, or ? in both, with a list",
        )
    if isinstance(first, Mapping) and isinstance(later, Mapping):
        for name in first.keys() & later.keys():
            if first[name] is not later[name] and first[name] != later[name]:
                raise BindError(
                    f"the parameter ${name} has two values", hint="give one another name"
                )
        return {**first, **later}
    texts = [p[0].text for p in after if isinstance(p, tuple)]
    if any(re.search(r"\$\d", t) for t in texts):
        raise BindError("$1 and the like count all values of the query", hint="write ? or $name")
    return [*first, *later]


def copy_to(path: str | Path, form: str, options: Mapping[str, object]) -> Piece:
    """The end of COPY (..) TO a file. Options as DuckDB's, `header=True` for HEADER true."""
    given = {"format": form, **options}
    said = ", ".join(f"{quoted_name(name)} {_constant(value)}" for name, value in given.items())
    return f"\n) TO {_constant(str(path))} ({said})"


def _constant(value: object) -> str:
    match value:
        case bool() | int() | float():
            return str(value)
        case list() | tuple():
            return "(" + ", ".join(map(_constant, value)) + ")"
        case _:
            return "'" + str(value).replace("'", "''") + "'"
