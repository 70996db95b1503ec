"""LLM_SCORE(question, values .. [, options]): a question that is answered with a number."""

from __future__ import annotations

from heliumql.syntax.arguments import CallParts
from heliumql.syntax.tree import Call
from heliumql.syntax.verbs.question import asked
from heliumql.types import SqlType


def as_value(call: Call, source: str) -> CallParts:
    """The call as a DOUBLE."""
    return asked(call, source, SqlType("DOUBLE"), "LLM_SCORE('How good, 0 to 10? {column}')")
