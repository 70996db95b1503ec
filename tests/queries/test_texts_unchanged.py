"""Data and answers are data: nothing in them is read as a reference, a template or a parameter."""

from __future__ import annotations

import re

import pytest
from scripted_connection import Made

from heliumql.engines.engine import CallSpec

FAKE = "\ue000" + "0123456789abcdef" * 3 + "\ue001"
TEXTS = {
    "a reference of another statement": FAKE,
    "pieces of one": "\ue000 \ue001 \ue000abc",
    "one inside text": f"a{FAKE}b{FAKE}",
    "a template": "{x} {{y}} {0} }",
    "parameters": "$1 $name ? :x %s",
    "quotes": "it's \"q\" $$ '' \\ -- /* ",
    "lines and blanks": " \n\t \r\n ",
    "nothing": "",
    "other scripts": "日本語 Ünï 👩‍👩‍👧 \u0301",
}


def mirrors(messages: list[tuple[str, str]], spec: CallSpec) -> str:
    """The answer is the last message itself."""
    return messages[-1][1]


@pytest.mark.parametrize("mode", ["on", "off"])
@pytest.mark.parametrize("kind", TEXTS)
def test_a_text_passes_through_data_prompt_and_answer(kind: str, mode: str, scripted: Made) -> None:
    text = TEXTS[kind]
    one = scripted(mirrors)
    one.con.set("llm_optimizer", mode)
    one.con.execute("CREATE TABLE t (v VARCHAR)")
    one.con.execute("INSERT INTO t VALUES (?)", [text])
    rows = one.con.sql(
        "SELECT v, LLM_GENERATE('{v}'), LLM_GENERATE('<' || LLM_GENERATE('{v}') || '>'), "
        "string_agg(v || LLM_GENERATE('{v}'), ',') OVER () FROM t"
    ).fetchall()
    assert rows == [(text, text, f"<{text}>", text + text)]
    assert one.prompts[0] == text


@pytest.mark.parametrize("mode", ["on", "off"])
def test_an_answer_that_repeats_the_reference_in_its_own_prompt_is_not_expanded(
    mode: str, scripted: Made
) -> None:
    seen: list[str] = []

    def script(messages: list[tuple[str, str]], spec: CallSpec) -> str:
        seen.append(messages[-1][1])
        return f"answer to {messages[-1][1]}"

    one = scripted(script)
    one.con.set("llm_optimizer", mode)
    rows = one.con.sql(
        "SELECT a, LLM_GENERATE('second {a}') FROM (SELECT LLM_GENERATE('first {v}') AS a "
        f"FROM (SELECT '{FAKE}' AS v))"
    ).fetchall()
    first = f"answer to first {FAKE}"
    assert rows == [(first, f"answer to second {first}")]
    assert not any(re.search("\ue000(?!0123456789abcdef)", text) for text in seen)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_parameters_keep_their_text(text: str, scripted: Made) -> None:
    one = scripted(mirrors)
    assert one.con.sql("SELECT LLM_GENERATE(?)", [text]).fetchall() == [(text,)]
    named = one.con.sql("SELECT LLM_GENERATE('{0}', $name)", {"name": text})
    assert named.fetchall() == [(text,)]


def test_a_text_in_a_struct_and_a_list_keeps_its_form(scripted: Made) -> None:
    one = scripted(mirrors)
    rows = one.con.sql(
        "SELECT {'a': LLM_GENERATE('{v}')}, ['x', LLM_GENERATE('{v}')] FROM (SELECT ? AS v)", [FAKE]
    ).fetchall()
    assert rows == [({"a": FAKE}, ["x", FAKE])]
