"""Verbs in views, macros, prepared statements and what writes; and queries/verbs.hql."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from scripted_connection import Made, Scripted

import heliumql
from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import ScriptedAnswer

REPOSITORY = Path(__file__).parents[2]
WAYS = (
    {"llm_optimizer": "on", "llm_verify": True},
    {"llm_optimizer": "on", "llm_batch_rows": 2},
    {"llm_optimizer": "off"},
)
GOOD, BAD = "good", "bad"


def answer(messages: tuple[tuple[str, str], ...], spec: CallSpec) -> str | ScriptedAnswer:
    """What a model says that looks for words alone, by the form of the prompt."""
    said = messages[-1][1]
    text = said.rpartition("Text: ")[2]
    match spec.returns.name:
        case "ENUM":
            return spec.returns.values[0 if GOOD in text else 1]
        case "LIST":
            assert spec.returns.item is not None
            found = [v for v in spec.returns.item.values if v in text]
            return "[" + ", ".join(f'"{v}"' for v in [*reversed(found), *found]) + "]"
        case "STRUCT":
            first = re.search(r"\w+", text)
            shown = f'"{first[0]}"' if first else "null"
            return "{" + ", ".join(f'"{n}": {shown}' for n, _ in spec.returns.fields) + "}"
        case "DOUBLE":
            return f"{len(said)}"
        case "BOOLEAN":
            return "true" if BAD in said else "false"
        case "INTEGER":
            return f"{len(text.split(chr(10) + '---' + chr(10))) - 1}"
        case _:
            return said.replace("\n---\n", "|")


@pytest.fixture
def one(scripted: Made) -> Scripted:
    made = scripted(answer)
    made.con.execute(
        "CREATE TABLE t AS FROM (VALUES (1, 'x', 'a good b'), (2, 'x', 'so bad'), "
        "(3, 'y', 'good and bad'), (4, 'y', NULL), (5, 'z', NULL)) AS t(id, k, body)"
    )
    return made


def rows(one: Scripted, query: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    """The rows of the query, which every way must give."""
    found = []
    for way in WAYS:
        one.con.execute("CLEAR CACHE")
        for name, value in way.items():
            one.con.set(name, value)
        relation = one.con.sql(query, parameters)
        assert relation is not None
        found.append(relation.fetchall())
    one.con.set("llm_optimizer", "on")
    assert found[0] == found[1] == found[2]
    return found[0]


VALUES = {
    "LLM_CLASSIFY(body, ['fine', 'poor'])": ["fine", "poor", "fine", None, None],
    "LLM_CLASSIFY(body, ['bad', 'good', 'so'], multi => true)":
        [["good"], ["bad", "so"], ["bad", "good"], None, None],
    "LLM_EXTRACT(body, ['w'])": [{"w": "a"}, {"w": "so"}, {"w": "good"}, None, None],
    "LLM_EXTRACT(body, {'w': 'Which?'}).w": ["a", "so", "good", None, None],
    "LLM_SCORE(body)": [30.0, 28.0, 34.0, None, None],
    "LLM_CLASSIFY(NULL, ['fine', 'poor'])": [None] * 5,
}  # fmt: skip


@pytest.mark.parametrize("call", VALUES)
def test_null_is_null_without_a_call(one: Scripted, call: str) -> None:
    assert rows(one, f"SELECT {call} FROM t ORDER BY id") == [(v,) for v in VALUES[call]]
    assert not [p for p in one.prompts if "NULL" in p]
    asked = len(one.prompts) // len(WAYS)
    assert asked == sum(v is not None for v in VALUES[call])


def test_columns_have_the_names_of_verbs(one: Scripted) -> None:
    relation = one.con.sql(
        "SELECT LLM_CLASSIFY(body, ['a', 'b']), LLM_SCORE(body), LLM_EXTRACT(body, ['a']) FROM t"
    )
    assert relation is not None
    assert relation.arrow().column_names == ["llm_classify", "llm_score", "llm_extract"]
    relation = one.con.sql("SELECT LLM_AGG(body, 'i'), LLM_AGG(k, 'i') FROM t")
    assert relation is not None
    assert relation.arrow().column_names == ["llm_agg", "llm_agg_1"]


def test_a_group_without_texts_is_null_without_a_call(one: Scripted) -> None:
    query = "SELECT k, LLM_AGG(body, 'On {k}.' ORDER BY id DESC) FROM t GROUP BY k ORDER BY k"
    assert rows(one, query) == [
        ("x", "On x.|so bad|a good b"), ("y", "On y.|good and bad"), ("z", None),
    ]  # fmt: skip
    assert len(one.prompts) == 2 * len(WAYS)
    assert rows(one, "SELECT LLM_AGG(body, 'All.') FROM t WHERE id > 9") == [(None,)]


def test_a_column_that_is_not_grouped_is_no_part_of_the_instruction(one: Scripted) -> None:
    with pytest.raises(heliumql.HeliumQLError, match="GROUP BY") as caught:
        one.con.sql("SELECT LLM_AGG(body, 'On {id}.') FROM t GROUP BY k")
    assert caught.value.span is not None
    assert caught.value.span.start == len("SELECT LLM_AGG(body, 'On ")


def test_distinct_texts_have_an_order(one: Scripted) -> None:
    query = "SELECT LLM_AGG(DISTINCT k, 'All.') FILTER (WHERE id <> 3) FROM t, range(3)"
    assert rows(one, query) == [("All.|x|y|z",)]


def test_they_stand_in_views_and_macros(one: Scripted) -> None:
    one.con.execute("CREATE VIEW v AS SELECT id, LLM_CLASSIFY(body, ['fine', 'poor']) AS c FROM t")
    one.con.execute("CREATE MACRO size(x) AS LLM_SCORE('{x}')")
    one.con.execute("CREATE MACRO told(what, of) AS LLM_AGG(what, 'Tell {of}.' ORDER BY what)")
    one.con.execute(
        "CREATE MACRO words(x) AS TABLE SELECT g.* FROM LLM_EXTRACT(x, ['w', 'v']) AS g"
    )
    assert rows(one, "SELECT c, count(*) FROM v GROUP BY c ORDER BY c") == [
        ("fine", 2), ("poor", 1), (None, 2),
    ]  # fmt: skip
    assert rows(one, "SELECT size(body) FROM t WHERE id = 1") == [(30.0,)]
    assert rows(one, "SELECT k, told(body, k) FROM t WHERE id < 3 GROUP BY k") == [
        ("x", "Tell x.|a good b|so bad"),
    ]  # fmt: skip
    assert rows(one, "SELECT id, w FROM t, words(body) WHERE id < 3 ORDER BY id") == [
        (1, "a"), (2, "so"),
    ]  # fmt: skip


def test_they_are_prepared_and_take_parameters(one: Scripted) -> None:
    one.con.execute("PREPARE p AS SELECT id, LLM_SCORE('{body}') FROM t WHERE id = $1")
    assert rows(one, "EXECUTE p(2)") == [(2, 28.0)]
    query = "SELECT LLM_CLASSIFY($text, ['fine', 'poor'])"
    assert rows(one, query, {"text": "good"}) == [("fine",)]
    query = "SELECT LLM_AGG(body, 'Of ' || $kind || '.' ORDER BY id) FROM t WHERE k = $kind"
    assert rows(one, query, {"kind": "x"}) == [("Of x.|a good b|so bad",)]


def test_rows_that_are_written_hold_them(one: Scripted) -> None:
    con = one.con
    con.execute("CREATE TABLE r AS SELECT id, LLM_EXTRACT(body, ['w']) AS e FROM t")
    con.execute("INSERT INTO r SELECT 9, LLM_EXTRACT('{k}', ['w']) FROM t WHERE id = 1")
    assert con.duckdb.execute("SELECT e.w FROM r ORDER BY id").fetchall() == [
        ("a",), ("so",), ("good",), (None,), (None,), ("x",),
    ]  # fmt: skip
    told = con.sql(
        "UPDATE t SET k = LLM_CLASSIFY(body, ['fine', 'poor']) WHERE id < 3 RETURNING id, k"
    )
    assert told is not None
    assert sorted(told.fetchall()) == [(1, "fine"), (2, "poor")]
    told = con.sql("DELETE FROM t WHERE LLM_SCORE(body) > 30 RETURNING LLM_SCORE('{k}')")
    assert told is not None
    assert told.fetchall() == [(23.0,)]


def test_they_are_conditions_of_joins_and_steps_of_recursions(one: Scripted) -> None:
    query = """SELECT a.id, b.id FROM t AS a JOIN t AS b
               ON a.k = b.k AND LLM_CLASSIFY('{a.body}, {b.body}', ['fine', 'poor']) = 'fine'
               AND a.id <> b.id ORDER BY ALL"""
    assert rows(one, query) == [(1, 2), (2, 1)]
    query = """WITH RECURSIVE r(i, s) AS (
                 SELECT 1, LLM_AGG(body, 'All.' ORDER BY id) FROM t WHERE id < 3
                 UNION ALL
                 SELECT i + 1, LLM_EXTRACT(s, ['w']).w FROM r WHERE i < 3 AND LLM_SCORE(s) > 20)
               FROM r ORDER BY i"""
    assert rows(one, query) == [(1, "All.|a good b|so bad"), (2, "All"), (3, "All")]


def test_a_typed_answer_about_a_group(one: Scripted) -> None:
    query = """SELECT k, LLM_AGG(body, 'How many?' RETURNS INTEGER ORDER BY id) AS n
               FROM t GROUP BY k HAVING n > 0 ORDER BY k"""
    assert rows(one, query) == [("x", 2), ("y", 1)]


def test_other_samples_of_an_extraction_are_rows(one: Scripted) -> None:
    query = "SELECT id, g.w, g.sample FROM t, LATERAL LLM_EXTRACT(body, ['w'], n => 2) AS g"
    assert Counter(rows(one, query)) == Counter(
        (i, w, s)
        for i, w in ((1, "a"), (2, "so"), (3, "good"), (4, None), (5, None))
        for s in (1, 2)
    )


def test_the_query_that_shows_every_verb(scripted: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    text = (REPOSITORY / "queries" / "verbs.hql").read_text("utf-8")
    seen = []
    for way in WAYS:
        one = scripted(answer)
        for name, value in way.items():
            one.con.set(name, value)
        results = [one.con.run(parsed) for parsed in one.con.statements(text)]
        seen.append([r.fetchall() for r in results if r is not None])
    assert seen[0] == seen[1] == seen[2]
    verbs = {v for v in ("CLASSIFY", "EXTRACT", "SCORE", "AGG", "FILTER", "GENERATE") if v in text}
    assert len(verbs) == 6
    sentiments, topics, extracted, angry, complaints, replies = seen[0][-6:]
    assert sum(count for _, count, _ in sentiments) == 24
    assert {topic for topic, _ in topics} <= {"price", "delivery", "service"}
    assert len(extracted) == 6
    assert [score for _, score in angry] == sorted((s for _, s in angry), reverse=True)
    assert {row[0] for row in complaints} >= {"audio"}
    assert len(replies) == 4


@pytest.mark.parametrize("optimizer", ["on", "off"])
def test_a_message_without_a_role_is_refused(optimizer: str) -> None:
    with heliumql.connect() as con:
        con.execute("CREATE MODEL m WITH (engine = 'simulated')")
        con.set("llm_optimizer", optimizer)
        query = "SELECT LLM_GENERATE('x', history => [{'rol': 'user', 'content': 'hi'}])"
        with pytest.raises(heliumql.HeliumQLError, match="a message of a history has no role"):
            con.sql(query).fetchall()
