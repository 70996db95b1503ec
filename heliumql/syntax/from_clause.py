"""What stands around a call in FROM: its alias, and a LEFT JOIN that changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from heliumql.syntax.tokens import Token, identifier
from heliumql.syntax.tree import Call, Element, Group

_NO_ALIAS = {
    *("ON", "USING", "JOIN", "LEFT", "RIGHT", "FULL", "INNER", "CROSS", "NATURAL", "ASOF", "SEMI"),
    *("ANTI", "POSITIONAL", "WHERE", "GROUP", "HAVING", "QUALIFY", "WINDOW", "ORDER", "LIMIT"),
    *("OFFSET", "UNION", "INTERSECT", "EXCEPT", "SELECT", "FROM", "SET", "RETURNING", "LATERAL"),
    *("TABLESAMPLE", "WHEN", "WITH", "PIVOT", "UNPIVOT", "FETCH", "VALUES"),
}


def words(elements: Sequence[Element]) -> list[str]:
    """The upper-case words; '' for what is not a word."""
    return [element.word if isinstance(element, Token) else "" for element in elements]


def alias(after: Sequence[Element]) -> str | None:
    """The alias of the call that stands before these elements."""
    return _alias(after)[0]


def left_join_on_true(elements: Sequence[Element], index: int) -> tuple[int, Call] | None:
    """Where JOIN stands, and the call, if at `index` is `LEFT JOIN call ON TRUE`."""
    join = index + (2 if words(elements[index + 1 : index + 2]) == ["OUTER"] else 1)
    if words(elements[join : join + 1]) != ["JOIN"]:
        return None
    at = join + (2 if words(elements[join + 1 : join + 2]) == ["LATERAL"] else 1)
    call = elements[at] if at < len(elements) else None
    if not isinstance(call, Call) or not _on_true(elements[at + 1 :]):
        return None
    return join, call


def _alias(after: Sequence[Element]) -> tuple[str | None, int]:
    """The alias that follows a call in FROM, and how many elements it takes."""
    taken = 1 if words(after[:1]) == ["AS"] else 0
    name = after[taken] if taken < len(after) else None
    if not isinstance(name, Token) or name.type not in ("NAME", "QUOTED_NAME"):
        return None, 0
    if name.word in _NO_ALIAS:
        return None, 0
    columns = after[taken + 1] if taken + 1 < len(after) else None
    return identifier(name), taken + (2 if isinstance(columns, Group) else 1)


def _on_true(after: Sequence[Element]) -> bool:
    """Whether `[alias] ON TRUE` follows, and nothing more of a condition."""
    _, taken = _alias(after)
    if words(after[taken : taken + 2]) != ["ON", "TRUE"]:
        return False
    end = after[taken + 2] if taken + 2 < len(after) else None
    if end is None:
        return True
    return isinstance(end, Token) and (end.type == "COMMA" or end.word in _NO_ALIAS)
