"""Types of answers as other dialects write them, and JSON schemas, as types of HQL."""

from __future__ import annotations

import re

import sqlglot.errors
from sqlglot import exp

from heliumql.dialects.calls import Constant
from heliumql.dialects.mistakes import mistake
from heliumql.source import Span

_KINDS = {
    exp.DType.BOOLEAN: "BOOLEAN",
    exp.DType.TINYINT: "BIGINT",
    exp.DType.SMALLINT: "BIGINT",
    exp.DType.INT: "BIGINT",
    exp.DType.BIGINT: "BIGINT",
    exp.DType.FLOAT: "DOUBLE",
    exp.DType.DOUBLE: "DOUBLE",
    exp.DType.TEXT: "VARCHAR",
    exp.DType.VARCHAR: "VARCHAR",
    exp.DType.DATE: "DATE",
    exp.DType.JSON: "JSON",
}
_JSON_KINDS = {"string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}
_IGNORED = {"description", "title", "additionalProperties", "required", "type", "$schema"}


def of_type_text(text: str, dialect: str, place: exp.Expr) -> str:
    """`STRUCT<a: INT>` and the like; raises BindError where HQL has no such type."""
    try:
        found = exp.DataType.build(text, dialect=dialect)
    except (sqlglot.errors.SqlglotError, ValueError):
        raise mistake(f"{text} is not a type", place, None) from None
    return of_type(found, place)


def of_fields(text: str, dialect: str, place: exp.Expr) -> tuple[list[str], str]:
    """`a INT64, b BOOL`: the names of the fields, and the struct."""
    returns = of_type_text(f"STRUCT<{text}>", dialect, place)
    found = exp.DataType.build(f"STRUCT<{text}>", dialect=dialect)
    return [field.name for field in found.expressions], returns


def of_type(node: exp.Expr, place: exp.Expr) -> str:
    """The type of HQL for a parsed type."""
    match node:
        case exp.ColumnDef():
            return f"{_field(node.name)} {of_type(node.args['kind'], place)}"
        case exp.DataType(this=exp.DType.STRUCT | exp.DType.OBJECT) if node.expressions:
            return f"STRUCT({', '.join(of_type(field, place) for field in node.expressions)})"
        case exp.DataType(this=exp.DType.ARRAY | exp.DType.LIST) if len(node.expressions) == 1:
            return of_type(node.expressions[0], place) + "[]"
        case exp.DataType(this=exp.DType.DECIMAL):
            digits = [parameter.name for parameter in node.expressions]
            return f"DECIMAL({', '.join(digits)})" if digits[1:] not in ([], ["0"]) else "BIGINT"
        case exp.DataType(this=kind) if kind in _KINDS:
            return _KINDS[kind]
        case _:
            hint = "types of answers are texts, numbers, BOOLEAN, DATE, structs and lists of them"
            raise mistake(f"the type {node.sql()} cannot be carried over", place, hint)


def of_json_schema(schema: Constant, place: exp.Expr | Span) -> str:
    """A JSON schema as a type; raises BindError where it says more than a type can."""
    if not isinstance(schema, dict):
        raise mistake("a JSON schema is an object", place, None)
    kind = schema.get("type")
    known = _IGNORED | {"object": {"properties"}, "array": {"items"}}.get(str(kind), {"enum"})
    for key in schema:
        if key not in known:
            raise mistake(f"{key} in a JSON schema cannot be carried over", place, None)
    match schema:
        case {"enum": list(values)} if values and all(isinstance(v, str) for v in values):
            return f"ENUM({', '.join(_text(str(value)) for value in values)})"
        case {"type": "object", "properties": dict(fields)} if fields:
            inner = (f"{_field(n)} {of_json_schema(f, place)}" for n, f in fields.items())
            return f"STRUCT({', '.join(inner)})"
        case {"type": "array", "items": items}:
            return of_json_schema(items, place) + "[]"
        case {"type": str(name)} if name in _JSON_KINDS:
            return _JSON_KINDS[name]
        case _:
            raise mistake(f"the type {kind} in a JSON schema cannot be carried over", place, None)


def _field(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
