"""current_setting('llm_..') in a statement: our settings, which DuckDB does not know."""

from __future__ import annotations

from collections.abc import Callable

from heliumql.source import Span
from heliumql.syntax.literals import decode
from heliumql.syntax.tokens import tokenize


def with_settings(text: str, constant: Callable[[str, Span], str]) -> str:
    """The text with constants in the place of `current_setting('llm_..')`.

    `constant(name, span)` is the setting as SQL. Blanks keep what stands behind in its place.
    """
    if "current_setting" not in text.lower():
        return text
    tokens = tokenize(text)
    parts, end = list[str](), 0
    for function, opened, name, closed in zip(
        tokens, tokens[1:], tokens[2:], tokens[3:], strict=False
    ):
        if (
            function.word == "CURRENT_SETTING"
            and (opened.type, name.type, closed.type) == ("LPAR", "STRING", "RPAR")
            and decode(name).text.lower().startswith("llm_")
        ):
            found = constant(decode(name).text, name.span)
            parts += [text[end : function.start], found.ljust(closed.end - function.start)]
            end = closed.end
    return "".join([*parts, text[end:]])
