"""A typed answer has the type and the value that DuckDB's own cast gives."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import duckdb
import pytest
from scripted_connection import Made

TYPES = {
    "VARCHAR": "some text",
    "BOOLEAN": "true",
    "TINYINT": "7",
    "INTEGER": "42",
    "BIGINT": "123456789012",
    "HUGEINT": "-170141183460469231731687303715884105728",
    "UTINYINT": "255",
    "UBIGINT": "18446744073709551615",
    "FLOAT": "0.1",
    "DOUBLE": "2.5",
    "DECIMAL(9,2)": "1234567.125",
    "DECIMAL(2,2)": "-0.5",
    "DATE": "2024-02-29",
    "TIME": "10:11:12.5",
    "TIMESTAMP": "2024-02-29T10:11:12",
    "UUID": "C6A1E3F0-1111-2222-3333-444455556666",
    "ENUM('lo', 'hi')": "hi",
    "VARCHAR[]": '["a", "b\\"c", ""]',
    "INTEGER[]": "[1, 2, 3]",
    "BOOLEAN[]": "[true, false]",
    "ENUM('lo', 'hi')[]": '["hi", "lo"]',
    "STRUCT(a VARCHAR, b INTEGER)": '{"a": "x", "b": 1}',
    "STRUCT(a VARCHAR[], b STRUCT(c DOUBLE, d ENUM('x', 'y')))":
        '{"a": ["1", "null"], "b": {"c": 1.5, "d": "y"}}',
    "STRUCT(a INTEGER NULL, b BOOLEAN)[]": '[{"a": 1, "b": true}, {"a": null, "b": false}]',
    "STRUCT(a DATE NULL[], b STRUCT(p DECIMAL(5,1), u UUID NULL) NULL)":
        '{"a": ["2024-02-29", null], "b": {"p": 12.25, "u": null}}',
    "JSON": '{"k": [1, null, "x"]}',
}  # fmt: skip
NESTED = ("STRUCT", "JSON")


def of_duckdb(kind: str) -> str:
    """The type as DuckDB knows it, where nothing says what may be null."""
    return kind.replace(" NULL", "")


def cast(kind: str, text: str) -> str:
    """The answer as DuckDB reads it."""
    literal = "'" + text.replace("'", "''") + "'"
    if kind.endswith("[]") or kind.startswith(NESTED):
        compact = json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
        literal = "CAST('" + compact.replace("'", "''") + "' AS JSON)"
    return f"CAST({literal} AS {of_duckdb(kind)})"


@pytest.mark.parametrize("mode", ["on", "off"])
@pytest.mark.parametrize("kind", TYPES)
def test_the_column_is_of_the_type_that_was_asked_for(kind: str, mode: str, scripted: Made) -> None:
    text = TYPES[kind]
    one = scripted(lambda messages, spec: text)
    one.con.set("llm_optimizer", mode)
    quoted = kind.replace("'", "''")
    call = f"LLM_GENERATE('x {{i}}', returns => '{quoted}')"
    with duckdb.connect() as plain:
        expected = plain.sql(f"SELECT {cast(kind, text)} AS v, NULL::{of_duckdb(kind)} AS w")
        table = one.con.sql(f"SELECT {call} AS v FROM range(2) r(i)").arrow()
        assert table.schema.field("v").type == expected.to_arrow_table().schema.field("v").type
        relation = one.con.sql(f"SELECT {call} AS v FROM range(2) r(i)")
        assert relation.schema == table.schema
        assert relation.fetchall() == [(expected.fetchall()[0][0],)] * 2
        one.con.execute(f"CREATE TABLE made AS SELECT {call} AS v FROM range(2) r(i)")
        [(name, declared, *_)] = one.con.sql("DESCRIBE made").fetchall()
        assert (name, declared) == ("v", str(expected.types[0]))
        same = one.con.sql(f"SELECT v IS NOT DISTINCT FROM {cast(kind, text)} FROM made")
        assert same.fetchall() == [(True,)] * 2


@pytest.mark.parametrize("kind", TYPES)
def test_an_answer_in_a_template_is_its_cast_to_varchar(kind: str, scripted: Made) -> None:
    text = TYPES[kind]
    one = scripted(lambda messages, spec: text if len(messages[-1][1]) < 900 else "")
    quoted = kind.replace("'", "''")
    one.con.sql(
        "SELECT LLM_GENERATE('then {v}') FROM "
        f"(SELECT LLM_GENERATE('x', returns => '{quoted}') AS v)"
    ).fetchall()
    with duckdb.connect() as plain:
        [(shown,)] = plain.sql(f"SELECT CAST({cast(kind, text)} AS VARCHAR)").fetchall()
    assert one.prompts[-1] == f"then {shown}"


@pytest.mark.parametrize("mode", ["on", "off"])
def test_fields_of_a_lateral_have_their_types(mode: str, scripted: Made) -> None:
    one = scripted(lambda messages, spec: '{"s": "hi", "n": 3, "l": ["a"], "e": "y"}')
    one.con.set("llm_optimizer", mode)
    one.con.execute(
        "CREATE TABLE made AS SELECT g.* FROM LLM_GENERATE('x', returns => "
        "'STRUCT(s VARCHAR, n INTEGER, l VARCHAR[], e ENUM(''x'', ''y''))') g"
    )
    types = [row[1] for row in one.con.sql("DESCRIBE made").fetchall()]
    assert types == ["VARCHAR", "INTEGER", "VARCHAR[]", "ENUM('x', 'y')"]
    assert one.con.sql("FROM made").fetchall() == [("hi", 3, ["a"], "y")]


def test_an_empty_result_has_the_types_too(scripted: Made) -> None:
    one = scripted()
    table = one.con.sql(
        "SELECT LLM_GENERATE('x {i}', returns => 'INTEGER[]') AS v, i FROM range(0) r(i)"
    ).arrow()
    assert table.num_rows == 0
    assert str(table.schema.field("v").type).startswith("list<")
    assert table.schema.names == ["v", "i"]


@pytest.mark.parametrize(
    ("kind", "texts", "value"),
    [
        ("INTEGER", [" 42\n"], 42),
        ("INTEGER", ["42.0"], 42),
        ("BOOLEAN", ["TRUE"], True),
        ("ENUM(''lo'', ''hi'')", ['"hi"'], "hi"),
        ("ENUM(''lo'', ''hi'')", ["middling", "lo"], "lo"),
        ("INTEGER[]", ['["x"]', "[1]"], [1]),
        ("STRUCT(a INTEGER)", ['{"b": 1}', '{"a": 1, "b": 2}'], {"a": 1}),
        ("STRUCT(a INTEGER)", ['{"a": null}', '{"a": 1}'], {"a": 1}),
        ("STRUCT(a INTEGER NULL)", ['{"a": null}'], {"a": None}),
        ("STRUCT(a INTEGER NULL)", ["{}"], {"a": None}),
        ("INTEGER[]", ["[1, null]", "[1]"], [1]),
        ("DATE", ["2024-02-30", "2024-02-29"], date(2024, 2, 29)),
        ("DECIMAL(3,1)", ["99.95", "99.94"], Decimal("99.9")),
    ],
)
def test_what_fits_is_taken_and_what_does_not_is_asked_again(
    kind: str, texts: list[str], value: object, scripted: Made
) -> None:
    left = list(texts)
    one = scripted(lambda messages, spec: left.pop(0))
    assert one.con.sql(f"SELECT LLM_GENERATE('x', returns => '{kind}')").fetchall() == [(value,)]
    assert left == []
