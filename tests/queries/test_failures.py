"""A failed call is a NULL, counted and shown; or it fails the statement and loses nothing."""

from __future__ import annotations

import json
import re

import pytest
from scripted_connection import Made

import heliumql
from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import ScriptedAnswer
from heliumql.stats import Stats


def odd_fails(messages: list[tuple[str, str]], spec: CallSpec) -> ScriptedAnswer:
    """`x 1`, `x 3` .. fail; other prompts are answered with their last word."""
    prompt = messages[-1][1]
    if re.fullmatch(r"x [13579]", prompt):
        return ScriptedAnswer(error=f"no luck with {prompt}")
    return ScriptedAnswer(prompt.split()[-1])


X = "LLM_GENERATE('x {i}')"
NULLS = {
    "||": (f"SELECT 'a' || {X} FROM r ORDER BY i", ["a0", None, "a2", None]),
    "concat": (f"SELECT concat('a', {X}) FROM r ORDER BY i", ["a0", "a", "a2", "a"]),
    "concat_ws": (f"SELECT concat_ws('-', 'a', {X}, 'b') FROM r ORDER BY i",
                  ["a-0-b", "a-b", "a-2-b", "a-b"]),
    "string_agg": (f"SELECT string_agg({X}, ',' ORDER BY i) FROM r", ["0,2"]),
    "coalesce": (f"SELECT coalesce({X}, 'none') FROM r ORDER BY i", ["0", "none", "2", "none"]),
    "coalesce of two calls": (
        f"SELECT coalesce({X}, LLM_GENERATE('again y{{i}}')) FROM r ORDER BY i",
        ["0", "y1", "2", "y3"]),
    "count": (f"SELECT count({X}) FROM r", [2]),
    "IS NULL": (f"SELECT {X} IS NULL FROM r ORDER BY i", [False, True, False, True]),
    "list": (f"SELECT list({X} ORDER BY i) FROM r", [["0", None, "2", None]]),
    "an element of a list": (f"SELECT ['a', {X}][2] FROM r ORDER BY i", ["0", None, "2", None]),
    "a struct": (f"SELECT {{'a': {X}}} FROM r ORDER BY i LIMIT 2", [{"a": "0"}, {"a": None}]),
    "any_value": (f"SELECT any_value({X}) FROM r WHERE i > 0", ["2"]),
    "arg_max": (f"SELECT arg_max({X}, i) FROM r", ["2"]),
    "first": (f"SELECT first({X} ORDER BY i DESC) FROM r", [None]),
    "a chain": (f"SELECT LLM_GENERATE('y ' || {X}) FROM r ORDER BY i", ["0", None, "2", None]),
    "a long chain": (
        f"SELECT LLM_GENERATE('z ' || LLM_GENERATE('y ' || {X})) FROM r ORDER BY i",
        ["0", None, "2", None]),
    "a chain that replaces": (
        f"SELECT LLM_GENERATE('y ' || coalesce({X}, 'nothing')) FROM r ORDER BY i",
        ["0", "nothing", "2", "nothing"]),
    "a reduce": (
        f"SELECT LLM_GENERATE('all of ' || string_agg({X}, '+' ORDER BY i)) FROM r", ["0+2"]),
    "a history": (
        "SELECT h.text FROM r, LATERAL LLM_GENERATE('x {r.i}') g, "
        "LATERAL LLM_GENERATE('go on', history => g.messages) h ORDER BY r.i",
        ["on", None, "on", None]),
    "a system message": (
        f"SELECT LLM_GENERATE('say {{i}}', system => {X}) FROM r ORDER BY i",
        ["0", "1", "2", "3"]),
}  # fmt: skip


@pytest.mark.parametrize("mode", ["on", "small batches", "off"])
@pytest.mark.parametrize("kind", NULLS)
def test_a_failed_call_is_null_to_sql(kind: str, mode: str, scripted: Made) -> None:
    query, expected = NULLS[kind]
    one = scripted(odd_fails)
    one.con.set("llm_optimizer", "off" if mode == "off" else "on")
    one.con.set("llm_batch_rows", 1 if mode == "small batches" else 1024)
    one.con.execute("CREATE TABLE r AS SELECT i FROM range(4) r(i)")
    assert [row[0] for row in one.con.sql(query).fetchall()] == expected


def test_the_reply_of_a_failed_call_has_no_content(scripted: Made) -> None:
    one = scripted(odd_fails)
    rows = one.con.sql("SELECT g.messages, g.text FROM LLM_GENERATE('x 1') g").fetchall()
    reply = {"role": "assistant", "content": None}
    assert rows == [([{"role": "user", "content": "x 1"}, reply], None)]


def test_failures_are_counted_and_told(scripted: Made) -> None:
    one = scripted(odd_fails)
    relation = one.con.sql(f"SELECT {X} FROM range(10) r(i)")
    relation.fetchall()
    assert relation.stats.calls_failed == 5
    assert len(relation.stats.failures) == 5
    assert "no luck with x 1" in relation.stats.failures


def test_failed_calls_are_asked_again_by_the_next_statement(scripted: Made) -> None:
    one = scripted(odd_fails)
    for asked in (10, 15):
        one.con.sql(f"SELECT {X} FROM range(10) r(i)").fetchall()
        assert len(one.engine.log) == asked


@pytest.mark.parametrize("mode", ["on", "off"])
def test_on_error_fail_fails_the_statement(mode: str, scripted: Made) -> None:
    one = scripted(odd_fails)
    one.con.set("llm_optimizer", mode)
    with pytest.raises(heliumql.HeliumQLError, match=r"no luck with x [13579]") as raised:
        one.con.sql("SELECT LLM_GENERATE('x {i}', on_error => 'fail') FROM range(4) r(i)").show()
    assert raised.value.span is not None


def test_after_a_failure_those_in_flight_are_stored_and_only_others_asked(scripted: Made) -> None:
    fails = [True]

    def script(messages: list[tuple[str, str]], spec: CallSpec) -> ScriptedAnswer:
        if messages[-1][1] == "x 7" and fails.pop() is True:
            return ScriptedAnswer(error="once")
        return ScriptedAnswer("fine", seconds=1.0)

    one = scripted(script)
    query = "SELECT LLM_GENERATE('x {i}', on_error => 'fail') FROM range(20) r(i)"
    with pytest.raises(heliumql.HeliumQLError, match="once"):
        one.con.sql(query).fetchall()
    fails.append(False)
    relation = one.con.sql(query)
    assert relation.fetchall() == [("fine",)] * 20
    assert (relation.stats.calls_cached, relation.stats.calls_run) == (19, 1)


def test_an_answer_that_does_not_fit_is_asked_for_again(scripted: Made) -> None:
    answers = ["three", "3.5", "3"]
    one = scripted(lambda messages, spec: answers.pop(0))
    relation = one.con.sql("SELECT LLM_GENERATE('x', returns => 'INTEGER')")
    assert relation.fetchall() == [(3,)]
    assert (relation.stats.requests_sent, relation.stats.calls_run) == (3, 1)


@pytest.mark.parametrize("retries", [0, 1, 4])
def test_an_answer_that_never_fits_is_a_row_error_that_says_why(
    retries: int, scripted: Made
) -> None:
    one = scripted(lambda messages, spec: "three")
    relation = one.con.sql(f"SELECT LLM_GENERATE('x', returns => 'INTEGER', retries => {retries})")
    assert relation.fetchall() == [(None,)]
    assert relation.stats.requests_sent == retries + 1
    assert "three" in relation.stats.failures[0]


def test_an_answer_cut_off_is_asked_for_with_more_tokens(scripted: Made) -> None:
    text = json.dumps({"a": "x" * 200})
    one = scripted(lambda messages, spec: text)
    relation = one.con.sql(
        "SELECT LLM_GENERATE('x', returns => 'STRUCT(a VARCHAR)', max_tokens => 20)"
    )
    assert relation.fetchall() == [({"a": "x" * 200},)]
    assert [c.spec.sampling.max_tokens for c in one.engine.log] == [20, 40, 80]


@pytest.mark.parametrize("mode", ["on", "off"])
def test_an_answer_cut_off_has_no_more_tokens_than_fit_the_context(
    mode: str, scripted: Made
) -> None:
    text = json.dumps({"a": "x" * 2000})
    one = scripted(lambda messages, spec: text, max_model_len=100)
    one.con.set("llm_optimizer", mode)
    relation = one.con.sql(
        "SELECT LLM_GENERATE('x', returns => 'STRUCT(a VARCHAR)', max_tokens => 30)"
    )
    assert relation.fetchall() == [(None,)]
    asked = [c.spec.sampling.max_tokens for c in one.engine.log]
    room = asked[-1]
    assert asked == [30, 60, room]
    assert 60 < room < 100
    assert f"cut off at {room} tokens" in relation.stats.failures[0]


@pytest.mark.parametrize("mode", ["on", "off"])
def test_more_tokens_are_for_answers_that_were_cut_off(mode: str, scripted: Made) -> None:
    answers = ["{", json.dumps({"a": "x" * 200}), json.dumps({"a": "y" * 200})]
    one = scripted(lambda messages, spec: answers.pop(0))
    one.con.set("llm_optimizer", mode)
    relation = one.con.sql(
        "SELECT LLM_GENERATE('x', returns => 'STRUCT(a VARCHAR)', max_tokens => 20)"
    )
    assert relation.fetchall() == [({"a": "y" * 200},)]
    assert [c.spec.sampling.max_tokens for c in one.engine.log] == [20, 20, 80]


@pytest.mark.parametrize("mode", ["on", "off"])
def test_a_text_cut_off_is_an_answer(mode: str, scripted: Made) -> None:
    one = scripted(lambda messages, spec: "word " * 100)
    one.con.set("llm_optimizer", mode)
    relation = one.con.sql("SELECT LLM_GENERATE('x', max_tokens => 5)")
    [(text,)] = relation.fetchall()
    assert text.startswith("word word")
    assert (relation.stats.requests_sent, relation.stats.calls_failed) == (1, 0)


@pytest.mark.parametrize("mode", ["on", "off"])
def test_a_null_that_may_not_be_is_a_row_error_that_names_the_field(
    mode: str, scripted: Made
) -> None:
    one = scripted(lambda messages, spec: '{"a": null, "b": null}')
    one.con.set("llm_optimizer", mode)
    relation = one.con.sql(
        "SELECT LLM_GENERATE('x', returns => 'STRUCT(a DATE NULL, b DATE)', retries => 1)"
    )
    assert relation.fetchall() == [(None,)]
    assert relation.stats.requests_sent == 2
    assert "field 'b': null is not DATE" in relation.stats.failures[0]


def test_stats_of_what_was_asked_add_up_with_failures(scripted: Made) -> None:
    one = scripted(odd_fails)
    one.con.sql(f"SELECT LLM_GENERATE('y ' || {X}) FROM range(10) r(i)").fetchall()
    stats = one.con.last_stats or Stats()
    assert stats.calls_asked == stats.calls_shared + stats.calls_cached + stats.calls_run
    assert stats.calls_run == 15
