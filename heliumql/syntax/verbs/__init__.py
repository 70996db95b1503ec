"""The verbs: what each makes of its arguments; `read_call` finds the one of a call."""

from __future__ import annotations

from collections.abc import Callable

from heliumql.errors import BindError
from heliumql.syntax.arguments import CallParts
from heliumql.syntax.tree import Call
from heliumql.syntax.verbs import agg, classify, embedding, extract, filter, generate, score
from heliumql.types import SqlType

_Read = Callable[[Call, str], CallParts]

_AS_TABLE: dict[str, _Read] = {
    "LLM_GENERATE": generate.as_table,
    "LLM_EXTRACT": extract.read,
}
_AS_VALUE: dict[str, _Read] = {
    "LLM_GENERATE": generate.as_value,
    "LLM_FILTER": filter.as_value,
    "LLM_CLASSIFY": classify.as_value,
    "LLM_EXTRACT": extract.read,
    "LLM_SCORE": score.as_value,
    "LLM_AGG": agg.as_value,
    "LLM_EMBED": embedding.as_value,
}
_INSTEAD = {
    "LLM_FILTER": ("a condition", "it stands in WHERE or ON"),
    "LLM_CLASSIFY": ("a label", "it stands in SELECT or WHERE"),
    "LLM_SCORE": ("a number", "it stands in SELECT or ORDER BY"),
    "LLM_EMBED": ("a value", "it stands in SELECT"),
    "LLM_SIMILARITY": ("a number", "it stands in SELECT, WHERE or ORDER BY"),
    "LLM_AGG": ("an aggregate", "it stands in SELECT or HAVING"),
}
VERB_NAMES = (*_AS_VALUE, "LLM_SIMILARITY")


def read_call(
    call: Call, source: str, *, as_table: bool, inferred: SqlType | None = None
) -> CallParts:
    """The parts of the call.

    `as_table` says that it stands where a table may stand; `inferred` is the type that the use of
    an LLM_GENERATE as a value asks for.
    """
    verb = call.verb.text.upper()
    if not as_table and inferred is not None:
        return _one_value(call, generate.as_value(call, source, inferred))
    if not as_table:
        return _one_value(call, _AS_VALUE[verb](call, source))
    if verb not in _AS_TABLE:
        what, where = _INSTEAD[verb]
        stands = "stand" if len(_AS_TABLE) > 1 else "stands"
        raise BindError(
            f"{verb} is {what}, not a table",
            span=call.span,
            hint=f"{where}; {_and(tuple(_AS_TABLE))} {stands} in FROM",
        )
    return _AS_TABLE[verb](call, source)


def _one_value(call: Call, parts: CallParts) -> CallParts:
    if parts.options.get("n", 1) > 1:
        given = next(a for a in call.arguments if a.name is not None and a.name.word == "N")
        raise BindError(
            "n > 1 gives several rows, and here stands one value",
            span=given.span,
            hint="FROM .., LATERAL LLM_GENERATE(.., n => 5) AS g: rows numbered by g.sample",
        )
    return parts


def _and(names: tuple[str, ...]) -> str:
    *before, last = names
    return f"{', '.join(before)} and {last}" if before else last
