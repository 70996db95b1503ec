"""LLM_FILTER(question, values .. [, options]): a question that is answered with true or false."""

from __future__ import annotations

from heliumql.syntax.arguments import CallParts
from heliumql.syntax.tree import Call
from heliumql.syntax.verbs.question import asked
from heliumql.types import BOOLEAN


def as_value(call: Call, source: str) -> CallParts:
    """The call as a BOOLEAN."""
    return asked(call, source, BOOLEAN, "LLM_FILTER('Is it about {column}?')")
