"""Files fall into the statements that DuckDB sees, each with its exact text."""

from __future__ import annotations

import duckdb
import pytest
from desugaring import ODD_STATEMENTS
from hypothesis import given
from hypothesis import strategies as st

from heliumql.syntax import LlmSql, Sql, parse

SEPARATORS = st.sampled_from([";", ";\n", " ; ;\n\n", "; -- a ; b\n", ";/* x; /* y */ ; */", "\n;"])


@pytest.mark.parametrize("text", ODD_STATEMENTS)
def test_a_statement_without_calls_stays_what_it_was(text: str) -> None:
    (statement,) = parse(text)
    assert type(statement) is Sql
    assert text.startswith(statement.text)
    rest = text[len(statement.text) :].strip()
    assert rest == "" or rest.startswith("--")


def test_duckdb_splits_the_same_file_at_the_same_places() -> None:
    con = duckdb.connect()
    theirs = con.extract_statements("\n;\n".join(ODD_STATEMENTS))
    con.close()
    ours = parse("\n;\n".join(ODD_STATEMENTS))
    assert len(ours) == len(theirs) == len(ODD_STATEMENTS)
    for our, their in zip(ours, theirs, strict=True):
        rest = their.query.strip().removeprefix(our.text).rstrip("; \n")
        assert rest == "" or rest.lstrip().startswith("--")


@given(st.lists(st.sampled_from(ODD_STATEMENTS), min_size=1, max_size=6), st.data())
def test_statements_and_what_lies_between_give_back_the_file(
    texts: list[str], data: st.DataObject
) -> None:
    file = data.draw(SEPARATORS)
    for text in texts:
        file += text + "\n" + data.draw(SEPARATORS)
    statements = parse(file)
    position, rebuilt = 0, ""
    for statement in statements:
        assert file[statement.span.start : statement.span.end] == statement.text
        rebuilt += file[position : statement.span.start] + statement.text
        position = statement.span.end
    assert rebuilt + file[position:] == file
    assert len(statements) == len(texts)
    for statement, text in zip(statements, texts, strict=True):
        assert text.startswith(statement.text)


@given(st.text(alphabet="ab'\"$;-/*\\{}()[]E \n.,é日", max_size=40))
def test_any_text_without_calls_passes_to_duckdb(text: str) -> None:
    statements = parse(text)
    assert all(type(statement) is Sql for statement in statements)
    for statement in statements:
        assert text[statement.span.start : statement.span.end] == statement.text


@pytest.mark.parametrize(
    "text",
    ["SELECT 'open", 'SELECT "open', "SELECT $$open", "SELECT 1 /* open", "SELECT (1", "SELECT 1)"],
)
def test_broken_sql_is_left_for_duckdb_to_complain_about(text: str) -> None:
    (statement,) = parse(text)
    assert statement == Sql(text, statement.span)


def test_a_file_without_statements_has_none() -> None:
    assert parse("") == parse(" ;; -- nothing\n /* at all */ ;\ufeff") == ()


def test_only_a_name_before_a_parenthesis_is_a_call() -> None:
    (statement,) = parse("SELECT llm_generate /* here */ ('x'), Llm_Filter('y')")
    assert isinstance(statement, LlmSql)
    assert statement.verbs == {"LLM_GENERATE", "LLM_FILTER"}


def test_a_statement_that_names_a_known_view_has_llm_parts() -> None:
    text = 'SELECT * FROM "Good"; SELECT * FROM other'
    known, other = parse(text, llm_names=frozenset({"good"}))
    assert isinstance(known, LlmSql)
    assert known.names == {"good"}
    assert isinstance(other, Sql)
