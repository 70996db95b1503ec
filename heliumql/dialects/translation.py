"""Statements of another dialect as HQL; the map of this room. flock/ has its own: no sqlglot.

tokens, split at semicolons -> AI functions masked (heads.py) -> parsed (sqlglot)
-> LLM verbs in place of AI functions (carrying.py; one file of functions a dialect)
-> refused where it is not known to mean the same (allowed.py)
-> what sqlglot would change, put right or refused (rules.py) -> written (writing.py)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot.errors import ParseError as SqlglotParseError
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from heliumql.dialects import bigquery, databricks, flock, snowflake
from heliumql.dialects.allowed import check
from heliumql.dialects.answers import Functions
from heliumql.dialects.carrying import carried
from heliumql.dialects.heads import masked
from heliumql.dialects.rules import Dialect, with_meaning
from heliumql.dialects.writing import written
from heliumql.errors import BindError, HeliumQLError, ParseError
from heliumql.formatting import formatted
from heliumql.source import Source, Span
from heliumql.syntax import LlmSql, Sql, parse

_FUNCTIONS: Mapping[Dialect, Functions] = {
    "snowflake": snowflake.FUNCTIONS,
    "bigquery": bigquery.FUNCTIONS,
    "databricks": databricks.FUNCTIONS,
    "spark": databricks.FUNCTIONS,
    "postgres": {},
}
DIALECTS = (*_FUNCTIONS, "flock")


@dataclass(frozen=True)
class _Part:
    """A statement and where it begins in the text, with the comments before it."""

    text: str
    start: int


def translated(text: str, dialect: str, name: str | None = None) -> str:
    """The statements as HQL that gives the rows that the dialect gives, laid out; of `flock`,
    which is DuckDB's SQL, as they were written.

    HQL's own statements (CREATE MODEL, SET llm_..) stay as they are. Raises ParseError where the
    text is not of the dialect, BindError at what cannot be carried over, both with the place in
    the text, which is the file of that name.
    """
    if dialect not in DIALECTS:
        hint = f"dialects are {', '.join(DIALECTS)}"
        raise BindError(f"there is no dialect {dialect}", hint=hint)
    try:
        if dialect == "flock":
            return flock.translated(text)
        (known,) = (known for known in _FUNCTIONS if known == dialect)
        made = "".join(f"{_one(part, known)};\n\n" for part in _parts(text, known))
    except HeliumQLError as error:
        raise error.with_source(Source(text, name)) from None
    return formatted(made.rstrip())


def _one(part: _Part, dialect: Dialect) -> str:
    try:
        own = _hql(part.text)
        if own is not None:
            return own
        # The comments before a statement stay before it, those inside where sqlglot puts them.
        first = _tokens(part.text, dialect)[0]
        comments = [line.strip() for comment in first.comments for line in comment.splitlines()]
        before = "".join(f"-- {line}\n" for line in comments if line)
        return before + _translated(" " * first.start + part.text[first.start :], dialect)
    except HeliumQLError as error:
        if error.span is not None:
            error.span = error.span.shifted(part.start)
        raise


def _translated(text: str, dialect: Dialect) -> str:
    functions = _FUNCTIONS[dialect]
    hidden = masked(text, _tokens(text, dialect), functions)
    try:
        tree: Any = sqlglot.parse_one(hidden.text, read=dialect)
    except SqlglotParseError as error:
        raise _syntax_error(error, text, dialect) from None
    except SqlglotError as error:
        raise ParseError(f"this is not {dialect}: {error}", span=Span(0, len(text))) from None
    tree = carried(tree, hidden.functions, functions)
    check(tree, dialect, text)
    return written(with_meaning(tree, dialect))


def _hql(text: str) -> str | None:
    """The statement as it is, where only HQL has such a one."""
    head = re.match(r"(?:\s|--.*\n)*(?:CREATE|DROP|SET|RESET|SHOW|DESCRIBE|CLEAR)\b", text, re.I)
    if head is None or not re.search(r"(?i)\b(MODELS?|PROMPTS?|CACHE|llm_\w+)\b", text):
        return None
    try:
        found = parse(text)
    except HeliumQLError:
        return None
    is_own = len(found) == 1 and not isinstance(found[0], Sql | LlmSql)
    return text.strip() if is_own and type(found[0]).__name__ not in ("CreateView",) else None


def _parts(text: str, dialect: Dialect) -> Iterator[_Part]:
    start = 0
    tokens: list[Token] = []
    for token in [*_tokens(text, dialect), None]:
        if token is not None and token.token_type != TokenType.SEMICOLON:
            tokens.append(token)
            continue
        end = token.start if token is not None else len(text)
        if tokens:
            yield _Part(text[start:end], start)
        start, tokens = end + 1, []


def _tokens(text: str, dialect: Dialect) -> Sequence[Token]:
    try:
        return list(sqlglot.tokenize(text, read=dialect))
    except SqlglotError as error:
        raise ParseError(f"this is not {dialect}: {_first_line(error)}") from None


def _syntax_error(error: SqlglotParseError, text: str, dialect: Dialect) -> ParseError:
    """The parser's error, with the place that it names."""
    first = error.errors[0] if error.errors else {}
    said = str(first.get("description") or _first_line(error)).rstrip(".")
    line, column = first.get("line"), first.get("col")
    span = None
    if line and column:
        begin = sum(len(part) for part in text.splitlines(keepends=True)[: line - 1])
        end = min(begin + column, len(text))
        span = Span(max(begin, end - len(first.get("highlight") or "x")), end)
    return ParseError(f"this is not {dialect}: {said}", span=span)


def _first_line(error: Exception) -> str:
    return re.sub(r"\x1b\[\d*m", "", str(error)).partition("\n")[0]
