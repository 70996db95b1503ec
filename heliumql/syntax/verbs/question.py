"""Verbs that ask one question and have a type of their own."""

from __future__ import annotations

from heliumql.syntax.arguments import Arguments, CallParts
from heliumql.syntax.tree import Call
from heliumql.syntax.verbs.prompts import verb_prompt
from heliumql.types import SqlType


def asked(call: Call, source: str, returns: SqlType, example: str) -> CallParts:
    """The call of such a verb."""
    arguments = Arguments(call, source, ("prompt",))
    question = arguments.message("prompt", "a prompt", example)
    values = arguments.values()
    arguments.no_returns(returns.sql())
    spoken = verb_prompt(arguments.verb)
    prompt = spoken.filled(source, question.span, question=question)
    return arguments.finished(
        prompt,
        returns,
        question,
        template=prompt.text,
        values=values,
        version=spoken.version,
    )
