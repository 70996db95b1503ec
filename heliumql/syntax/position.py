"""Where a call stands in SQL: as a value, or where a table may stand.

Follows the clauses of one level of parentheses; `desugaring.py` asks at every call.
"""

from __future__ import annotations

from typing import Literal

from heliumql.syntax.tokens import Token
from heliumql.syntax.tree import Element, Group, starts_query

Level = Literal["query", "tables", "values"]
"""A level of parentheses: a query (or the whole statement), joined tables, or an expression."""

_VALUE_CLAUSES = {
    "SELECT",
    "WHERE",
    "GROUP",
    "HAVING",
    "QUALIFY",
    "WINDOW",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "SET",
    "VALUES",
    "RETURNING",
    "UNION",
    "INTERSECT",
    "EXCEPT",
    "MATCHED",
    "CONFLICT",
}
_SET_WORDS = {"UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT", "OFFSET"}


class Position:
    """The place in a level after the elements taken so far."""

    def __init__(self, level: Level) -> None:
        self.expects_table = level == "tables"
        self.lateral = False  # the word LATERAL was the last one
        self.begins = level == "tables"  # no table stands before: LATERAL is not needed
        self.from_start = 0  # where the FROM clause begins
        self._level = level
        self._in_from = level == "tables"
        self._head = ""
        self._before: Element | None = None
        self._before_that: Element | None = None

    def take(self, element: Element) -> None:
        """Move past the element."""
        if self._level != "values":
            if isinstance(element, Token):
                self._take_token(element)
            else:
                self.expects_table = self.lateral = self.begins = False
        self._before_that, self._before = self._before, element

    def inside(self, group: Group) -> Level:
        """What the parentheses that come next hold."""
        if starts_query(group):
            joined = self.expects_table and isinstance(group.items[0], Group)
            return "tables" if joined and not _is_set_query(group) else "query"
        return "tables" if self.expects_table and group.open.type == "LPAR" else "values"

    def _take_token(self, token: Token) -> None:
        before = _word(self._before)
        word = "" if isinstance(self._before, Token) and self._before.text == "." else token.word
        self._head = self._head or word
        expected, self.expects_table, self.lateral, begins = self.expects_table, False, False, False
        if word == "FROM" and self._level == "query":
            if before != "DISTINCT" or _word(self._before_that) not in ("IS", "NOT"):
                self._in_from = self.expects_table = begins = True
                self.from_start = token.start
        elif word == "JOIN":
            self._in_from = self.expects_table = True
        elif word == "LATERAL":
            self._in_from = self.expects_table = self.lateral = True
        elif word == "USING":
            self._in_from = True
            self.expects_table = begins = self._head in ("DELETE", "MERGE")
        elif word == "VALUES" and expected:
            pass  # FROM VALUES (..): still in FROM
        elif word in _VALUE_CLAUSES and self._level == "query":
            self._in_from = False
        elif token.type == "COMMA":
            self.expects_table = self._in_from
        self.begins = begins


def _word(element: Element | None) -> str:
    return element.word if isinstance(element, Token) else ""


def _is_set_query(group: Group) -> bool:
    """`((SELECT ..) UNION ..)` or `((SELECT ..))`, not `((SELECT ..) AS a JOIN ..)`."""
    return len(group.items) == 1 or any(_word(item) in _SET_WORDS for item in group.items)
