"""What cannot be carried over, with its place in the user's text."""

from __future__ import annotations

from sqlglot import exp

from heliumql.errors import BindError
from heliumql.source import Span


def mistake(message: str, place: exp.Expr | Span | None, hint: str | None) -> BindError:
    """The error, to be raised."""
    span = place if isinstance(place, Span) or place is None else place_of(place)
    return BindError(message, span=span, hint=hint)


def place_of(node: exp.Expr) -> Span | None:
    """Where a node of the parsed text stands: what it holds tells, or else what it is in."""
    found = [(n.meta["start"], n.meta["end"] + 1) for n in _placed(node)]
    if found:
        return Span(min(start for start, _ in found), max(end for _, end in found))
    return place_of(node.parent) if node.parent is not None else None


def _placed(node: exp.Expr) -> list[exp.Expr]:
    # Types are parsed apart from the text: places in them mean nothing.
    return [
        n
        for n in node.walk(prune=lambda n: isinstance(n, exp.DataType))
        if "start" in n.meta and not isinstance(n, exp.DataType)
    ]
