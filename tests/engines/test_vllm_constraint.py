"""Forms of answers as vLLM takes them: what the grammar lets through fits the type."""

from __future__ import annotations

import json
import re

import pytest

from heliumql.engines.vllm_constraint import constraint
from heliumql.types import SqlType, parse_type


@pytest.mark.parametrize(
    ("returns", "texts", "others"),
    [
        ("DOUBLE", ["0", "-1.5", "1e-7"], ["", ".5", "1.", "1e"]),
        ("FLOAT", ["0", "-1.5", "1e9"], ["1e39", "00"]),
        ("DECIMAL(5,2)", ["0", "-999.99", "12.5"], ["1000", "1.234", "1."]),
        ("DECIMAL(3,0)", ["999", "-1"], ["1000", "1.0"]),
        ("DECIMAL(2,2)", ["0.99", "0"], ["1.0"]),
        ("UBIGINT", ["0", "18446744073709551615"], ["-1", "01"]),
        ("HUGEINT", ["-170141183460469231731687303715884105728"], ["1" * 40]),
        ("DATE", ["2024-02-29"], ["2024-13-01", "2024-01-32", "24-01-01"]),
        ("TIME", ["23:59:59", "00:00:00.25"], ["24:00:00", "10:60:00", "10:10"]),
        ("TIMESTAMP", ["2024-02-29 10:11:12"], ["2024-02-29", "2024-02-29T10:11:12"]),
        ("UUID", ["c6a1e3f0-1111-2222-3333-444455556666"], ["c6a1e3f0", "C" * 36]),
    ],
)
def test_expressions_match_what_fits(returns: str, texts: list[str], others: list[str]) -> None:
    form = constraint(parse_type(returns))
    assert form is not None
    for text in texts:
        assert re.fullmatch(form["regex"], text)
        parse_type(returns).accept(text)
    assert not any(re.fullmatch(form["regex"], text) for text in others)


@pytest.mark.parametrize(
    ("returns", "schema"),
    [
        ("UTINYINT", {"type": "integer", "minimum": 0, "maximum": 255}),
        ("UBIGINT NULL[]", {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]}),
        ("HUGEINT[]", {"type": "integer"}),
        ("DECIMAL(4,1)[]", {"type": "number", "minimum": -999.9, "maximum": 999.9}),
        ("DECIMAL(38,1)[]", {"type": "number"}),
    ],
)
def test_numbers_in_json_keep_to_the_ranges_that_can_be_said(returns: str, schema: object) -> None:
    form = constraint(parse_type(returns))
    assert form is not None
    said = form["json"]
    assert said.get("items", said) == schema


FORMS = {
    "TINYINT": ["-128"],
    "BIGINT": ["9223372036854775807"],
    "HUGEINT[]": [f"[{1 << 126}]"],
    "DECIMAL(4,1)[]": ["[-999.9, 0]"],
    "DATE NULL[]": ['["2024-02-29", null]'],
    "TIMESTAMP[]": ['["2024-02-29 10:11:12"]'],
    "STRUCT(a VARCHAR NULL, b ENUM('x', 'y') NULL, c BOOLEAN[] NULL)": [
        '{"a": null, "b": "x", "c": null}',
        '{"a": "s", "b": null, "c": [true]}',
    ],
    "STRUCT(a STRUCT(u UUID, t TIME) NULL)[]": [
        '[{"a": {"u": "c6a1e3f0-1111-2222-3333-444455556666", "t": "10:11:12.5"}}, {"a": null}]'
    ],
    "UBIGINT": ["18446744073709551615"],
    "DECIMAL(5,2)": ["-123.45"],
    "FLOAT": ["1.5e-3"],
    "TIMESTAMP": ["2024-02-29 10:11:12.5"],
    "UUID": ["c6a1e3f0-1111-2222-3333-444455556666"],
}


@pytest.mark.parametrize("returns", FORMS)
def test_xgrammar_takes_every_form(returns: str) -> None:
    grammars = pytest.importorskip("xgrammar")
    accepts = pytest.importorskip("xgrammar.testing")._is_grammar_accept_string
    form = constraint(parse_type(returns))
    assert form is not None
    forms = [form]
    if "json" in form:  # as servers on the same decoder get it
        forms.append({"json": parse_type(returns).json_schema()})
    for each in forms:
        if "regex" in each:
            grammar = grammars.Grammar.from_regex(each["regex"])
        else:
            schema = json.dumps(each["json"])
            grammar = grammars.Grammar.from_json_schema(schema, any_whitespace=False)
        for text in FORMS[returns]:
            assert accepts(grammar, text), text
            parse_type(returns).accept(text)
        assert not accepts(grammar, "null")


def test_a_list_without_duplicates_ends() -> None:
    labels = SqlType("ENUM", values=("a", "b"))
    form = constraint(SqlType("LIST", item=labels, distinct=True))
    assert form is not None
    assert form["json"]["maxItems"] == 2
    assert constraint(SqlType("LIST", item=labels)) == {
        "json": {key: value for key, value in form["json"].items() if key != "maxItems"}
    }
