"""Answer types: the SQL type of an LLM call, its JSON schema, and the check of an answer.

Used by the parser (`RETURNS`, `returns =>`), the engines (constrained decoding) and the
dispatcher (every answer is checked again on arrival).
"""

from __future__ import annotations

import json
import math
import re
import sys
from dataclasses import dataclass, field
from typing import Any

from heliumql.errors import BindError

_INTEGERS = {
    "TINYINT": 8,
    "SMALLINT": 16,
    "INTEGER": 32,
    "BIGINT": 64,
}
_SYNONYMS = {
    "TEXT": "VARCHAR", "STRING": "VARCHAR", "CHAR": "VARCHAR", "BPCHAR": "VARCHAR",
    "BOOL": "BOOLEAN", "LOGICAL": "BOOLEAN",
    "INT": "INTEGER", "INT4": "INTEGER", "SIGNED": "INTEGER",
    "INT8": "BIGINT", "LONG": "BIGINT", "INT2": "SMALLINT", "SHORT": "SMALLINT", "INT1": "TINYINT",
    "FLOAT8": "DOUBLE", "DOUBLE PRECISION": "DOUBLE", "FLOAT": "DOUBLE", "REAL": "DOUBLE",
}  # fmt: skip
_SCALARS = {"VARCHAR", "BOOLEAN", "DOUBLE", "JSON", *_INTEGERS}


@dataclass(frozen=True)
class SqlType:
    """The type of an answer: a scalar, an ENUM, a list, or a struct of them."""

    name: str  # VARCHAR, BOOLEAN, INTEGER .., DOUBLE, JSON, ENUM, LIST, STRUCT
    values: tuple[str, ...] = ()  # ENUM
    item: SqlType | None = None  # LIST
    fields: tuple[tuple[str, SqlType], ...] = field(default=())  # STRUCT

    @property
    def is_text(self) -> bool:
        """Free text: the answer is taken as it is."""
        return self.name == "VARCHAR"

    @property
    def is_nested(self) -> bool:
        """The answer is a JSON document rather than a bare value."""
        return self.name in ("LIST", "STRUCT", "JSON")

    def sql(self) -> str:
        """The type as DuckDB writes it."""
        match self.name:
            case "ENUM":
                return "ENUM(" + ", ".join(_quoted(v) for v in self.values) + ")"
            case "LIST":
                assert self.item is not None
                return self.item.sql() + "[]"
            case "STRUCT":
                return "STRUCT(" + ", ".join(f'"{_dq(n)}" {t.sql()}' for n, t in self.fields) + ")"
            case name:
                return name

    def choices(self) -> tuple[str, ...] | None:
        """All possible answers where they are few (ENUM, BOOLEAN), else None."""
        match self.name:
            case "ENUM":
                return self.values
            case "BOOLEAN":
                return ("true", "false")
            case _:
                return None

    def json_schema(self) -> dict[str, Any]:
        """JSON schema of the value (for a bare scalar too)."""
        match self.name:
            case "VARCHAR":
                return {"type": "string"}
            case "BOOLEAN":
                return {"type": "boolean"}
            case "DOUBLE":
                return {"type": "number"}
            case "ENUM":
                return {"type": "string", "enum": list(self.values)}
            case "LIST":
                assert self.item is not None
                return {"type": "array", "items": self.item.json_schema()}
            case "STRUCT":
                return {
                    "type": "object",
                    "properties": {n: t.json_schema() for n, t in self.fields},
                    "required": [n for n, _ in self.fields],
                    "additionalProperties": False,
                }
            case "JSON":
                return {}
            case _:
                return {"type": "integer"}

    def hint(self) -> str:
        """The sentence that ends a prompt so that a model knows the form asked for; '' for text."""
        match self.name:
            case "VARCHAR":
                return ""
            case "ENUM":
                return "Answer with one of: " + ", ".join(self.values) + "."
            case "BOOLEAN":
                return "Answer true or false."
            case "DOUBLE":
                return "Answer with a number."
            case "JSON":
                return "Answer with JSON."
            case "LIST":
                return f"Answer with a JSON array: {self._shape()}."
            case "STRUCT":
                return f"Answer with a JSON object: {self._shape()}."
            case _:
                return "Answer with an integer."

    def _shape(self) -> str:
        match self.name:
            case "VARCHAR":
                return "string"
            case "BOOLEAN":
                return "true | false"
            case "DOUBLE":
                return "number"
            case "ENUM":
                return " | ".join(json.dumps(v, ensure_ascii=False) for v in self.values)
            case "LIST":
                assert self.item is not None
                return f"[{self.item._shape()}, ...]"
            case "STRUCT":
                inner = ", ".join(
                    f"{json.dumps(n, ensure_ascii=False)}: {t._shape()}" for n, t in self.fields
                )
                return "{" + inner + "}"
            case "JSON":
                return "any JSON"
            case _:
                return "integer"

    def accept(self, text: str) -> str:
        """The answer in canonical form: as DuckDB prints the scalar, or compact JSON.

        Raises ValueError that says why where the answer does not fit the type.
        """
        if self.name == "VARCHAR":
            return text
        stripped = text.strip()
        if self.name == "ENUM":
            value: object = stripped
            if stripped not in self.values and stripped[:1] == '"':
                value = _loads(stripped)
            return str(self._checked(value))
        if self.name == "BOOLEAN" and stripped.lower() in ("true", "false"):
            return stripped.lower()
        value = self._checked(_loads(stripped))
        if value is None and self.name != "JSON":
            raise ValueError(f"null is not {self.sql()}")
        if self.is_nested:
            return _encodable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
        return str(value).lower() if isinstance(value, bool) else repr(value)

    def _checked(self, value: object) -> object:
        if value is None:
            return None
        match self.name:
            case "VARCHAR" if isinstance(value, str):
                return value
            case "BOOLEAN" if isinstance(value, bool):
                return value
            case "DOUBLE" if isinstance(value, int | float) and not isinstance(value, bool):
                if abs(value) <= sys.float_info.max:
                    return float(value)
            case "ENUM" if isinstance(value, str):
                if value in self.values:
                    return value
            case "JSON":
                return value
            case "LIST" if isinstance(value, list):
                assert self.item is not None
                return [self.item._checked(v) for v in value]
            case "STRUCT" if isinstance(value, dict):
                missing = [n for n, _ in self.fields if n not in value]
                if missing:
                    raise ValueError(f"field {missing[0]!r} is missing")
                return {n: t._checked(value[n]) for n, t in self.fields}
            case name if name in _INTEGERS and isinstance(value, int | float):
                # abs(..) is compared first: floats cannot hold what a model may write
                if not isinstance(value, bool) and abs(value) < 1 << 64 and value == int(value):
                    bound = 1 << (_INTEGERS[name] - 1)
                    if -bound <= int(value) < bound:
                        return int(value)
        shown = json.dumps(value, ensure_ascii=False)
        raise ValueError(f"{_encodable(shown[:60])} is not {self.sql()}")


TEXT = SqlType("VARCHAR")
BOOLEAN = SqlType("BOOLEAN")


def parse_type(text: str) -> SqlType:
    """The type that the text names, e.g. `STRUCT(score INTEGER, topics VARCHAR[])`.

    Raises BindError whose span is relative to the text.
    """
    from heliumql.source import Span

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


def _loads(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:  # models at a loss write one bracket after another
        raise ValueError(f"{text[:60]!r} .. is nested too deeply") from None
    except ValueError as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise ValueError(f"{text[:60]!r} is not JSON ({reason})") from None


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is not a number of JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits} is too large")
    return number


def _encodable(text: str) -> str:
    """The text without halves of surrogate pairs, which JSON may hold but UTF-8 may not."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _dq(name: str) -> str:
    return name.replace('"', '""')


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _unquoted(token: str) -> str:
    if token[:1] == "'":
        return token[1:-1].replace("''", "'")
    if token[:1] == '"':
        return token[1:-1].replace('""', '"')
    return token
