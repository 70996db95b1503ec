"""The grammar file, loaded: its terminals and its LALR(1) parser.

`tokens.py` takes the terminals, `tree.py` runs the parser.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heliumql.resources import resource

if TYPE_CHECKING:
    from lark import Lark

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


def make_parser(transformer: Any) -> Lark:
    """The parser; the values of a parse are what the transformer makes."""
    from lark import Lark

    with _without_collision_check():
        return Lark(
            _text(),
            parser="lalr",
            lexer="basic",
            start=["hql", "soup"],
            maybe_placeholders=True,
            transformer=transformer,
            cache=_tables(),
        )


def _tables() -> str | bool:
    """The file in which Lark keeps the parser's tables, for ten times faster starts.

    It holds a digest of the grammar and of Lark's version; one that does not fit, or cannot be
    read or written, is as none. None also where others could write it: it is a pickle.
    """
    try:
        place = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(place) / "heliumql"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except (OSError, RuntimeError):  # the latter: nobody knows where home is
        return False
    if found.st_uid != os.getuid() or found.st_mode & 0o022:
        return False
    return str(folder / "grammar.bin")


@contextmanager
def _without_collision_check() -> Iterator[None]:
    """Where interegular is installed (vLLM brings it) Lark looks for terminals that collide.

    That takes twice as long as all the rest, and the order of our patterns is our own.
    """
    import lark.lexer

    before = lark.lexer.has_interegular
    lark.lexer.has_interegular = False
    try:
        yield
    finally:
        lark.lexer.has_interegular = before


@cache
def terminals() -> dict[str, re.Pattern[str]]:
    """The patterns of the grammar's tokens by name."""
    # Read from the text: a file without calls is split before, and without, making the parser.
    return {
        found[1]: re.compile(found[2], re.IGNORECASE if found[3] else 0)
        for found in re.finditer(r"^([A-Z_]+): +/(.*)/(i?)$", _text(), re.MULTILINE)
    }


def keywords(parser: Lark) -> dict[str, str]:
    """Terminal names by fixed text: keywords in upper case, punctuation."""
    from lark.lexer import PatternStr

    return {
        terminal.pattern.value.upper(): terminal.name
        for terminal in parser.terminals
        if isinstance(terminal.pattern, PatternStr)
    }


@cache
def _text() -> str:
    return resource("grammar/heliumql.lark").read_text(encoding="utf-8")
