"""The answer type of a call that names none, where its use leaves no doubt; `desugaring.py` asks.

    LLM_GENERATE(..)::DATE, CAST(LLM_GENERATE(..) AS DATE)         DATE
    LLM_GENERATE(..) > 3, BETWEEN 1 AND 5, 3 < LLM_GENERATE(..)     DOUBLE
    LLM_GENERATE(..) = 3, IN (1, 2)                                 INTEGER
    LLM_GENERATE(..) = TRUE, IS NOT FALSE                           BOOLEAN
    WHERE LLM_GENERATE(..) AND .., CASE WHEN LLM_GENERATE(..) THEN  BOOLEAN
    SELECT NOT LLM_GENERATE(..), LLM_GENERATE(..) OR ..             BOOLEAN

An operator that binds more tightly than the comparison comes between: `LLM_GENERATE(..) + 1 > 3`
says nothing of the call. Parentheses around a call make no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from heliumql.errors import BindError
from heliumql.syntax.tokens import Token
from heliumql.syntax.tree import Call, Element, Group, number_value
from heliumql.types import BOOLEAN, SqlType, parse_type

_DOUBLE = SqlType("DOUBLE")
_EQUAL = {"=", "=="}
_EQUALITIES = {*_EQUAL, "<>", "!="}
_COMPARISONS = {*_EQUALITIES, "<", "<=", ">", ">="}
_CONDITIONS = {"WHERE", "HAVING", "QUALIFY", "ON"}
_OTHER_CLAUSES = {
    "SELECT", "FROM", "GROUP", "ORDER", "LIMIT", "OFFSET", "WINDOW", "UNION", "INTERSECT", "EXCEPT",
    "RETURNING", "SET", "VALUES", "JOIN", "USING",
}  # fmt: skip
_CONNECTIVES = {"AND", "OR", "NOT"}
_BEFORE_CONDITIONS = {*_CONDITIONS, *_CONNECTIVES, "WHEN"}
_BEFORE_EXPRESSIONS = {
    *_BEFORE_CONDITIONS, "SELECT", "DISTINCT", "ALL", "BY", "THEN", "ELSE", "RETURNING",
}  # fmt: skip
# Words that go on with an expression; any other one ends it, or is an alias.
_GOING_ON = {
    "IS", "IN", "NOT", "BETWEEN", "LIKE", "ILIKE", "GLOB", "SIMILAR", "ESCAPE", "ISNULL", "NOTNULL",
    "COLLATE", "AT", "OPERATOR",
}  # fmt: skip
_TRUTHS = {"TRUE", "FALSE"}


def inferred_types(elements: Sequence[Element], text: str) -> dict[int, SqlType]:
    """The types of calls of LLM_GENERATE as values, by where the call begins.

    Calls that are written alike are one expression to SQL: they have a type where they agree.
    """
    by_text: dict[str, dict[int, SqlType | None]] = {}
    for call, found in _Level(elements, text).types():
        by_text.setdefault(text[call.start : call.end], {})[call.start] = found
    return {
        start: found
        for alike in by_text.values()
        if len(set(alike.values())) == 1
        for start, found in alike.items()
        if found is not None and not found.is_text
    }


class _Level:
    """The elements of one level of parentheses."""

    def __init__(
        self, items: Sequence[Element], text: str, *, condition: bool = False, cast: bool = False
    ) -> None:
        """`condition`: the whole is a condition; `cast`: CAST stands before the parentheses."""
        self._items = items
        self._text = text
        self._cast = cast
        self._condition = condition and not any(_is(item, "COMMA") for item in items)

    def types(self) -> Iterator[tuple[Call, SqlType | None]]:
        """The calls in here and inside, with what is known of each."""
        condition = self._condition
        cases: list[tuple[bool, bool]] = []  # of each open CASE: what was before, WHEN is next
        for index, item in enumerate(self._items):
            match item:
                case Token():
                    if self._text_at(index - 1) == ".":
                        continue
                    word = item.word
                    if word == "CASE":
                        cases.append((condition, self._word(index + 1) == "WHEN"))
                        condition = False
                    elif word == "END" and cases:
                        condition, _ = cases.pop()
                    elif word == "WHEN":
                        condition = cases[-1][1] if cases else True  # else it is that of MERGE
                    elif word in ("THEN", "ELSE") or item.type == "COMMA":
                        condition = False
                    elif word in _CONDITIONS:
                        condition = self._word(index - 1) != "DISTINCT"  # ON (..)
                    elif word in _OTHER_CLAUSES and self._word(index - 1) != "DISTINCT":
                        condition = False
                case Group() if (call := self._in_parentheses(index)) is not None:
                    yield call, self._type(index, condition=condition)
                    yield from self.inside(call)
                case Group():
                    inner = _Level(
                        item.items,
                        self._text,
                        condition=item.open.type == "LPAR" and condition and self._alone(index),
                        cast=self._word(index - 1) in ("CAST", "TRY_CAST"),
                    )
                    yield from inner.types()
                case Call():
                    if item.verb.word == "LLM_GENERATE":
                        yield item, self._type(index, condition=condition)
                    yield from self.inside(item)

    def inside(self, call: Call) -> Iterator[tuple[Call, SqlType | None]]:
        """The calls in the arguments of a call."""
        for argument in (*call.arguments, *call.order):
            yield from _Level(argument.items, self._text).types()
        if call.filter is not None:
            yield from _Level(call.filter.items, self._text).types()

    def _in_parentheses(self, index: int) -> Call | None:
        """The LLM_GENERATE that is all there is in the parentheses, which only group it."""
        before = self._items[index - 1] if index else None
        operand = before is None or _is(before, "OPERATOR")
        item: Element = self._items[index]
        while isinstance(item, Group) and item.open.type == "LPAR" and len(item.items) == 1:
            item = item.items[0]
        if not isinstance(item, Call) or item.verb.word != "LLM_GENERATE":
            return None
        return item if operand or self._begins(index) else None

    def _type(self, index: int, *, condition: bool) -> SqlType | None:
        if self._cast and index == 0 and self._word(1) == "AS":
            return self._type_between(2, len(self._items))
        if self._text_at(index + 1) == "::":
            return self._type_between(index + 2, self._type_end(index + 2))
        if self._begins(index):
            compared = self._compared(index + 1)
            if compared is not None:
                return compared
        if self._ends(index + 1):
            compared = self._compared_before(index)
            if compared is not None:
                return compared
        if condition and self._alone(index):
            return BOOLEAN
        return BOOLEAN if self._operand(index) else None

    # what is beside -----------------------------------------------------------------------

    def _alone(self, index: int) -> bool:
        """In a condition: the element is all of it, or an operand of AND, OR, NOT."""
        before = self._word(index - 1)
        starts = index == 0 or (before in _BEFORE_CONDITIONS and not self._in_between(index - 1))
        return starts and self._ends(index + 1)

    def _operand(self, index: int) -> bool:
        """An operand of NOT, AND or OR, whatever that is part of."""
        if not (self._begins(index) and self._ends(index + 1)):
            return False
        return self._word(index - 1) in _CONNECTIVES or self._word(index + 1) in _CONNECTIVES

    def _begins(self, index: int) -> bool:
        """An expression begins here."""
        before = self._items[index - 1] if index else None
        if before is None or _is(before, "COMMA") or _is(before, "ARROW"):
            return True
        word = self._word(index - 1)
        return word in _BEFORE_EXPRESSIONS and not self._in_between(index - 1)

    def _ends(self, index: int) -> bool:
        """What stands before here is not gone on with."""
        if index >= len(self._items):
            return True
        item = self._items[index]
        return _is(item, "COMMA") or (_is(item, "NAME") and self._word(index) not in _GOING_ON)

    def _in_between(self, index: int) -> bool:
        """The word at the index is the AND of BETWEEN .. AND, or may be."""
        if self._word(index) != "AND":
            return False
        for before in range(index - 1, -1, -1):
            word = self._word(before)
            if word in ("BETWEEN", "END"):  # behind a CASE: nobody looks what was before it
                return True
            if word in _BEFORE_EXPRESSIONS and word != "NOT":
                return False
        return False

    # comparisons --------------------------------------------------------------------------

    def _compared(self, index: int) -> SqlType | None:
        """What the call is compared with behind it, from the index on."""
        operator, after = self._operator(index)
        if operator:
            return self._literal_type(after, operator)
        negated = self._word(index) == "NOT"
        word, after = self._word(index + negated), index + negated + 1
        if word == "IS" and not negated:
            after += self._word(after) == "NOT"
            return BOOLEAN if self._word(after) in _TRUTHS and self._ends(after + 1) else None
        if word == "BETWEEN":
            low, middle = self._number(after)
            high, end = self._number(middle + 1)
            both = low is not None and high is not None and self._word(middle) == "AND"
            return _DOUBLE if both and self._ends(end) else None
        if word == "IN" and self._ends(after + 1):
            return self._listed(after)
        return None

    def _compared_before(self, index: int) -> SqlType | None:
        """What the call is compared with in front of it."""
        start = index
        while start and _is(self._items[start - 1], "OPERATOR"):
            start -= 1
        operator, after = self._operator(start)
        if not operator or after != index:
            return None
        first = start - 1
        if first > 0 and self._text_at(first - 1) in ("-", "+"):
            first -= 1
        if first < 0 or not self._begins(first):
            return None
        return self._literal_type(first, operator, end=start)

    def _operator(self, index: int) -> tuple[str, int]:
        """The comparison at the index, '' if there is none, and where it is over."""
        text, after = self._text_at(index), index + 1
        if text in ("<", ">") and self._text_at(after) in (">", "=", "<") and self._touches(after):
            text, after = text + self._text_at(after), after + 1
        further = self._text_at(after)
        if further and _is(self._items[after], "OPERATOR") and further not in ("-", "+"):
            return "", index  # an operator with a longer name
        return (text, after) if text in _COMPARISONS else ("", index)

    def _literal_type(self, index: int, operator: str, end: int | None = None) -> SqlType | None:
        """The type of the literal at the index; it is the whole operand, up to the end."""
        kind = None
        if self._word(index) in _TRUTHS:
            kind, after = BOOLEAN if operator in _EQUALITIES else None, index + 1
        else:
            value, after = self._number(index)
            if value is not None:
                kind = _number_type([value], exact=operator in _EQUAL)
        whole = self._ends(after) if end is None else after == end
        return kind if whole else None

    def _number(self, index: int) -> tuple[int | float | None, int]:
        """The number at the index, a sign before it included, and where it is over."""
        sign = self._text_at(index)
        signed = sign in ("-", "+")
        digits = index + signed
        if digits >= len(self._items) or not _is(self._items[digits], "NUMBER"):
            return None, index
        value = number_value(self._text_at(digits))
        return -value if sign == "-" else value, digits + 1

    def _listed(self, index: int) -> SqlType | None:
        """The type of the numbers in the parentheses at the index."""
        group = self._items[index] if index < len(self._items) else None
        if not isinstance(group, Group) or group.open.type != "LPAR":
            return None
        inside = _Level(group.items, self._text)
        values, position = [], 0
        while True:
            value, position = inside._number(position)
            if value is None:
                return None
            values.append(value)
            if position == len(group.items):
                return _number_type(values, exact=True)
            if not _is(group.items[position], "COMMA"):
                return None
            position += 1

    # casts --------------------------------------------------------------------------------

    def _type_end(self, index: int) -> int:
        """Where the type that begins at the index is over."""
        words = [self._word(i) for i in range(index, index + 4)]
        end = index + 1
        if words[:2] == ["DOUBLE", "PRECISION"]:
            end += 1
        elif words[1:2] in (["WITH"], ["WITHOUT"]) and words[2:] == ["TIME", "ZONE"]:
            end += 3
        for bracket in ("(", "["):
            while self._text_at(end) == bracket:
                end += 1
        return end

    def _type_between(self, start: int, end: int) -> SqlType | None:
        if start >= min(end, len(self._items)):
            return None
        written = self._text[self._items[start].start : self._items[end - 1].end]
        try:
            return parse_type(written)
        except BindError:  # a type of DuckDB that no answer has: the cast is DuckDB's alone
            return None

    # elements -----------------------------------------------------------------------------

    def _word(self, index: int) -> str:
        item = self._items[index] if 0 <= index < len(self._items) else None
        return item.word if isinstance(item, Token) else ""

    def _text_at(self, index: int) -> str:
        """The token's text, or the bracket that a group begins with."""
        item = self._items[index] if 0 <= index < len(self._items) else None
        match item:
            case Token():
                return item.text
            case Group():
                return item.open.text
            case _:
                return ""

    def _touches(self, index: int) -> bool:
        return self._items[index].start == self._items[index - 1].end


def _number_type(values: Sequence[int | float], *, exact: bool) -> SqlType:
    """INTEGER where whole numbers are asked for, as wide as they are."""
    if exact and all(isinstance(value, int) for value in values):
        for name in ("INTEGER", "BIGINT"):
            low, high = SqlType(name).bounds
            if all(low <= value <= high for value in values):
                return SqlType(name)
    return _DOUBLE


def _is(item: Element | None, kind: str) -> bool:
    return isinstance(item, Token) and item.type == kind
