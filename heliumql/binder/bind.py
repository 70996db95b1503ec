"""Binding: DuckDB resolves names, stars, views, macros and subqueries; we read the tree it gives.

`EXPLAIN (SQL)` of DuckDB 2.0 prints the bound and optimized query as plain SQL, with predicates
and projections pushed below the calls and unused calls pruned; `json_serialize_sql` turns it into
a tree. The stand-in for calls raises when it is evaluated, so that nothing can fold it away.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from heliumql.binder.cuts import LLM, LLM_INFO, Unsupported
from heliumql.binder.tree import Node, walk
from heliumql.errors import BindError, HeliumQLError
from heliumql.source import Span
from heliumql.syntax import VERB_NAMES, Core, error_offset

Parameters = Mapping[str, Any] | list[Any] | tuple[Any, ...] | None

# Errors of these kinds are the user's; others mean that DuckDB cannot print this plan as SQL.
_USERS_OWN = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)
_BEFORE = "EXPLAIN (SQL) "

# Positions in DuckDB's own text: a third of the tree, and of no use to us. Inside a JSON string
# the quotes would be escaped.
_POSITION = re.compile(r'(?<!\\)"query_location(?:_length)?":\d+,')


@dataclass(frozen=True)
class Bound:
    """A query as DuckDB bound it."""

    text: str
    tree: Node  # the query node
    names: tuple[str, ...]
    types: tuple[str, ...]  # as DuckDB writes them

    @property
    def sites(self) -> frozenset[int]:
        """The call sites that are left."""
        found = set()
        for node in walk(self.tree):
            if node.get("class") == "FUNCTION" and node["function_name"] in (LLM, LLM_INFO):
                site = node["arguments"][0]["expression"]
                while site.get("class") == "CAST":
                    site = site["child"]
                found.add(int(site["literal"]["text"]))
        return frozenset(found)


def bind(connection: duckdb.DuckDBPyConnection, core: Core, parameters: Parameters) -> Bound:
    """Binds core SQL of a query on the user's connection.

    Raises BindError for the user's mistakes and Unsupported where DuckDB cannot give the tree.
    """
    text = _bound_text(connection, core, parameters)
    serialized = connection.execute("SELECT json_serialize_sql(?)", [text]).fetchall()[0][0]
    document = json.loads(_POSITION.sub("", serialized))
    if document.get("error"):
        raise Unsupported(str(document.get("error_message")))
    names, types = _described(connection, text)
    return Bound(text, document["statements"][0]["node"], names, types)


def still_binds(
    bound: Bound, connection: duckdb.DuckDBPyConnection, core: Core, parameters: Parameters
) -> bool:
    """Binding now would give the same. A bound query reads tables by the places of columns."""
    return (
        _bound_text(connection, core, parameters) == bound.text
        and _described(connection, bound.text) == (bound.names, bound.types)
    )  # fmt: skip


def _bound_text(connection: duckdb.DuckDBPyConnection, core: Core, parameters: Parameters) -> str:
    try:
        return str(connection.execute(_BEFORE + core.text, parameters).fetchall()[0][1])
    except _USERS_OWN as error:
        raise bind_error(error, core, _BEFORE) from None
    except duckdb.Error as error:
        raise Unsupported(f"a statement that DuckDB does not print: {_first_line(error)}") from None


def _described(
    connection: duckdb.DuckDBPyConnection, text: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and types of the columns."""
    rows = connection.execute("DESCRIBE " + text).fetchall()
    return tuple(row[0] for row in rows), tuple(row[1] for row in rows)


def is_users_mistake(error: duckdb.Error) -> bool:
    """The statement names something that is not there, or is not SQL."""
    return isinstance(error, _USERS_OWN)


def printed(connection: duckdb.DuckDBPyConnection, node: Node) -> str:
    """A query node as SQL."""
    document = {"error": False, "statements": [{"node": node, "named_param_map": []}]}
    row = connection.execute(
        "SELECT json_deserialize_sql(?::JSON)", [json.dumps(document)]
    ).fetchall()[0]
    return str(row[0])


def estimated_rows(connection: duckdb.DuckDBPyConnection, query: Node) -> float | None:
    """How many rows DuckDB expects of a query by itself; None where it cannot say."""
    if any(n["type"] == "BASE_TABLE" and not n["schema_name"] for n in walk(query)):
        return None  # it reads a CTE of the query around it
    try:
        text = "EXPLAIN (FORMAT json) " + printed(connection, query)
        plan = json.loads(connection.execute(text).fetchall()[0][1])
    except duckdb.Error:
        return None  # a part that DuckDB takes only where it stands
    while True:
        operator = plan[0] if isinstance(plan, list) else plan
        found = operator.get("extra_info", {}).get("Estimated Cardinality")
        if found is not None:
            return float(str(found).replace(",", "").strip("~ "))
        plan = operator.get("children") or []
        if not plan:
            return None


def column_types(connection: duckdb.DuckDBPyConnection, query: Node) -> list[str] | None:
    """The types of the columns of a query; None where DuckDB does not take it by itself."""
    try:
        rows = connection.execute("DESCRIBE " + printed(connection, query)).fetchall()
    except duckdb.Error:
        return None
    return [str(row[1]) for row in rows]


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
        hint=" ".join(lines[1:]) or None,
    )


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


_LONG = 300  # letters of a list of candidates; one for + or = has thousands
_TYPES = (
    "cast what is of another type; LLM_GENERATE gives VARCHAR unless returns => 'INTEGER' "
    "or the like says otherwise"
)
_VERBS = "LLM functions are " + ", ".join(VERB_NAMES)
_AI_FUNCTIONS = "AI functions of other SQL are brought over by --dialect snowflake, bigquery .."


def hint_for_function(message: str) -> str | None:
    """What there is instead, where DuckDB says that there is no function of a name like ours."""
    missing = re.search(r"Function with name (llm|ai)_\w+ does not exist", message, re.IGNORECASE)
    if missing is None:
        return None
    return _VERBS if missing[1].lower() == "llm" else f"{_VERBS}; {_AI_FUNCTIONS}"


def without_excerpt(error: duckdb.Error) -> str:
    """The message without the line of SQL that DuckDB shows: it is not the user's text."""
    return str(error).partition("\n\nLINE ")[0]


def _first_line(error: duckdb.Error) -> str:
    return str(error).split("\n")[0]
