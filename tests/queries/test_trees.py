"""Aggregates that are longer than the context: trees of calls."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import Any

import hypothesis
import pyarrow as pa
import pytest
from hypothesis import strategies as st
from scripted_connection import Made, Scripted

import heliumql
from heliumql.engines.engine import CallSpec, Deliver
from heliumql.engines.simulated import Messages, ScriptedAnswer, SimulatedEngine
from heliumql.errors import EngineError
from heliumql.physical.aggregate import taken_apart
from heliumql.stats import Stats

NOTES = """
    CREATE TABLE notes AS
    SELECT 'short' AS topic, i, 'note ' || i AS body FROM range(3) AS r(i)
    UNION ALL SELECT 'long', i, 'a somewhat longer note of number ' || i FROM range(200) AS r(i)
    UNION ALL SELECT 'odd', i, repeat('é', i % 40) || i FROM range(60) AS r(i)
"""
QUERY = """
    SELECT topic, LLM_AGG(body, 'Sum up.' ORDER BY i, max_tokens => 32) AS said
    FROM notes GROUP BY topic ORDER BY topic
"""
WAYS: dict[str, dict[str, object]] = {
    "on": {"llm_verify": True},
    "small": {"llm_batch_rows": 1, "llm_window_bytes": 1},
    "off": {"llm_optimizer": "off"},
}


def numbers(messages: Messages, spec: CallSpec) -> str:
    """Which of the numbers of the texts come first and last, and how many texts there are."""
    found = re.findall(r"\d+", messages[-1][1].partition("\n---\n")[2])
    return f"{found[0]}..{found[-1]} of {len(taken_apart(messages[-1][1]).texts)}"


def consistent(stats: Stats) -> bool:
    return stats.calls_asked == (
        stats.calls_shared + stats.calls_cached + stats.calls_run - stats.calls_wasted
    )


def test_all_ways_give_the_same_rows_and_a_second_run_asks_nothing(scripted: Made) -> None:
    made = scripted(numbers, max_model_len=256)
    made.con.execute(NOTES)
    outcomes = {}
    for way, settings in WAYS.items():
        made.con.execute("CLEAR CACHE")
        for name, value in {"llm_optimizer": "on", **settings}.items():
            made.con.set(name, value)
        made.engine.log.clear()
        relation = made.con.sql(QUERY)
        rows, stats = relation.fetchall(), relation.stats
        asked = len(made.engine.log)
        assert consistent(stats)
        assert stats.calls_run == stats.requests_sent == asked
        assert all(taken_apart(prompt).texts for prompt in made.prompts)
        outcomes[way] = rows
        if way != "off":
            again = made.con.sql(QUERY)
            assert again.fetchall() == rows
            assert len(made.engine.log) == asked
            assert (again.stats.calls_asked, again.stats.calls_cached) == (3, 3)
    assert outcomes["on"] == outcomes["small"] == outcomes["off"]


def outcome(made: Scripted, query: str, way: str = "on") -> tuple[list[tuple[Any, ...]], Stats]:
    """Rows and stats of a query that finds nothing remembered."""
    made.con.execute("CLEAR CACHE")
    for name, value in {"llm_optimizer": "on", **WAYS[way]}.items():
        made.con.set(name, value)
    made.engine.log.clear()
    relation = made.con.sql(query)
    rows = relation.fetchall()
    assert consistent(relation.stats)
    return rows, relation.stats


@pytest.mark.parametrize("way", WAYS)
def test_a_text_that_is_too_long_by_itself_is_an_error_of_its_row(scripted: Made, way: str) -> None:
    made = scripted(numbers, max_model_len=256)
    made.con.execute(NOTES)
    made.con.execute("INSERT INTO notes VALUES ('odd', 30, repeat('long ', 400) || 7)")
    rows, stats = outcome(made, QUERY, way)
    assert [(topic, said is None) for topic, said in rows] == [
        ("long", False), ("odd", True), ("short", False),
    ]  # fmt: skip
    [reason] = stats.failures
    assert re.fullmatch(
        r"a text is too long by itself: the prompt has \d+ tokens, the context of .+ is 256", reason
    )
    assert (stats.calls_failed, stats.requests_sent) == (1, stats.calls_run - 1)


@pytest.mark.parametrize("way", WAYS)
def test_answers_that_do_not_get_shorter_end_with_an_error(scripted: Made, way: str) -> None:
    made = scripted(lambda messages, spec: "word " * 1000, max_model_len=64)
    made.con.execute(NOTES)
    rows, stats = outcome(made, QUERY.replace("32", "60"), way)
    assert dict(rows)["long"] is None
    assert any("answers about its parts do not get shorter" in f for f in stats.failures)
    assert len(made.engine.log) < 300


@pytest.mark.parametrize("way", WAYS)
def test_where_a_part_fails_its_group_has_no_answer(scripted: Made, way: str) -> None:
    def fails(messages: Messages, spec: CallSpec) -> ScriptedAnswer | str:
        if "number 150\n" in messages[-1][1]:
            return ScriptedAnswer(error="boom")
        return numbers(messages, spec)

    made = scripted(fails, max_model_len=256)
    made.con.execute(NOTES)
    rows, stats = outcome(made, QUERY, way)
    assert [(topic, said is None) for topic, said in rows] == [
        ("long", True), ("odd", False), ("short", False),
    ]  # fmt: skip
    assert (stats.failures, stats.calls_failed) == (("boom",), 1)
    with pytest.raises(heliumql.HeliumQLError, match="a call of LLM_AGG#1 failed: boom"):
        outcome(made, QUERY.replace("32", "32, on_error => 'fail'"), way)


def test_what_is_done_of_a_tree_is_not_done_again(scripted: Made) -> None:
    broken = True

    def merges_fail(messages: Messages, spec: CallSpec) -> ScriptedAnswer | str:
        if broken and "make one answer of them" in messages[-1][1]:
            return ScriptedAnswer(error="boom")
        return numbers(messages, spec)

    made = scripted(merges_fail, max_model_len=256)
    made.con.execute(NOTES)
    rows, first = outcome(made, QUERY)
    assert dict(rows)["long"] is None
    broken = False
    relation = made.con.sql(QUERY)
    assert dict(relation.fetchall())["long"] is not None
    # the merges of the two long groups alone; their chunks and the short group are remembered
    assert relation.stats.calls_run == 2
    assert relation.stats.calls_cached == first.calls_run - 2
    assert consistent(relation.stats)


@pytest.mark.parametrize("way", WAYS)
def test_answers_are_read_and_are_read_from(scripted: Made, way: str) -> None:
    made = scripted(numbers, max_model_len=256)
    made.con.execute(NOTES)
    query = """
        WITH sums AS (
            SELECT topic, LLM_AGG(LLM_GENERATE('Note' || e'\\n---\\n' || body),
                                  'Sum up.' ORDER BY i) AS said
            FROM notes GROUP BY topic
        )
        SELECT topic, said, LLM_GENERATE('Once more.' || e'\\n---\\n' || said) FROM sums
        WHERE said LIKE '%of%' ORDER BY topic
    """
    rows, stats = outcome(made, query, way)
    assert len(rows) == 3
    assert all(None not in row for row in rows)
    reference, _ = outcome(made, query, "off")
    assert rows == reference
    assert stats.calls_run > 263


def test_equal_groups_are_one_tree(scripted: Made) -> None:
    made = scripted(numbers, max_model_len=256)
    made.con.execute(NOTES)
    _, once = outcome(made, QUERY.replace("FROM notes", "FROM notes WHERE topic = 'long'"))
    twice = (
        "SELECT twin, LLM_AGG(body, 'Sum up.' ORDER BY i, max_tokens => 32) FROM notes, "
        "range(2) AS t(twin) WHERE topic = 'long' GROUP BY twin"
    )
    rows, stats = outcome(made, twice)
    assert rows[0][1] == rows[1][1]
    assert (stats.calls_run, stats.calls_shared) == (once.calls_run, 1)


def test_queries_together_share_trees_and_each_accounts_for_its_own(scripted: Made) -> None:
    made = scripted(numbers, max_model_len=256)
    made.con.execute(NOTES)
    _, alone = outcome(made, QUERY)
    for abandoned in (None, 0, 1):
        made.con.execute("CLEAR CACHE")
        made.engine.log.clear()
        relations = made.con.sql_many([QUERY, QUERY])
        if abandoned is not None:
            batches = relations[abandoned].batches()
            next(batches)
            batches.close()
        rows = [r.fetchall() for n, r in enumerate(relations) if n != abandoned]
        assert all(len(found) == 3 for found in rows)
        stats = [r.stats for n, r in enumerate(relations) if n != abandoned]
        assert all(map(consistent, stats))
        assert len(made.engine.log) == alone.calls_run
        if abandoned is None:
            assert sum(s.calls_run for s in stats) == alone.calls_run
            assert [s.calls_asked for s in stats] == [alone.calls_asked] * 2


@pytest.mark.parametrize("way", ["on", "off"])
def test_drawn_answers_are_drawn_for_each_tree(scripted: Made, way: str) -> None:
    made = scripted(numbers, max_model_len=256)
    made.con.execute(NOTES)
    query = (
        "SELECT twin, LLM_AGG(body, 'Sum up.' ORDER BY i, max_tokens => 32, temperature => 1) "
        "FROM notes, range(2) AS t(twin) WHERE topic = 'long' GROUP BY twin"
    )
    _, stats = outcome(made, query, way)
    prompts = Counter(made.prompts)
    assert set(prompts.values()) == {2}
    assert stats.calls_run == 2 * len(prompts)


def test_refreshed_answers_are_asked_for_again(scripted: Made) -> None:
    made = scripted(numbers, max_model_len=256)
    made.con.execute(NOTES)
    rows, first = outcome(made, QUERY)
    again = made.con.sql(QUERY.replace("32", "32, cache => 'refresh'"))
    assert again.fetchall() == rows
    assert again.stats.calls_run == first.calls_run


def test_a_statement_that_is_abandoned_leaves_nothing_of_its_trees(scripted: Made) -> None:
    made = scripted(numbers, max_model_len=256, latency_seconds=0.01)
    made.con.execute(NOTES)

    def interrupts(messages: Messages, spec: CallSpec) -> str:
        if len(made.engine.log) == 5:
            made.con.interrupt()
        return numbers(messages, spec)

    made.engine._script = interrupts
    with pytest.raises(heliumql.HeliumQLError, match="interrupted"):
        made.con.sql(QUERY).fetchall()
    assert all(call.answer is not None for call in made.engine.log)
    asked = len(made.engine.log)
    made.engine._script = numbers
    rows = made.con.sql(QUERY).fetchall()
    assert rows == outcome(made, QUERY)[0]
    assert asked < len(made.engine.log)


def test_after_a_failure_no_part_is_begun(scripted: Made) -> None:
    def fails(messages: Messages, spec: CallSpec) -> ScriptedAnswer | str:
        return ScriptedAnswer(error="boom") if "0\n" in messages[-1][1] else "1"

    made = scripted(fails, max_model_len=256, max_num_seqs=2, max_num_batched_tokens=512)
    made.con.execute(NOTES)
    query = QUERY.replace("32", "32, on_error => 'fail'")
    with pytest.raises(heliumql.HeliumQLError, match="boom"):
        made.con.sql(query).fetchall()
    assert 0 < len(made.engine.log) < 8


class Silent(SimulatedEngine):
    """Refuses what is too long, and does not say how long anything is."""

    context_tokens = None  # type: ignore[assignment]

    def submit(self, spec: CallSpec, requests: pa.RecordBatch, deliver: Deliver) -> None:
        def deliver_less(answers: pa.RecordBatch | EngineError) -> None:
            assert isinstance(answers, pa.RecordBatch)
            place = answers.schema.get_field_index("prompt_tokens")
            zeros = pa.array([0] * answers.num_rows, pa.int32())
            deliver(answers.set_column(place, "prompt_tokens", zeros))

        super().submit(spec, requests, deliver_less)


def test_where_nothing_is_known_of_the_context_texts_are_halved_until_they_fit() -> None:
    engine = Silent({"max_model_len": 256}, numbers)
    with heliumql.connect() as con:
        con.register_model("m", engine)
        con.execute(NOTES)
        rows = con.sql(QUERY).fetchall()
        assert all(said is not None for _, said in rows)
        con.execute("SET llm_optimizer = 'off'")
        assert con.sql(QUERY).fetchall() == rows


def test_explain_analyze_shows_the_parts_under_their_operator(scripted: Made) -> None:
    made = scripted(numbers, max_model_len=256)
    made.con.execute(NOTES)
    _, stats = outcome(made, QUERY)
    made.con.execute("CLEAR CACHE")
    text = made.con.sql("EXPLAIN ANALYZE " + QUERY).fetchall()
    assert f"happened: {stats.calls_run} calls run, 0 failed" in str(text)


@hypothesis.settings(deadline=None, max_examples=25)
@hypothesis.given(
    st.lists(st.text("a1é \n-", max_size=300), min_size=1, max_size=25), st.integers(40, 200)
)
def test_any_texts_in_any_context(texts: list[str], context: int) -> None:
    def known(messages: Messages, spec: CallSpec) -> str:
        return hashlib.md5(messages[-1][1].encode()).hexdigest()[: len(messages[-1][1]) % 30]

    engine = SimulatedEngine({"max_model_len": context, "instant": True}, known)
    with heliumql.connect() as con:
        con.register_model("m", engine)
        con.register("notes", pa.table({"i": range(len(texts)), "body": texts}))
        query = "SELECT LLM_AGG(body, 'Sum up.' ORDER BY i, max_tokens => 8) FROM notes"
        found = con.sql(query)
        rows = found.fetchall()
        assert consistent(found.stats)
        for prompt in engine.log:
            assert len(prompt.prompt.encode()) < 4 * context
        con.execute("SET llm_optimizer = 'off'")
        assert con.sql(query).fetchall() == rows


def test_a_budget_counts_the_parts_and_a_later_run_goes_on(scripted: Made) -> None:
    made = scripted(numbers, max_model_len=256)
    made.con.execute(NOTES)
    whole, stats = outcome(made, QUERY)
    made.con.execute("CLEAR CACHE")
    made.con.execute(f"SET llm_max_calls = {stats.calls_run - 3}")
    with pytest.raises(heliumql.HeliumQLError, match="llm_max_calls"):
        made.con.sql(QUERY).fetchall()
    made.con.execute("CLEAR CACHE; SET llm_on_budget = 'partial'")
    some = made.con.sql(QUERY)
    rows = dict(some.fetchall())
    assert some.stats.calls_run == stats.calls_run - 3
    assert some.stats.calls_refused > 0
    assert None in rows.values()
    assert consistent(some.stats)
    made.con.execute("SET llm_on_budget = 'error'")
    rest = made.con.sql(QUERY)
    assert rest.fetchall() == whole
    assert rest.stats.calls_run == 3
