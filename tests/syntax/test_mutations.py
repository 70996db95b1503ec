"""However a text is damaged, it is understood or refused with an error of ours."""

from __future__ import annotations

from contextlib import suppress

from desugaring import FORMS, STATEMENTS, understand
from hypothesis import given, settings
from hypothesis import strategies as st

from heliumql.errors import HeliumQLError, InternalError
from heliumql.syntax import parse, shell
from heliumql.syntax.tokens import tokenize

EXAMPLES = (*STATEMENTS, *FORMS)
EXAMPLES = (*STATEMENTS, *FORMS)
PIECES = sorted(
    {token.text for text in EXAMPLES for token in tokenize(text)}
    | {";", "--", "/*", "$$", "{", "\x00"}
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """An example with some tokens taken out, put in or exchanged, or cut somewhere."""
    text = draw(st.sampled_from(EXAMPLES))
    tokens = [token.text for token in tokenize(text)]
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(tokens)))
        match draw(st.sampled_from(["out", "in", "exchange", "cut"])):
            case "out":
                del tokens[at : at + 1]
            case "in":
                tokens.insert(at, draw(st.sampled_from(PIECES)))
            case "exchange":
                tokens[at : at + 1] = [draw(st.sampled_from(PIECES))]
            case _:
                whole = " ".join(tokens)
                tokens = [whole[: draw(st.integers(0, len(whole)))]]
    return draw(st.sampled_from([" ", "", "\n"])).join(tokens)


@settings(max_examples=1500, deadline=None)
@given(damaged())
def test_a_damaged_text_is_understood_or_refused(text: str) -> None:
    try:
        understand(text)
        return
    except InternalError:
        raise
    except HeliumQLError as error:
        refused = error
    assert refused.message
    assert refused.span is not None
    assert 0 <= refused.span.start <= refused.span.end <= len(text) + 1


@settings(max_examples=300, deadline=None)
@given(damaged())
def test_the_shell_of_any_text_has_its_query_at_its_span(text: str) -> None:
    found = shell(text)
    if found.query is not None and found.span is not None and found.kind != "insert":
        assert text[found.span.start : found.span.end] == found.query


@settings(max_examples=300, deadline=None)
@given(damaged())
def test_every_statement_is_a_slice_of_the_text(text: str) -> None:
    with suppress(HeliumQLError):
        for statement in parse(text):
            assert text[statement.span.start : statement.span.end] == statement.text
