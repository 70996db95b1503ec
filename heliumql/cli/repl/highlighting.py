"""Colours of HQL in the shell: words, texts, placeholders of templates, names of models."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.styles import Style

from heliumql.formatting.keywords import KEYWORDS, words
from heliumql.syntax import Token, tokenize

_MORE_KEYWORDS = words(
    """ALTER ATTACH BEGIN BY CALL CHECKPOINT COMMIT DATABASE DEALLOCATE DETACH EXISTS EXPORT FIRST
    IF IMPORT INDEX INSTALL JOIN LAST LOAD MATERIALIZED NATURAL NULLS OUTER OVER PRAGMA RECURSIVE
    REPLACE RETURNS ROLLBACK SAMPLE SEQUENCE SESSION GLOBAL SET USE VACUUM VALUES MODELS PROMPTS"""
)
_EVERY_KEYWORD = KEYWORDS | _MORE_KEYWORDS
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{[^{}\n]*\}?")
_MODEL_BEFORE = re.compile(
    r"(CREATE|DROP|DESCRIBE|DESC|TEMP|TEMPORARY|REPLACE) MODEL( IF (NOT )?EXISTS)?"
)
_DOT_COMMAND = re.compile(r"\s*\.\w*")
_STRINGS = ("STRING", "ESCAPED_STRING", "DOLLAR_STRING")
_TEMPLATE_ARGUMENTS = ("PROMPT", "TEXT", "SYSTEM")
_LONGEST = 200_000  # characters; beyond, a text is shown plain

_COLOURS = {
    # Each is read on a light ground as on a dark one (a test measures that): what a terminal calls
    # blue, yellow or cyan is not.
    "hql.keyword": "bold #2f7bd9",
    "hql.verb": "bold #b652c4",
    "hql.text": "#25883a",
    "hql.placeholder": "bold #c2660a",
    "hql.brace": "#c2660a",
    "hql.number": "#0b8793",
    "hql.model": "#b652c4",
    "hql.parameter": "#0b8793",
    "hql.comment": "italic #7c7c7c",
    "hql.command": "bold #0b8793",
    "hql.open": "#dd4444",
}
_NO_COLOURS = {
    "hql.keyword": "bold",
    "hql.verb": "bold underline",
    "hql.placeholder": "underline",
    "hql.comment": "italic",
    "hql.command": "bold",
}


def style_of(environment: Mapping[str, str]) -> Style:
    """Colours, or where NO_COLOR is set only bold, italic and underlined."""
    return Style.from_dict(_NO_COLOURS if environment.get("NO_COLOR") else _COLOURS)


STYLE = style_of(os.environ)


class HqlLexer(Lexer):
    """Marks the parts of a text; the same text is looked at once."""

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        lines = _lines(document.text)
        return lambda number: list(lines[number]) if number < len(lines) else []


@lru_cache(maxsize=4)
def _lines(text: str) -> tuple[tuple[tuple[str, str], ...], ...]:
    """Each line of the text as pieces with their styles."""
    lines: list[list[tuple[str, str]]] = [[]]
    for style, piece in pieces(text):
        first, *rest = piece.split("\n")
        lines[-1].append((style, first))
        lines += [[(style, line)] for line in rest]
    return tuple(tuple(p for p in line if p[1]) for line in lines)


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """The text in pieces with their styles, in order; joined they are the text."""
    command = _DOT_COMMAND.match(text)
    if command is not None:
        yield "class:hql.command", command.group()
        yield "", text[command.end() :]
        return
    if len(text) > _LONGEST:
        yield "", text
        return
    tokens = tokenize(text)
    position = 0
    for index, token in enumerate(tokens):
        yield from _between(text[position : token.start])
        yield from _piece(tokens, index)
        position = token.end
    yield from _between(text[position:])


def _between(text: str) -> Iterator[tuple[str, str]]:
    """Blanks and comments."""
    if text:
        yield ("" if text.isspace() else "class:hql.comment"), text


def _piece(tokens: Sequence[Token], index: int) -> Iterator[tuple[str, str]]:
    token = tokens[index]
    match token.type:
        case "VERB":
            yield "class:hql.verb", token.text
        case "NAME" | "QUOTED_NAME" if index and _names_a_model(tokens, index):
            yield "class:hql.model", token.text
        case "NAME" if _is_keyword(tokens, index):
            yield "class:hql.keyword", token.text
        case "NUMBER":
            yield "class:hql.number", token.text
        case "PARAMETER":
            yield "class:hql.parameter", token.text
        case "STRING" | "ESCAPED_STRING" | "DOLLAR_STRING":
            yield from _string(tokens, index)
        case "ERROR":
            if token.text.startswith("/*"):
                yield "class:hql.comment", token.text
            elif token.text.startswith("'") and _is_template(tokens, index):
                yield from _template(token.text)
            else:
                yield "class:hql.text" if token.text[0] == "'" else "class:hql.open", token.text
        case _:
            yield "", token.text


def _string(tokens: Sequence[Token], index: int) -> Iterator[tuple[str, str]]:
    before = tokens[index - 1] if index else None
    argument = tokens[index - 2] if index > 1 else None
    if before is not None and argument is not None:
        is_value = before.type == "ARROW" and argument.word == "MODEL"
        is_default = before.text == "=" and argument.word == "LLM_DEFAULT_MODEL"
        if is_value or is_default:
            yield "class:hql.model", tokens[index].text
            return
    if _is_template(tokens, index):
        yield from _template(tokens[index].text)
    else:
        yield "class:hql.text", tokens[index].text


def _template(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    for found in _PLACEHOLDER.finditer(text):
        if found.start() > position:
            yield "class:hql.text", text[position : found.start()]
        escaped = found.group() in ("{{", "}}")
        yield "class:hql.brace" if escaped else "class:hql.placeholder", found.group()
        position = found.end()
    if position < len(text):
        yield "class:hql.text", text[position:]


def _is_template(tokens: Sequence[Token], index: int) -> bool:
    """A string whose braces are placeholders: the first of a verb, a named one, a prompt's body."""
    if index == 0:
        return False
    before = tokens[index - 1]
    if before.type == "ARROW":
        return index > 1 and tokens[index - 2].word in _TEMPLATE_ARGUMENTS
    if before.type == "LPAR":
        return index > 1 and tokens[index - 2].type == "VERB"
    if before.text == "=":
        return index > 1 and tokens[index - 2].word == "SYSTEM"
    return before.word == "AS" and _makes_a_prompt(tokens, index)


def _makes_a_prompt(tokens: Sequence[Token], index: int) -> bool:
    for token in reversed(tokens[:index]):
        if token.type == "SEMICOLON":
            return False
        if token.word == "PROMPT":
            return True
    return False


def _names_a_model(tokens: Sequence[Token], index: int) -> bool:
    before = [t.text.upper() for t in tokens[max(0, index - 5) : index]]
    if "MODEL" not in before:
        return False
    at = len(before) - 1 - before[::-1].index("MODEL")
    phrase = " ".join(before[max(0, at - 1) :])
    is_name = tokens[index].word not in ("IF", "NOT", "EXISTS")
    return is_name and _MODEL_BEFORE.fullmatch(phrase) is not None


def _is_keyword(tokens: Sequence[Token], index: int) -> bool:
    if tokens[index].text.upper() not in _EVERY_KEYWORD:
        return False
    if index and tokens[index - 1].text == ".":
        return False
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    # model => 'm', left(x): what stands before an arrow names an argument, not a clause
    return following is None or following.type != "ARROW"
