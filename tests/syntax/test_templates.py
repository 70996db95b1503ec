"""Templates: what is a placeholder, what is a brace, and where each stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliumql.errors import ParseError
from heliumql.syntax.literals import decode, quoted
from heliumql.syntax.template import Placeholder, parse_template
from heliumql.syntax.tokens import tokenize


def paths(text: str) -> list[object]:
    return [
        part if isinstance(part, str) else part.value if part.value is not None else part.path
        for part in parse_template(text)
    ]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("plain", ["plain"]),
        ("{name}", [("name",)]),
        ("a {t.name} b", ["a ", ("t", "name"), " b"]),
        ("{t.name.field}", [("t", "name", "field")]),
        ('{"Odd Name"}', [("Odd Name",)]),
        ('{t."a.b ""c"""}', [("t", 'a.b "c"')]),
        ("{0}{12}", [0, 12]),
        ("{{x}} }} }", ["{x} } }"]),
        ("{{{x}}}", ["{", ("x",), "}"]),
        ("{été}{日本}", [("été",), ("日本",)]),
        ("{_a1$}", [("_a1$",)]),
    ],
)
def test_parts(text: str, parts: list[object]) -> None:
    assert paths(text) == parts


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("{", 0),
        ("a { b }", 2),
        ('{"a": 1}', 0),
        ("{}", 0),
        ("x{a b}", 1),
        ("{a.}", 0),
        ("{1a}", 0),
        ("{{{", 2),
    ],
)
def test_another_brace_is_an_error_at_its_place(text: str, at: int) -> None:
    with pytest.raises(ParseError, match="begins no placeholder") as raised:
        parse_template(text)
    assert raised.value.span is not None
    assert raised.value.span.start == at
    assert "{{" in (raised.value.hint or "")


@given(st.text())
def test_doubled_braces_are_the_text_itself(text: str) -> None:
    escaped = text.replace("{", "{{").replace("}", "}}")
    assert "".join(str(part) for part in parse_template(escaped)) == text


@given(st.text(alphabet="ab{}.\"0' \n"))
def test_a_template_is_read_or_refused(text: str) -> None:
    try:
        parts = parse_template(text)
    except ParseError:
        return
    for part in parts:
        if isinstance(part, Placeholder):
            assert text[part.span.start] == "{"
            assert text[part.span.end - 1] == "}"


@given(st.text())
def test_a_quoted_text_decodes_to_itself_and_knows_its_places(text: str) -> None:
    (token,) = tokenize(quoted(text))
    literal = decode(token)
    assert literal.text == text
    for index, character in enumerate(text):
        span = literal.span(index, index + 1)
        assert quoted(text)[span.start : span.end] == character


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        (r"E'a\n\t\'\\b''c'", "a\n\t'\\b'c"),
        (r"e'\x41\101\q'", "AAq"),
        ("$$it's {x}$$", "it's {x}"),
        ("$t$ $$ $t$", " $$ "),
        ("''", ""),
    ],
)
def test_literals_mean_what_duckdb_says(sql: str, text: str) -> None:
    (token,) = tokenize(sql)
    assert decode(token).text == text
