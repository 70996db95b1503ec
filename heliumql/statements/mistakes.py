"""DuckDB's errors about plain statements, shown where they stand in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from heliumql import frames, syntax
from heliumql.binder.mistakes import hint_for_function, is_users_mistake, without_excerpt
from heliumql.binder.parameters import Parameters
from heliumql.errors import ExecutionError, HeliumQLError
from heliumql.files import hint_for_missing
from heliumql.source import Span
from heliumql.statements.parsed import Parsed


def placed(
    connection: duckdb.DuckDBPyConnection,
    error: duckdb.Error,
    parsed: Parsed,
    parameters: Parameters,
) -> ExecutionError:
    """DuckDB's error about a plain statement, with its place in the text."""
    text, message = parsed.statement.text, str(error)
    before = "" if text[:7].upper() == "EXPLAIN" else "EXPLAIN "
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
    if span is not None and told.startswith("Parser Error: syntax error at or near"):
        end = _end_of_open(text)
        # DuckDB has seen the last word, and not what is missing behind it.
        if end is not None and span.end >= parsed.statement.span.start + end[0]:
            told = f'Parser Error: syntax error at the end: "{end[1]}" is not closed'
            start = parsed.statement.span.start + end[0]
            span = Span(start, start + 1)
    hint = hint_for_function(told)
    if hint is not None:  # DuckDB proposes some function of its own
        told = told.partition("\n")[0]
    error_told = ExecutionError(told, span=span, hint=hint)
    point_at_files(error_told, parsed)
    error_told.with_source(parsed.source)
    return error_told


def point_at_files(error: HeliumQLError, parsed: Parsed) -> None:
    """Where the error is that there are no files of a name: its place, and a name that is near."""
    missing = _NO_FILES.search(error.message)
    if missing is None or error.span is not None:
        return
    error.span = _text_in(parsed, missing[1])
    if "://" not in missing[1] and not re.search(r"[*?\[]", missing[1]):
        error.hint = hint_for_missing(missing[1]) or error.hint


@contextmanager
def told_how_to_give_values() -> Iterator[None]:
    """Errors of a parameter without a value say how Python gives it one."""
    try:
        yield
    except HeliumQLError as error:
        unset = _NOT_GIVEN.search(error.message)
        if unset is not None and error.hint is None:
            by_name = f'params={{"{unset[1]}": VALUE}} gives it one'
            by_place = "params=[VALUE, ..] gives each ? one"
            error.hint = by_place if unset[1].isdecimal() else by_name
        raise


_NO_FILES = re.compile(r'No files found that match the pattern "([^"]+)"')
_NOT_GIVEN = re.compile(r"Values were not provided for the following parameters: (\w+)")


def _text_in(parsed: Parsed, value: str) -> Span | None:
    """Where a text, or a name, of a statement stands that is this one."""
    for token in syntax.tokenize(parsed.statement.text):
        quote = token.text[0]
        if quote in "'\"" and token.text[1:-1].replace(quote * 2, quote) == value:
            return token.span.shifted(parsed.statement.span.start)
    return None


def _end_of_open(text: str) -> tuple[int, str] | None:
    """Where the last word ends, and the innermost parenthesis or bracket that is open there."""
    tokens = [t for t in syntax.tokenize(text) if t.type != "SEMICOLON"]
    opened: list[str] = []
    for token in tokens:
        if token.text in ("(", "[", "{"):
            opened.append(token.text)
        elif token.text in (")", "]", "}") and opened:
            opened.pop()
    return (tokens[-1].span.end, opened[-1]) if opened else None
