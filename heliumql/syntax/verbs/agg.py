"""LLM_AGG([DISTINCT] text, instruction [ORDER BY ..] [, options]) [FILTER ..]: one answer a group.

The texts of a group are one prompt: the instruction, then the texts, with lines `---` between them.
"""

from __future__ import annotations

from heliumql.errors import BindError
from heliumql.syntax.arguments import Arguments, CallParts
from heliumql.syntax.message import Expression, Gathered, Template
from heliumql.syntax.tree import Call
from heliumql.syntax.verbs.prompts import verb_prompt
from heliumql.types import TEXT

SEPARATOR = "\n---\n"
"""Before the first one stands the instruction of a prompt of LLM_AGG; it parts the texts."""

_EXAMPLE = "LLM_AGG(column, 'Summarize these texts.')"


def as_value(call: Call, source: str) -> CallParts:
    """The call as an aggregate: VARCHAR, or the type of `returns`."""
    arguments = Arguments(call, source, ("text", "instruction", "returns"))
    text = arguments.message("text", "a text", _EXAMPLE)
    instruction = arguments.message("instruction", "an instruction", _EXAMPLE)
    arguments.nothing_more("a text and an instruction")
    if isinstance(instruction, Template):
        _check_ends(instruction)
    if call.filter is not None and not call.filter.items:
        raise BindError(
            "FILTER has no condition", span=call.filter.span, hint="FILTER (WHERE column > 0)"
        )
    returns, _ = arguments.returns()
    returns = returns or TEXT
    hint = returns.hint()
    spoken = verb_prompt("llm_agg")
    prompt = spoken.filled(
        source,
        call.span,
        instruction=(instruction, "\n" + hint) if hint else instruction,
        texts=Gathered(
            text,
            SEPARATOR,
            call.distinct is not None,
            tuple(Expression(key.items) for key in call.order if key.name is None),
            None if call.filter is None else Expression(call.filter.items),
            call.span,
        ),
    )
    return arguments.finished(
        prompt, returns, text, instruction, template=prompt.text, version=spoken.version
    )


def merge_sentence() -> str:
    """What a prompt that makes one answer of several adds to the instruction."""
    _, said, _ = verb_prompt("llm_agg_merge").parts
    assert isinstance(said, str)
    return said.removesuffix(SEPARATOR)


def _check_ends(instruction: Template) -> None:
    for part in instruction.parts:
        if isinstance(part, str) and SEPARATOR in part:
            raise BindError(
                "a line --- ends the instruction of LLM_AGG",
                span=instruction.span,
                hint="leave it out: the texts follow after such a line",
            )
