"""The grammar file, loaded: its terminals and its LALR(1) parser.

`tokens.py` takes the terminals, `tree.py` runs the parser.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from lark import Lark
from lark.lexer import PatternStr

from heliumql.resources import resource

# The order in which patterns are tried: a dollar string before a parameter, and so on.
TOKEN_ORDER = (
    "DOLLAR_STRING",
    "ESCAPED_STRING",
    "STRING",
    "QUOTED_NAME",
    "NAME",
    "NUMBER",
    "PARAMETER",
    "ARROW",
    "OPERATOR",
)


@cache
def parser(transformer: Any = None) -> Lark:
    """The parser; the values of a parse are what the transformer makes."""
    return Lark(
        resource("grammar/heliumql.lark").read_text(encoding="utf-8"),
        parser="lalr",
        lexer="basic",
        start=["hql", "soup"],
        maybe_placeholders=True,
        transformer=transformer,
    )


@cache
def terminals() -> dict[str, re.Pattern[str]]:
    """The patterns of the grammar's tokens by name."""
    found = {}
    for terminal in parser().terminals:
        if not isinstance(terminal.pattern, PatternStr):
            found[terminal.name] = re.compile(terminal.pattern.to_regexp())
    return found


@cache
def keywords() -> dict[str, str]:
    """Terminal names by fixed text: keywords in upper case, punctuation."""
    return {
        terminal.pattern.value.upper(): terminal.name
        for terminal in parser().terminals
        if isinstance(terminal.pattern, PatternStr)
    }
