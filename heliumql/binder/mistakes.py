"""DuckDB's errors about core SQL, as errors about the text that the user wrote."""

from __future__ import annotations

import re
from difflib import get_close_matches

import duckdb

from heliumql.errors import BindError, ExecutionError, HeliumQLError
from heliumql.source import Span
from heliumql.syntax import Core, error_offset

# Errors of these kinds are the user's; others mean that DuckDB cannot print this plan as SQL.
USERS_OWN = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)


def is_users_mistake(error: duckdb.Error) -> bool:
    """The statement names something that is not there, or is not SQL."""
    return isinstance(error, USERS_OWN)


def bind_error(error: duckdb.Error, core: Core, before: str = "") -> HeliumQLError:
    """DuckDB's error about core SQL (behind the text `before`) as one about the user's text."""
    message = str(error)
    span: Span | None = None
    offset = error_offset(message, before + core.text)
    if offset is not None:
        carets = len(max(re.findall(r"\^+", message), default="^"))
        span = core.source_map.span(max(0, offset - len(before)), carets)
    lines = [x.strip() for x in message.split("\n") if x.strip(" ^")]
    lines = [x for x in lines if not x.startswith("LINE ")]
    text = re.sub(r"^\w+( \w+)? Error: ", "", lines[0]).rstrip("!")
    elsewhere = hint_for_function(text)
    if elsewhere is not None:
        lines[1:] = [elsewhere]
    if text.startswith("No function matches") and len(" ".join(lines[1:])) > _LONG:
        lines[1:] = [_TYPES]
    macro = re.match(r"Macro (\w+)\(\) does not support the supplied arguments", text)
    if macro is not None:  # prompts are macros to DuckDB, and not to who made them
        text = f"{macro[1]} does not take these arguments"
        lines[1:] = [line.replace("Candidate macros:", "it is") for line in lines[1:]]
    if text.endswith(_PIVOT_OF_DATA):  # our own statement around it is none of the user's
        text = "PIVOT over LLM calls takes no values from the data"
        lines[1:] = ["name them: PIVOT .. ON g IN ('a', 'b')"]
        span = _word(core, "PIVOT")
    if text.endswith(_ORDER_OF_DISTINCT) and (call := _distinct_call(core)) is not None:
        text = "LLM_AGG(DISTINCT ..) is ordered by something else than its texts"
        lines[1:] = ["order by the text itself, as VARCHAR; without ORDER BY it is so ordered"]
        span = call
    return BindError(
        text[:1].lower() + text[1:] if text[1:2].islower() else text,
        span=span,
        hint=_CANDIDATES.sub(r"did you mean \1?", " ".join(lines[1:])) or None,
    )


_CANDIDATES = re.compile(r"^Candidate bindings: (?:: )?(.*)$")  # DuckDB writes both
_PIVOT_OF_DATA = "cannot be used in EXPLAIN (SQL) statements."
_ORDER_OF_DISTINCT = "ORDER BY expressions must appear in the argument list"


def _distinct_call(core: Core) -> Span | None:
    """The first LLM_AGG(DISTINCT ..): what stands for it is no text of the user."""
    for found in re.finditer(r"string_agg\(DISTINCT ", core.text):
        span = core.source_map.span(found.start())
        if span is not None and span.end > span.start + 1:
            return span
    return None


def _word(core: Core, word: str) -> Span | None:
    """The first place of a word in the user's text."""
    found = re.search(rf"\b{word}\b", core.text, re.IGNORECASE)
    span = None if found is None else core.source_map.span(found.start())
    return None if span is None else Span(span.start, span.start + len(word))


_LIKE = 0.75  # how alike the names of functions are, where one may be meant for the other
_LONG = 300  # letters of a list of candidates; one for + or = has thousands
_TYPES = (
    "cast what is of another type; LLM_GENERATE gives VARCHAR unless returns => 'INTEGER' "
    "or the like says otherwise"
)
_AI_FUNCTIONS = "AI functions of other SQL are brought over by --dialect snowflake, bigquery .."


def hint_for_function(message: str) -> str | None:
    """What there is instead, where DuckDB says that there is no function of a name like ours."""
    missing = re.search(r"Function with name ((llm|ai)_\w+) does not exist", message, re.IGNORECASE)
    if missing is None:
        return None
    from heliumql.syntax import VERB_NAMES

    verbs = "LLM functions are " + ", ".join(VERB_NAMES)
    if missing[2].lower() == "ai":
        return f"{verbs}; {_AI_FUNCTIONS}"
    near = get_close_matches(missing[1].upper(), VERB_NAMES, 1, _LIKE)
    return f"did you mean {near[0]}? {verbs}" if near else verbs


def closed(error: duckdb.ConnectionException) -> ExecutionError:
    """DuckDB's connection was closed by whoever gave it to us."""
    if "closed" not in str(error):
        return ExecutionError(without_excerpt(error))
    return ExecutionError(
        "the DuckDB connection below this one is closed",
        hint="heliumql.connect(..) takes another; what was answered is kept beside a database file",
    )


def without_excerpt(error: duckdb.Error) -> str:
    """The message without the line of SQL that DuckDB shows: it is not the user's text."""
    return str(error).partition("\n\nLINE ")[0]
