"""A model that thinks before it answers: only the answer counts, and calls say whether to think."""

from __future__ import annotations

import pytest
from scripted_connection import Made

import heliumql
from heliumql.engines.engine import CallSpec, Messages
from heliumql.engines.simulated import ScriptedAnswer, SimulatedEngine

NOTES = "(VALUES (1, 'plum'), (2, 'pear'), (3, 'fig')) AS notes(id, body)"


def thinker(messages: Messages, spec: CallSpec) -> ScriptedAnswer:
    """Thinks aloud in one of several ways, or not where it is told so."""
    prompt = messages[-1][1]
    answer = "true" if spec.returns.name == "BOOLEAN" else prompt.split()[1]
    if spec.thinking == "off":
        return ScriptedAnswer(answer)
    thoughts = f"is it {prompt}?"
    begun = "" if "pear" in prompt else "<think>\n"
    return ScriptedAnswer(f"{begun}{thoughts}\n</think>\n\n{answer}", output_tokens=50)


QUERIES = {
    "text": ("SELECT LLM_GENERATE('say {body}')", ["plum", "pear", "fig"]),
    "a chain": ("SELECT LLM_GENERATE('say ' || LLM_GENERATE('say {body}'))",
                ["plum", "pear", "fig"]),
    "a condition": ("SELECT id FROM notes WHERE LLM_FILTER('good? {body}') ORDER BY id", [1, 2, 3]),
    "an enum": ("SELECT LLM_GENERATE('say {body}' RETURNS ENUM('plum', 'pear', 'fig'))",
                ["plum", "pear", "fig"]),
    "not told to think": ("SELECT LLM_GENERATE('say {body}', thinking => 'off')",
                          ["plum", "pear", "fig"]),
}  # fmt: skip


@pytest.mark.parametrize("mode", ["on", "small batches", "off"])
@pytest.mark.parametrize("kind", QUERIES)
def test_thoughts_are_no_part_of_a_value(kind: str, mode: str, scripted: Made) -> None:
    one = scripted(thinker)
    one.con.set("llm_optimizer", "off" if mode == "off" else "on")
    one.con.set("llm_batch_rows", 1 if mode == "small batches" else 1024)
    one.con.execute(f"CREATE TABLE notes AS FROM {NOTES}")
    query, expected = QUERIES[kind]
    if "FROM notes" not in query:
        query += " FROM notes ORDER BY id"
    assert [row[0] for row in one.con.sql(query).fetchall()] == expected


def test_a_conversation_goes_on_without_thoughts(scripted: Made) -> None:
    one = scripted(thinker)
    rows = one.con.sql(
        "SELECT h.text, g.messages FROM LLM_GENERATE('say plum') g, "
        "LATERAL LLM_GENERATE('again fig', history => g.messages) h"
    ).fetchall()
    said = [{"role": "user", "content": "say plum"}, {"role": "assistant", "content": "plum"}]
    assert rows == [("fig", said)]
    assert one.engine.log[-1].messages[1] == ("assistant", "plum")


def test_thoughts_are_paid_for(scripted: Made) -> None:
    relation = scripted(thinker).con.sql("SELECT LLM_GENERATE('say plum')")
    relation.fetchall()
    assert relation.stats.output_tokens == 50


def test_a_tag_in_the_middle_is_text(scripted: Made) -> None:
    text = "In <think> tags, as in <think>so</think>, thoughts stand."
    one = scripted(lambda messages, spec: text)
    assert one.con.sql("SELECT LLM_GENERATE('what is it?')").fetchall() == [(text,)]
    one = scripted(lambda messages, spec: '{"tag": "</think>"}')
    query = "SELECT LLM_GENERATE('what ends it?' RETURNS STRUCT(tag VARCHAR))"
    assert one.con.sql(query).fetchall() == [({"tag": "</think>"},)]


@pytest.mark.parametrize("mode", ["on", "off"])
def test_thoughts_that_are_cut_off_are_asked_for_again_with_more_room(
    mode: str, scripted: Made
) -> None:
    one = scripted(lambda messages, spec: "<think>" + "so " * 40 + "</think>yes")
    one.con.set("llm_optimizer", mode)
    relation = one.con.sql("SELECT LLM_GENERATE('well?', max_tokens => 20)")
    assert relation.fetchall() == [("yes",)]
    assert [call.spec.sampling.max_tokens for call in one.engine.log] == [20, 40]
    assert (relation.stats.calls_run, relation.stats.requests_sent) == (1, 2)


def test_thoughts_without_an_end_are_an_error_of_the_row(scripted: Made) -> None:
    one = scripted(lambda messages, spec: "<think>" + "so " * 4000)
    query = "SELECT LLM_GENERATE('well?', max_tokens => 20, retries => 1)"
    relation = one.con.sql(query)
    assert relation.fetchall() == [(None,)]
    assert relation.stats.failures == ("cut off at 40 tokens: thinking used up max_tokens",)
    one = scripted(lambda messages, spec: "<think>so")
    relation = one.con.sql(query)
    assert relation.fetchall() == [(None,)]
    assert relation.stats.failures == ("the model stopped while it was thinking",)


def test_whether_to_think_is_said_by_the_call_or_else_by_its_model() -> None:
    with heliumql.connect() as con:
        engine = SimulatedEngine({"engine": "simulated"}, thinker)
        con.register_model("m", engine, model="one", thinking="off")
        con.execute("CREATE PROMPT p(x VARCHAR) WITH (thinking = 'on') AS $$say {x}$$")
        for query in (
            "SELECT LLM_GENERATE('say a')",
            "SELECT LLM_GENERATE('say b', thinking => 'auto')",
            "SELECT LLM_GENERATE('say c', thinking => true)",
            "SELECT p('d')",
        ):
            con.sql(query).fetchall()
        assert [c.spec.thinking for c in engine.log] == ["off", "auto", "on", "on"]


def test_calls_that_differ_in_thinking_are_not_the_same() -> None:
    with heliumql.connect() as con:
        engine = SimulatedEngine({"engine": "simulated"}, thinker)
        con.register_model("m", engine, model="one")
        con.register_model("quiet", engine, model="one", thinking=False)

        def asked(more: str) -> int:
            con.sql(f"SELECT LLM_GENERATE('say a'{more})").fetchall()
            return len(engine.log)

        assert asked(", model => 'm'") == 1
        assert asked(", model => 'm', thinking => 'off'") == 2
        assert asked(", model => 'm', thinking => 'auto'") == 2
        assert asked(", model => 'quiet'") == 2  # as the call that said so itself
        assert asked(", model => 'quiet', thinking => 'on'") == 3


def test_a_wrong_value_is_pointed_at() -> None:
    with heliumql.connect() as con:
        with pytest.raises(heliumql.HeliumQLError) as raised:
            con.sql("SELECT LLM_GENERATE('a', thinking => 'hard')")
        assert raised.value.message == "thinking must be 'on', 'off' or 'auto'"
        assert raised.value.span is not None
        with pytest.raises(heliumql.HeliumQLError) as raised:
            con.execute("CREATE MODEL q WITH (engine = 'simulated', thinking = 3)")
        assert raised.value.message == "thinking must be 'on', 'off' or 'auto'"
        assert raised.value.span is not None
        twice = "chat_template_kwargs = {'a': 1}, chat_template_args = {'a': 1}"
        with pytest.raises(heliumql.HeliumQLError, match="are the same option") as raised:
            con.execute(f"CREATE MODEL q WITH (engine = 'openai', model = 'q', {twice})")
