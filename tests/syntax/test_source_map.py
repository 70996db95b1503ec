"""Positions in core SQL, and DuckDB's errors, lead back to the user's text."""

from __future__ import annotations

import duckdb
import pytest
from desugaring import Stub, context, core_of

from heliumql.syntax import CreateView, desugar, desugar_view, error_offset, parse


def marked(text: str) -> tuple[str, int]:
    """The text without its mark `>>`, and where the mark was."""
    return text.replace(">>", ""), text.index(">>")


@pytest.mark.parametrize(
    "case",
    [
        "SELECT >>missing FROM reviews WHERE LLM_FILTER('{body}')",
        "SELECT LLM_GENERATE('{title}'), >>missing FROM reviews",
        "SELECT 1 FROM reviews WHERE LLM_FILTER('On {body} and >>{missing}')",
        "SELECT LLM_GENERATE('it''s ''{body}'' >>{r.missing}') FROM reviews r",
        "SELECT g.text FROM reviews r,\n LATERAL LLM_GENERATE('é日 >>{r.missing}' RETURNS INT) g",
        "SELECT 'é日本', LLM_GENERATE('x' || >>missing) FROM reviews",
        "SELECT LLM_GENERATE('{0}', >>missing), 'some more text', 'and more', 'so that it is cut'"
        " FROM reviews",
        "SELECT 'a long text in front of it', 'so that the excerpt is cut at the front', >>missing"
        " FROM reviews, LLM_GENERATE('{title}') g WHERE g.text = 'and a long text at the end'",
        "SELECT >>g.missing FROM LLM_GENERATE('x', returns => 'STRUCT(a INTEGER)') g",
        "SELECT * FROM LLM_GENERATE((SELECT >>missing FROM reviews), prompt => 'x')",
        "SELECT * FROM LLM_GENERATE((SELECT id FROM reviews), prompt => $$ab >>{missing}$$)",
    ],
)
def test_an_error_of_duckdb_is_told_at_the_users_place(stub: Stub, case: str) -> None:
    text, place = marked(case)
    core = core_of(text)
    with pytest.raises(duckdb.Error) as raised:
        stub.con.execute(core.text)
    offset = error_offset(str(raised.value), core.text)
    assert offset is not None
    span = core.source_map.span(offset)
    assert span is not None
    assert span.start == place


def test_positions_count_from_the_beginning_of_the_file() -> None:
    file, place = marked("SELECT 1;\n\nSELECT LLM_GENERATE('a') + >>x")
    statement = parse(file)[1]
    core = desugar(statement.text, context(statement))
    span = core.source_map.span(core.text.index("x"))
    assert span is not None
    assert span.start == place


def test_positions_in_the_body_of_a_view() -> None:
    file, place = marked("SELECT 1; CREATE VIEW v AS SELECT >>zz, LLM_GENERATE('a') FROM reviews")
    view = parse(file)[1]
    assert isinstance(view, CreateView)
    core = desugar_view(view, context())
    span = core.source_map.span(core.text.index("zz"))
    assert span is not None
    assert span.start == place
    (site,) = core.sites
    assert file[site.span.start : site.span.end] == "LLM_GENERATE('a')"


def test_a_message_without_a_place_has_none() -> None:
    assert error_offset("Out of Memory Error: none left", "SELECT 1") is None
