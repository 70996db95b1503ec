"""What models write where a type was asked for, and what becomes of it."""

from __future__ import annotations

import pytest

from heliumql.types import parse_type


@pytest.mark.parametrize(
    ("returns", "text", "canonical"),
    [
        ("VARCHAR", " as it is\n", " as it is\n"),
        ("BOOLEAN", " True\n", "true"),
        ("INTEGER", "7.0", "7"),
        ("BIGINT", "9223372036854775807", "9223372036854775807"),
        ("BIGINT", "-9223372036854775808", "-9223372036854775808"),
        ("TINYINT", "-128", "-128"),
        ("DOUBLE", "3", "3.0"),
        ("ENUM('a b', 'c')", ' "a b" ', "a b"),
        ("INTEGER[]", "[1, 2.0, null]", "[1,2,null]"),
        ("STRUCT(a VARCHAR, b BOOLEAN)", '{"b": true, "x": 1, "a": "ä"}', '{"a":"ä","b":true}'),
        ("JSON", '{"b": [1e3, "x"]}', '{"b":[1000.0,"x"]}'),
        ("VARCHAR[]", '["\\ud83d", "\\ud83d\\ude00"]', '["\ufffd","\U0001f600"]'),
    ],
)
def test_answers_that_fit_get_their_canonical_form(returns: str, text: str, canonical: str):
    assert parse_type(returns).accept(text) == canonical


@pytest.mark.parametrize(
    ("returns", "text", "reason"),
    [
        ("BOOLEAN", "yes", "is not JSON"),
        ("BOOLEAN", "1", "1 is not BOOLEAN"),
        ("INTEGER", "7.5", "7.5 is not INTEGER"),
        ("INTEGER", "true", "true is not INTEGER"),
        ("TINYINT", "128", "128 is not TINYINT"),
        ("BIGINT", "9223372036854775808", "is not BIGINT"),
        ("BIGINT", "1" * 400, "is not BIGINT"),
        ("BIGINT", "1" * 5000, "is not JSON"),
        ("DOUBLE", "1" * 400, "is not DOUBLE"),
        ("DOUBLE", "1e999", "1e999 is too large"),
        ("DOUBLE", "NaN", "NaN is not a number of JSON"),
        ("JSON", '{"a": Infinity}', "Infinity is not a number of JSON"),
        ("JSON", "[" * 200_000, "nested too deeply"),
        ("ENUM('a')", '"\\ud83d"', "is not ENUM"),
        ("STRUCT(a INTEGER)", '{"b": 1}', "field 'a' is missing"),
    ],
)
def test_answers_that_do_not_fit_are_refused_with_a_reason(returns: str, text: str, reason: str):
    with pytest.raises(ValueError, match=reason) as error:
        parse_type(returns).accept(text)
    assert str(error.value).encode()  # can be stored and shown
