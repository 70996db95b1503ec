"""What kind of statement an SQL text is, and the query inside it; the session calls `shell`.

The query can be run by itself and the statement around it filled with its result:
`before + 'SELECT * FROM result' + after`.
"""

from __future__ import annotations

from collections.abc import Sequence

from heliumql.source import Span
from heliumql.syntax.core import Shell
from heliumql.syntax.tokens import QUERY_STARTS, Token, tokenize

_QUERY = QUERY_STARTS - {"DESCRIBE", "SUMMARIZE", "SHOW"}  # has rows of its own
_MAIN = {"SELECT", "FROM", "VALUES", "TABLE", "PIVOT", "INSERT", "UPDATE", "DELETE", "MERGE"}


def shell(text: str) -> Shell:
    """The kind of the statement and, of CREATE TABLE AS, INSERT and COPY, the inner query."""
    tokens = _outermost(tokenize(text))
    if not tokens:
        return Shell("other")
    main = _main(tokens)
    match tokens[main].word:
        case "INSERT":
            return _insert(text, tokens, main)
        case "UPDATE":
            return Shell("update")
        case "DELETE":
            return Shell("delete")
        case "MERGE":
            return Shell("merge")
        case "COPY":
            return _copy(text, tokens)
        case "CREATE":
            return _create(text, tokens)
        case word if word in _QUERY or tokens[main].type == "LPAR":
            span = Span(tokens[0].start, tokens[-1].end)
            return Shell("select", span, text[span.start : span.end])
        case _:
            return Shell("other")


def _outermost(tokens: Sequence[Token]) -> list[Token]:
    """The tokens outside of all brackets, and each outermost pair of brackets as one token."""
    result: list[Token] = []
    depth = 0
    for token in tokens:
        if token.type in ("LPAR", "LSQB", "LBRACE"):
            depth += 1
            if depth == 1:
                result.append(token)
        elif token.type in ("RPAR", "RSQB", "RBRACE") and depth:
            depth -= 1
            result[-1] = result[-1]._replace(end=token.end)
        elif depth == 0 and token.type != "SEMICOLON":
            result.append(token)
    if depth:  # never closed: DuckDB will say so
        result[-1] = result[-1]._replace(end=tokens[-1].end)
    return result


def _main(tokens: Sequence[Token]) -> int:
    """The index of the word that says what the statement does: behind the WITH clause, if any."""
    if tokens[0].word != "WITH":
        return 0
    return next((i for i, token in enumerate(tokens) if token.word in _MAIN), 0)


def _insert(text: str, tokens: Sequence[Token], main: int) -> Shell:
    start = next((i for i, t in enumerate(tokens) if i > main and t.word == "INTO"), main) + 2
    while start < len(tokens) and not _begins_query(text, tokens, start):
        start += 1
    if start >= len(tokens) or tokens[start - 1].word == "DEFAULT":
        return Shell("insert")
    end = start
    while end < len(tokens) and not _ends_insert(tokens, end):
        end += 1
    span = Span(tokens[start].start, tokens[end - 1].end)
    query = text[span.start : span.end]
    if tokens[start].word == "VALUES" and any(t.word == "DEFAULT" for t in tokenize(query)):
        return Shell("insert")  # VALUES (DEFAULT) is no query
    before, after = text[tokens[main].start : span.start], text[span.end :]
    if main:
        # WITH .. INSERT: the clause goes with the query; blanks keep every position.
        into = " " * (span.start - tokens[main].start)
        span = Span(tokens[0].start, span.end)
        query = text[span.start : tokens[main].start] + into + query
    return Shell("insert", span, query, before, after)


def _begins_query(text: str, tokens: Sequence[Token], index: int) -> bool:
    token = tokens[index]
    if token.type != "LPAR":
        return token.word in _QUERY
    inside = tokenize(text, token.start + 1, token.end)
    first = next((t for t in inside if t.type != "LPAR"), None)
    return first is not None and first.word in _QUERY


def _ends_insert(tokens: Sequence[Token], index: int) -> bool:
    word = tokens[index].word
    after = tokens[index + 1].word if index + 1 < len(tokens) else ""
    return word == "RETURNING" or (word == "ON" and after == "CONFLICT")


def _copy(text: str, tokens: Sequence[Token]) -> Shell:
    if len(tokens) < 3 or tokens[1].type != "LPAR" or tokens[2].word != "TO":
        return Shell("other")
    span = Span(tokens[1].start + 1, tokens[1].end - 1)
    query = text[span.start : span.end]
    return Shell("copy_to", span, query, text[: span.start], text[span.end :])


def _create(text: str, tokens: Sequence[Token]) -> Shell:
    if not any(token.word == "TABLE" for token in tokens[1:5]):
        return Shell("other")
    at = next((i for i, token in enumerate(tokens) if token.word == "AS"), len(tokens))
    if at + 1 >= len(tokens):
        return Shell("other")
    end = len(tokens)
    words = [token.word for token in tokens]
    for tail in (["WITH", "DATA"], ["WITH", "NO", "DATA"]):
        if words[-len(tail) :] == tail:
            end -= len(tail)
    span = Span(tokens[at + 1].start, tokens[end - 1].end)
    query = text[span.start : span.end]
    return Shell("create_table_as", span, query, text[: span.start], text[span.end :])
