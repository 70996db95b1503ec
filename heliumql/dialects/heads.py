"""AI functions in a text of another dialect: found before it is parsed.

Parsers know some of these functions, and each its own. So their names are replaced by names that
mean nothing to a parser and are as long, which keeps every place where it was.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot.tokenizer_core import Token, TokenType

from heliumql.dialects.answers import Functions
from heliumql.dialects.mistakes import mistake
from heliumql.source import Span

_ESCAPES = {
    **{r"\n": "\n", r"\t": "\t", r"\r": "\r", r"\b": "\b", r"\f": "\f"},
    **{"\\\\": "\\", r"\'": "''", "''": "''"},
}


@dataclass(frozen=True)
class Masked:
    """A text in which functions have other names."""

    text: str
    functions: dict[str, str]  # by the name that stands in the text: `SNOWFLAKE.CORTEX.COMPLETE`


def masked(text: str, tokens: Sequence[Token], known: Functions) -> Masked:
    """The text with calls of the functions, given as `AI.GENERATE` in capitals, renamed."""
    characters = list(text)
    functions: dict[str, str] = {}
    for index, token in enumerate(tokens):
        if token.token_type == TokenType.BYTE_STRING and text[token.start] in "eE":
            literal = _unescaped(text[token.start : token.end + 1], token)
            characters[token.start : token.end + 1] = literal.ljust(token.end + 1 - token.start)
            continue
        found = _head(tokens, index, known)
        if found is not None:
            name, last = found
            start, end = token.start, tokens[last].end + 1
            hint = known[name]
            if isinstance(hint, str) and name != "PROMPT":
                raise mistake(f"{name} cannot be carried over", Span(start, end), hint)
            mark = f"q{len(functions):x}".ljust(end - start, "_")
            functions[mark] = name
            characters[start:end] = mark
        elif _is_type_literal(tokens, index):
            # TYPE OBJECT(..) is no expression to the parser; as a string it is.
            close = _closing(tokens, index + 2)
            characters[token.start] = characters[tokens[close].end] = "'"
            for place in range(token.start + 1, tokens[close].end):
                characters[place] = characters[place].replace("'", " ")
    return Masked("".join(characters), functions)


def _unescaped(raw: str, token: Token) -> str:
    r"""E'a\n' of PostgreSQL as a plain literal, which is not longer; sqlglot would mix up its
    escapes."""

    def meant(found: re.Match[str]) -> str:
        text = _ESCAPES.get(found.group())
        if text is None:
            span = Span(token.start + 2 + found.start(), token.start + 2 + found.end())
            raise mistake(f"the escape {found.group()} cannot be carried over", span, None)
        return text

    return "'" + re.sub(r"\\.|''", meant, raw[2:-1], flags=re.DOTALL) + "'"


def _head(tokens: Sequence[Token], index: int, known: Functions) -> tuple[str, int] | None:
    """The function whose name begins at the token, and the token where it ends."""
    if index and tokens[index - 1].token_type == TokenType.DOT:
        return None
    name, last = tokens[index].text.upper(), index
    while (
        last + 2 < len(tokens)
        and tokens[last + 1].token_type == TokenType.DOT
        and tokens[last + 2].token_type != TokenType.STAR
    ):
        last += 2
        name += "." + tokens[last].text.upper()
    is_call = last + 1 < len(tokens) and tokens[last + 1].token_type == TokenType.L_PAREN
    is_quoted = tokens[index].token_type in (TokenType.STRING, TokenType.IDENTIFIER)
    return (name, last) if is_call and not is_quoted and name in known else None


def _is_type_literal(tokens: Sequence[Token], index: int) -> bool:
    words = [token.text.upper() for token in tokens[index : index + 3]]
    return words == ["TYPE", "OBJECT", "("] and tokens[index - 1].text in ("=>", ",")


def _closing(tokens: Sequence[Token], opened: int) -> int:
    depth = 0
    for index in range(opened, len(tokens)):
        if tokens[index].token_type == TokenType.L_PAREN:
            depth += 1
        elif tokens[index].token_type == TokenType.R_PAREN:
            depth -= 1
            if depth == 0:
                return index
    raise mistake(
        "this '(' is never closed", Span(tokens[opened].start, tokens[opened].end + 1), None
    )
