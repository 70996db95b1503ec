"""Types as they are written in HQL."""

from __future__ import annotations

import re

from heliumql.errors import BindError
from heliumql.source import Span
from heliumql.types.sql_type import SqlType

_SYNONYMS = {
    "TEXT": "VARCHAR", "STRING": "VARCHAR", "CHAR": "VARCHAR", "BPCHAR": "VARCHAR",
    "BOOL": "BOOLEAN", "LOGICAL": "BOOLEAN",
    "INT": "INTEGER", "INT4": "INTEGER", "SIGNED": "INTEGER",
    "INT8": "BIGINT", "LONG": "BIGINT", "INT2": "SMALLINT", "SHORT": "SMALLINT", "INT1": "TINYINT",
    "FLOAT8": "DOUBLE", "DOUBLE PRECISION": "DOUBLE", "FLOAT": "DOUBLE", "REAL": "DOUBLE",
}  # fmt: skip
_SCALARS = {"VARCHAR", "BOOLEAN", "DOUBLE", "JSON", "TINYINT", "SMALLINT", "INTEGER", "BIGINT"}


def parse_type(text: str) -> SqlType:
    """The type that the text names, e.g. `STRUCT(score INTEGER, topics VARCHAR[])`.

    Raises BindError whose span is relative to the text.
    """
    tokens = [
        (m.group(), m.start())
        for m in re.finditer(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\w+|\S", text)
    ]
    position = 0

    def fail(message: str, hint: str | None = None) -> BindError:
        start = tokens[position][1] if position < len(tokens) else len(text)
        end = start + len(tokens[position][0]) if position < len(tokens) else start + 1
        return BindError(message, span=Span(start, end), hint=hint)

    def take(expected: str | None = None) -> str:
        nonlocal position
        if position >= len(tokens):
            raise fail(f"the type {text.strip()!r} ends too early")
        token = tokens[position][0]
        if expected is not None and token != expected:
            raise fail(f"expected {expected!r} in the type, found {token!r}")
        position += 1
        return token

    def peek() -> str:
        return tokens[position][0] if position < len(tokens) else ""

    def one() -> SqlType:
        nonlocal position
        start = position
        word = take().upper()
        if word == "DOUBLE" and peek().upper() == "PRECISION":
            take()
        if word == "ENUM":
            take("(")
            values = [_unquoted(take())]
            while peek() == ",":
                take()
                values.append(_unquoted(take()))
            take(")")
            result = SqlType("ENUM", values=tuple(values))
        elif word in ("STRUCT", "ROW"):
            take("(")
            fields = [pair()]
            while peek() == ",":
                take()
                fields.append(pair())
            take(")")
            result = SqlType("STRUCT", fields=tuple(fields))
        else:
            name = _SYNONYMS.get(word, word)
            if name not in _SCALARS:
                position = start
                if not word[0].isalpha():
                    raise fail(f"a type is missing before {word!r}")
                raise fail(
                    f"unknown answer type {tokens[start][0]}",
                    "types are " + ", ".join(sorted(_SCALARS)) + ", ENUM(..), STRUCT(..), and T[]",
                )
            if name == "VARCHAR" and peek() == "(":
                while take() != ")":
                    pass
            result = SqlType(name)
        while peek() == "[":
            take()
            take("]")
            result = SqlType("LIST", item=result)
        return result

    def pair() -> tuple[str, SqlType]:
        name = _unquoted(take())
        return name, one()

    result = one()
    if position < len(tokens):
        raise fail(f"unexpected {tokens[position][0]!r} after the type")
    return result


def _unquoted(token: str) -> str:
    if token[:1] == "'":
        return token[1:-1].replace("''", "'")
    if token[:1] == '"':
        return token[1:-1].replace('""', '"')
    return token
