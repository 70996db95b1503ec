"""What verbs say to a model, to the letter, and what their values are in SQL."""

from __future__ import annotations

import json

import duckdb
import pytest
import sqlglot
from desugaring import Stub, core_of

from heliumql.syntax.template import Placeholder
from heliumql.syntax.verbs.prompts import verb_prompt

SAID = {
    "LLM_FILTER('Is {title} good?')": "Is Up good?\nAnswer true or false.",
    "LLM_FILTER(title || '?')": "Up?\nAnswer true or false.",
    "LLM_SCORE('How good is {0}?', upper(body))": "How good is GOOD?\nAnswer with a number.",
    "llm_score(title)": "Up\nAnswer with a number.",
    "LLM_CLASSIFY(body, ['plot', 'acting', 'other'])": (
        "Choose the label that fits the text best.\nLabels: plot, acting, other\n\nText: good"
    ),
    "LLM_CLASSIFY('{title}: {body}', {'plot': 'the story', acting: ''}, 'On {{films}}.')": (
        "Choose the label that fits the text best. On {films}.\n"
        "Labels: \n- plot: the story\n- acting\n\nText: Up: good"
    ),
    "LLM_CLASSIFY(id, ['a', {'label': 'b', 'description': 'bee'}], multi => true)": (
        "Choose all labels that fit the text.\n"
        "Labels: \n- a\n- b: bee\nAnswer with a JSON array of labels.\n\nText: 1"
    ),
    "LLM_CLASSIFY(text => body, labels => ['a', 'b'], instruction => 'Now.', multi := TRUE)": (
        "Choose all labels that fit the text. Now.\n"
        "Labels: a, b\nAnswer with a JSON array of labels.\n\nText: good"
    ),
    "LLM_EXTRACT(body, {'director': 'Who directed it?', year: 'Release {year}?'})": (
        "Answer the questions from the text, with null where it does not say.\n"
        "- director: Who directed it?\n- year: Release {year}?\n"
        'Answer with a JSON object: {"director": string | null, "year": string | null}.\n\n'
        "Text: good"
    ),
    "LLM_EXTRACT('{title}!', ['a', 'b c'], returns => 'STRUCT(\"b c\" DATE, A INTEGER)')": (
        "Answer the questions from the text, with null where it does not say.\n"
        "- a\n- b c\n"
        'Answer with a JSON object: {"b c": "YYYY-MM-DD" | null, "A": integer | null}.\n\n'
        "Text: Up!"
    ),
    "LLM_AGG(body, 'Sum up.')": "Sum up.\n---\ngood\n---\nbad",
    "LLM_AGG(DISTINCT body, 'Sum up.')": "Sum up.\n---\nbad\n---\ngood",
    "LLM_AGG(body, 'Sum up.' ORDER BY id DESC, title)": "Sum up.\n---\nbad\n---\ngood",
    "LLM_AGG(body, 'Sum up.') FILTER (WHERE id > 1)": "Sum up.\n---\nbad",
    "LLM_AGG('{{{id}}}', instruction => 'Sum' || ' up', returns => 'STRUCT(a INTEGER)')": (
        'Sum up\nAnswer with a JSON object: {"a": integer}.\n---\n{1}\n---\n{2}'
    ),
    "LLM_AGG(id RETURNS BOOLEAN, 'Odd?')": "Odd?\nAnswer true or false.\n---\n1\n---\n2",
}


@pytest.mark.parametrize("call", SAID)
def test_a_verb_says(stub: Stub, call: str) -> None:
    stub.answer = lambda prompt: None
    stub.rows(f"SELECT {call} FROM reviews" + ("" if "AGG" in call else " WHERE id = 1"))
    assert stub.asked[0][1] == SAID[call]


SHOWN = {
    "LLM_FILTER('Is {title} good?')": "Is {title} good?\nAnswer true or false.",
    "LLM_SCORE('{{{0}}}: ' || title)": "{'{{{0}}}: ' || title}\nAnswer with a number.",
    "LLM_CLASSIFY(upper(body), ['a', '{b}'])": (
        "Choose the label that fits the text best.\nLabels: a, {{b}}\n\nText: {upper(body)}"
    ),
    "LLM_AGG('{id}: {body}', 'Of {{}}.' RETURNS INTEGER)": (
        "Of {{}}.\nAnswer with an integer.\n---\n{id}: {body}"
    ),
    "LLM_AGG(DISTINCT upper(body), 'Sum up.') FILTER (WHERE id > 1)": (
        "Sum up.\n---\n{upper(body)}"
    ),
    "LLM_GENERATE('On {body}' RETURNS INTEGER)": "On {body}",
}


@pytest.mark.parametrize("call", SHOWN)
def test_the_prompt_of_a_verb_is_shown_whole(call: str) -> None:
    (site,) = core_of(f"SELECT {call} FROM reviews").sites
    assert site.template == SHOWN[call]
    assert site.version == 1


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("llm_filter", {"question"}),
        ("llm_score", {"question"}),
        ("llm_classify", {"instruction", "labels", "text"}),
        ("llm_classify_multi", {"instruction", "labels", "text"}),
        ("llm_extract", {"questions", "shape", "text"}),
        ("llm_agg", {"instruction", "texts"}),
        ("llm_agg_merge", {"instruction", "texts"}),
    ],
)
def test_the_catalog_names_what_is_put_in(prompt: str, names: set[str]) -> None:
    parts = [p for p in verb_prompt(prompt).parts if isinstance(p, Placeholder)]
    assert {p.path[0] for p in parts} == names


VALUES = {
    "LLM_SCORE('{body}')": ("DOUBLE", "DOUBLE"),
    "LLM_CLASSIFY(body, ['a', 'b'])": ("ENUM('a', 'b')", "VARCHAR"),
    "LLM_EXTRACT(body, ['a'])": ('STRUCT("a" VARCHAR)', "STRUCT(a VARCHAR)"),
    "LLM_EXTRACT(body, {'a': '?'} RETURNS STRUCT(a INTEGER[]))": (
        'STRUCT("a" INTEGER[])',
        "STRUCT(a INTEGER[])",
    ),
    "LLM_AGG(body, 'Sum up.')": ("VARCHAR", "VARCHAR"),
    "LLM_AGG(body, 'Sum up.', returns => 'INTEGER[]')": ("INTEGER[]", "INTEGER[]"),
    "LLM_CLASSIFY(body, ['a', 'b'], multi => true)": ("ENUM('a', 'b')[]", "VARCHAR[]"),
}


@pytest.mark.parametrize("call", VALUES)
def test_the_answer_and_the_value_have_types(stub: Stub, call: str) -> None:
    core = core_of(f"SELECT {call} FROM reviews")
    answer, value = VALUES[call]
    assert core.sites[0].returns.sql() == answer
    assert stub.con.sql(core.text).types == [value]


def test_what_a_text_does_not_say_is_null() -> None:
    (site,) = core_of("SELECT LLM_EXTRACT(body, ['a', 'b']) FROM t").sites
    assert [kind.nullable for _, kind in site.returns.fields] == [True, True]
    assert site.returns.accept('{"a": null, "b": "x"}') == '{"a":null,"b":"x"}'


def test_several_labels_are_each_there_once_in_their_order() -> None:
    (site,) = core_of("SELECT LLM_CLASSIFY(body, ['b', 'a', 'c'], multi => true) FROM t").sites
    assert site.returns.accept('["c", "b", "c"]') == '["b","c"]'
    assert site.returns.accept("[]") == "[]"
    with pytest.raises(ValueError, match="d"):
        site.returns.accept('["d"]')


PORTABLE = [
    "SELECT LLM_CLASSIFY(body, ['a', 'b'], 'Which?', multi => TRUE, model => 'm') FROM t",
    "SELECT LLM_CLASSIFY(body, {'a': 'the first', 'b': 'the second'}) FROM t",
    "SELECT LLM_CLASSIFY(body, [{'label': 'a', 'description': 'b'}, {'label': 'c'}]) FROM t",
    "SELECT LLM_EXTRACT(body, {'a': 'Who?'}, returns => 'STRUCT(a VARCHAR)').a FROM t",
    "SELECT g.a FROM t, LATERAL LLM_EXTRACT(t.body, ['a', 'b']) AS g",
    "SELECT body FROM t ORDER BY LLM_SCORE('How good? {body}', max_tokens => 8) DESC LIMIT 3",
    "SELECT k, LLM_AGG(body, 'Sum up.', max_tokens => 9) FROM t GROUP BY k",
    "SELECT LLM_AGG(DISTINCT body, 'Sum up.' ORDER BY body) FILTER (WHERE id > 1) FROM t",
]


@pytest.mark.parametrize("text", PORTABLE)
def test_duckdb_and_sqlglot_read_the_portable_forms(text: str) -> None:
    core_of(text)
    with duckdb.connect() as con:
        [(tree,)] = con.execute("SELECT json_serialize_sql(?)", [text]).fetchall()
    assert not json.loads(tree)["error"]
    assert "LLM_" in sqlglot.parse_one(text, dialect="duckdb").sql("duckdb")
