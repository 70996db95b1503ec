"""Types as they are written in HQL."""

from __future__ import annotations

import difflib
import re
from dataclasses import replace
from typing import NamedTuple

from heliumql.errors import BindError
from heliumql.source import Span
from heliumql.types.sql_type import INTEGERS, SqlType

_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\w+|\S")
_SYNONYMS = {
    "TEXT": "VARCHAR", "STRING": "VARCHAR", "CHAR": "VARCHAR", "BPCHAR": "VARCHAR",
    "NVARCHAR": "VARCHAR", "BOOL": "BOOLEAN", "LOGICAL": "BOOLEAN",
    "INT1": "TINYINT", "INT2": "SMALLINT", "INT16": "SMALLINT", "SHORT": "SMALLINT",
    "INT": "INTEGER", "INT4": "INTEGER", "INT32": "INTEGER", "INTEGRAL": "INTEGER",
    "SIGNED": "INTEGER", "INT8": "BIGINT", "INT64": "BIGINT", "LONG": "BIGINT",
    "INT128": "HUGEINT", "UINT8": "UTINYINT", "UINT16": "USMALLINT", "UINT32": "UINTEGER",
    "UINT64": "UBIGINT", "UINT128": "UHUGEINT",
    "FLOAT4": "FLOAT", "REAL": "FLOAT", "FLOAT8": "DOUBLE", "NUMERIC": "DECIMAL", "DEC": "DECIMAL",
    "DATETIME": "TIMESTAMP", "TIMESTAMP_US": "TIMESTAMP", "GUID": "UUID",
}  # fmt: skip
_SCALARS = (
    "VARCHAR", "BOOLEAN", *INTEGERS, "FLOAT", "DOUBLE", "DECIMAL", "DATE", "TIME", "TIMESTAMP",
    "UUID", "JSON",
)  # fmt: skip
_KNOWN = f"types are {', '.join(_SCALARS)}, ENUM(..), STRUCT(..), and T[]"
_IN_PLACE = {
    "UHUGEINT": "HUGEINT or UBIGINT",  # the larger half gets lost on the way through Arrow
    "MAP": "a list of pairs: STRUCT(key VARCHAR, value INTEGER)[]; or JSON",
    "UNION": "a struct of nullable fields: STRUCT(number INTEGER NULL, text VARCHAR NULL); or JSON",
    "TIMESTAMPTZ": "TIMESTAMP, with the time zone said in the prompt",
    "TIMETZ": "TIME, with the time zone said in the prompt",
    "TIMESTAMP_S": "TIMESTAMP", "TIMESTAMP_MS": "TIMESTAMP", "TIMESTAMP_NS": "TIMESTAMP",
    "INTERVAL": "VARCHAR, which DuckDB casts to INTERVAL; or a number of days",
}  # fmt: skip
"""What to ask for instead of types that no answer has."""
_DECIMAL = (18, 3)  # what DuckDB takes a DECIMAL without digits for
_MOST_DIGITS = 38
_MAX_DEPTH = 100  # of lists and structs in each other; what reads a type is recursive


def parse_type(text: str) -> SqlType:
    """The type that the text names, e.g. `STRUCT(score INTEGER, topics VARCHAR[] NULL)`.

    Raises BindError whose span is relative to the text.
    """
    return _Parser(text).whole()


class _Token(NamedTuple):
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """The upper-case word; '' of what is in quotes."""
        return "" if self.text[0] in "'\"" else self.text.upper()


class _Parser:
    """Reads a type from left to right."""

    def __init__(self, text: str) -> None:
        self._tokens = [_Token(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(text)]
        self._end = _Token("\0", len(text), len(text) + 1)
        self._position = 0
        self._depth = 0
        self._text = text

    def whole(self) -> SqlType:
        first = self._next
        result = self._one()
        if self._next is not self._end:
            raise _fail(f"unexpected {self._next.text!r} after the type", self._next)
        if result.nullable:
            raise _fail(
                "an answer as a whole is never null",
                first,
                "a field may be: STRUCT(year INTEGER NULL)",
                until=self._tokens[-1].end,
            )
        return result

    @property
    def _next(self) -> _Token:
        more = self._position < len(self._tokens)
        return self._tokens[self._position] if more else self._end

    def _take(self, expected: str | None = None) -> _Token:
        token = self._next
        if token is self._end:
            raise _fail(f"the type {self._text.strip()!r} ends too early", token)
        if expected is not None and token.text != expected:
            raise _fail(f"expected {expected!r} in the type, found {token.text!r}", token)
        self._position += 1
        return token

    def _words(self, *words: str) -> bool:
        """Takes these words if they come next."""
        after = self._tokens[self._position : self._position + len(words)]
        if [token.word for token in after] != list(words):
            return False
        self._position += len(words)
        return True

    def _one(self) -> SqlType:
        token = self._take()
        depth = self._depth
        match token.word:
            case "ENUM":
                result = self._enum()
            case "STRUCT" | "ROW":
                self._deeper(token)
                result = self._struct()
            case word:
                result = self._scalar(token, word)
        while True:
            if self._next.text == "[":
                self._deeper(self._take())
                if self._next.text.isdigit():
                    hint = f"a list: {result.hql()}[]"
                    raise _fail("a list as an answer has no fixed length", self._next, hint)
                self._take("]")
                result = SqlType("LIST", item=result)
            elif self._words("NOT", "NULL"):
                result = result.required
            elif self._words("NULL"):
                result = replace(result, nullable=True)
            else:
                self._depth = depth
                return result

    def _deeper(self, token: _Token) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _fail("the type is nested too deeply", token)

    def _scalar(self, token: _Token, word: str) -> SqlType:
        if word in ("TIMESTAMP", "TIME"):
            if self._words("WITH", "TIME", "ZONE"):
                word += "TZ"
            self._words("WITHOUT", "TIME", "ZONE")
        if word == "DOUBLE":
            self._words("PRECISION")
        name = _SYNONYMS.get(word, word)
        if name not in _SCALARS:
            raise self._unknown(token, name)
        if name == "DECIMAL":
            return self._decimal()
        if name == "VARCHAR" and self._next.text == "(":  # DuckDB too takes the length for a remark
            while self._take().text != ")":
                pass
        return SqlType(name)

    def _unknown(self, token: _Token, name: str) -> BindError:
        if not token.text[0].isalpha():
            return _fail(f"a type is missing before {token.text!r}", token)
        if name in _IN_PLACE:
            end = self._tokens[self._position - 1].end
            return _fail(f"{name} is no type of an answer", token, _IN_PLACE[name], until=end)
        near = difflib.get_close_matches(name, (*_SCALARS, *_SYNONYMS, "ENUM", "STRUCT"), 1, 0.75)
        hint = f"did you mean {near[0]}?" if near else _KNOWN
        return _fail(f"unknown answer type {token.text}", token, hint)

    def _decimal(self) -> SqlType:
        width, scale = _DECIMAL
        if self._next.text == "(":
            self._take()
            width, scale = self._number(1, _MOST_DIGITS), 0
            if self._next.text == ",":
                self._take()
                scale = self._number(0, width)
            self._take(")")
        return SqlType("DECIMAL", width=width, scale=scale)

    def _number(self, low: int, high: int) -> int:
        token = self._take()
        if not token.text.isdecimal() or not low <= int(token.text) <= high:
            raise _fail(
                f"expected a number from {low} to {high}, found {token.text!r}",
                token,
                "DECIMAL(10, 2) has 10 digits, 2 of them behind the point",
            )
        return int(token.text)

    def _enum(self) -> SqlType:
        values: list[str] = []
        self._take("(")
        while True:
            token = self._take()
            if token.text[0] != "'" or len(token.text) < 2:
                raise _fail(
                    f"expected a value in quotes, found {token.text!r}",
                    token,
                    "ENUM('positive', 'negative')",
                )
            value = token.text[1:-1].replace("''", "'")
            if value in values:
                raise _fail(f"the value {token.text} is there twice", token)
            values.append(value)
            if self._next.text != ",":
                break
            self._take()
        self._take(")")
        return SqlType("ENUM", values=tuple(values))

    def _struct(self) -> SqlType:
        fields: dict[str, tuple[str, SqlType]] = {}
        self._take("(")
        while True:
            token = self._take()
            if token.text[0] == '"' and len(token.text) > 2:
                name = token.text[1:-1].replace('""', '"')
            elif token.text[0].isalpha() or token.text[0] == "_":
                name = token.text
            else:
                raise _fail(
                    f"expected the name of a field, found {token.text!r}",
                    token,
                    "STRUCT(score INTEGER, topics VARCHAR[])",
                )
            if name.lower() in fields:
                raise _fail(f"the field {name} is there twice", token)
            fields[name.lower()] = name, self._one()
            if self._next.text != ",":
                break
            self._take()
        self._take(")")
        return SqlType("STRUCT", fields=tuple(fields.values()))


def _fail(
    message: str, token: _Token, hint: str | None = None, *, until: int | None = None
) -> BindError:
    return BindError(message, span=Span(token.start, until or token.end), hint=hint)
