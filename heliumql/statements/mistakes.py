"""DuckDB's errors about plain statements, shown where they stand in the text."""

from __future__ import annotations

import re

import duckdb

from heliumql import frames, syntax
from heliumql.binder.mistakes import hint_for_function, is_users_mistake, without_excerpt
from heliumql.binder.parameters import Parameters
from heliumql.errors import ExecutionError
from heliumql.source import Span
from heliumql.statements.parsed import Parsed


def placed(
    connection: duckdb.DuckDBPyConnection,
    error: duckdb.Error,
    parsed: Parsed,
    parameters: Parameters,
) -> ExecutionError:
    """DuckDB's error about a plain statement, with its place in the text."""
    text, before, message = parsed.statement.text, "EXPLAIN ", str(error)
    if is_users_mistake(error):
        try:  # a relation's error does not say where; binding once more does
            names = frames.seen(text)
            frames.execute(connection, before + text, parameters, names).fetchall()
        except duckdb.Error as again:
            message = str(again)
    span = None
    offset = syntax.error_offset(message, before + text)
    if offset is not None:
        carets = max(re.findall(r"\^+", message), key=len, default="^")
        start = parsed.statement.span.start + max(0, offset - len(before))
        span = Span(start, start + len(carets))
    told = without_excerpt(error)
    hint = hint_for_function(told)
    if hint is not None:  # DuckDB proposes some function of its own
        told = told.partition("\n")[0]
    return ExecutionError(told, span=span, hint=hint, source=parsed.source)
