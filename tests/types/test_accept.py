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
        ("UBIGINT", "18446744073709551615", "18446744073709551615"),
        ("HUGEINT", "-170141183460469231731687303715884105728", f"-{1 << 127}"),
        ("DOUBLE", "3", "3.0"),
        ("DOUBLE", "1e300", "1e+300"),
        ("FLOAT", "0.1", "0.1"),
        ("FLOAT", "16777217", "16777216.0"),
        ("FLOAT", "123456789012345680", "1.2345679e+17"),
        ("FLOAT", "3.4028234663852886e38", "3.4028235e+38"),
        ("DECIMAL(5,2)", "1.005", "1.01"),
        ("DECIMAL(5,2)", "-1.005", "-1.01"),
        ("DECIMAL(5,2)", "-0.001", "0.00"),
        ("DECIMAL(5,2)", ' "12" ', "12.00"),
        ("DECIMAL(5,2)", "1e2", "100.00"),
        ("DECIMAL(3,0)", "2.5", "3"),
        ("DECIMAL(3,3)", "0.5", ".500"),
        (
            "DECIMAL(38,20)",
            "123456789012345678.12345678901234567891",
            "123456789012345678.12345678901234567891",
        ),
        ("DATE", "2024-02-29", "2024-02-29"),
        ("DATE", ' "2024-2-9"\n', "2024-02-09"),
        ("TIME", "9:05", "09:05:00"),
        ("TIME", "23:59:59.1234569", "23:59:59.123456"),
        ("TIME", "10:11:12.500", "10:11:12.5"),
        ("TIMESTAMP", "2024-02-29T10:11:12Z", "2024-02-29 10:11:12"),
        ("TIMESTAMP", "2024-02-29 10:11:12.25", "2024-02-29 10:11:12.25"),
        ("TIMESTAMP", "2024-02-29", "2024-02-29 00:00:00"),
        ("UUID", "C6A1E3F0-1111-2222-3333-444455556666", "c6a1e3f0-1111-2222-3333-444455556666"),
        ("ENUM(' a', '\"b\"')", "a", " a"),
        ("ENUM(' a', '\"b\"')", '"b"', '"b"'),
        ("ENUM('a b', 'c')", ' "a b" ', "a b"),
        ("INTEGER[]", "[1, 2.0]", "[1,2]"),
        ("INTEGER NULL[]", "[1, 2.0, null]", "[1,2,null]"),
        ("STRUCT(a VARCHAR, b BOOLEAN)", '{"b": true, "x": 1, "a": "ä"}', '{"a":"ä","b":true}'),
        (
            "STRUCT(p DECIMAL(4,1), d DATE, t TIMESTAMP NULL, u UTINYINT NULL)[]",
            '[{"p": 99.95, "d": "2024-01-01", "t": null}, '
            '{"p": "1", "d": "2024-1-1", "t": "2024-01-02", "u": 255}]',
            '[{"p":"100.0","d":"2024-01-01","t":null,"u":null},'
            '{"p":"1.0","d":"2024-01-01","t":"2024-01-02 00:00:00","u":255}]',
        ),
        ("STRUCT(p DECIMAL(4,1), j JSON)", '{"p": 1.25, "j": [1.50]}', '{"p":"1.3","j":[1.5]}'),
        ("JSON", "null", "null"),
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
        ("STRUCT(a INTEGER)", '{"a": null}', "field 'a': null is not INTEGER"),
        (
            "STRUCT(a STRUCT(b DATE))",
            '{"a": {"b": "soon"}}',
            """field 'a': field 'b': "soon" is not DATE""",
        ),
        ("STRUCT(a INTEGER NULL)", "[]", r"\[\] is not STRUCT"),
        ("STRUCT(a INTEGER NULL)", "null", "null is not STRUCT"),
        ("STRUCT(a VARCHAR[] NULL)", '{"a": [null]}', "field 'a': null is not VARCHAR"),
        ("INTEGER[]", "[1, null]", "null is not INTEGER"),
        ("INTEGER", "null", "null is not INTEGER"),
        ("UTINYINT", "-1", "-1 is not UTINYINT"),
        ("BIGINT", "9007199254740995.0", "is not BIGINT"),
        ("FLOAT", "3.5e38", "is not FLOAT"),
        ("FLOAT", "true", "true is not FLOAT"),
        ("DECIMAL(5,2)", "999.995", '"999.995" is not DECIMAL'),
        ("DECIMAL(5,2)", "1e300", "is not DECIMAL"),
        ("DECIMAL(5,2)", '"12,50"', '"12,50" is not DECIMAL'),
        ("DECIMAL(5,2)", "1" * 4000, "is not DECIMAL"),
        ("DATE", "2024-02-30", '"2024-02-30" is not DATE'),
        ("DATE", "29.02.2024", "is not DATE"),
        ("DATE", "20240229", "is not DATE"),
        ("DATE", "null", "is not DATE"),
        ("DATE", '"2024-02-29', "is not DATE"),
        ("DATE", "2024-02-29 10:00:00", "is not DATE"),
        ("TIME", "24:00:00", "is not TIME"),
        ("TIME", "23:59:60", "is not TIME"),
        ("TIMESTAMP", "2024-02-29 10:11:12+02:00", "is not TIMESTAMP"),
        ("TIMESTAMP", "2024-02-30 10:11:12", "is not TIMESTAMP"),
        ("UUID", "c6a1e3f0-1111", "is not UUID"),
    ],
)
def test_answers_that_do_not_fit_are_refused_with_a_reason(returns: str, text: str, reason: str):
    with pytest.raises(ValueError, match=reason) as error:
        parse_type(returns).accept(text)
    assert str(error.value).encode()  # can be stored and shown
