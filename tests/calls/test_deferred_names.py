"""Calls are found by the names they had while they waited for others; and when they are not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import heliumql
from heliumql.calls.answers import Answer, AnswerStore
from heliumql.calls.operator import Operator
from heliumql.connection import Connection
from heliumql.engines.simulated import SimulatedEngine
from heliumql.relations.relation import Relation

OPERATOR = Operator(b"t" * 16, b"k" * 16, "model", "g")
FINAL, OTHER, NAME = b"f" * 16, b"o" * 16, b"n" * 16
CHAIN = """
SELECT LLM_GENERATE('Judge: {draft}') AS judged
FROM (SELECT LLM_GENERATE('Write about {topic}'{cache}) AS draft FROM topics)"""


@pytest.fixture
def store() -> Iterator[AnswerStore]:
    store = AnswerStore()
    store.put({FINAL: Answer("said"), OTHER: Answer("else")}, OPERATOR)
    store.names().note_deferred({NAME: FINAL})
    yield store
    store.close()


@pytest.mark.parametrize("flushed", [False, True])
def test_an_answer_has_another_name(store: AnswerStore, flushed: bool) -> None:
    if flushed:
        store.flush()
    found = store.get_deferred([NAME, OTHER])
    assert {name: answer.text for name, answer in found.items()} == {NAME: "said"}
    assert store.get([NAME]) == {}


def test_the_other_name_takes_room(store: AnswerStore) -> None:
    before = store.size
    store.flush()
    assert store.size > before


@pytest.mark.parametrize("flushed", [False, True])
def test_it_goes_with_the_answer(store: AnswerStore, flushed: bool) -> None:
    if flushed:
        store.flush()
    store.clear()
    assert store.get_deferred([NAME]) == {}
    store.put({FINAL: Answer("said anew")}, OPERATOR)
    assert store.get_deferred([NAME]) == {}


def test_an_answer_that_is_evicted_takes_its_names(store: AnswerStore) -> None:
    store.flush()
    store.max_bytes = 500
    store.put({b"x" * 16: Answer("x" * 300)}, OPERATOR)
    assert store.get([FINAL]) == {}
    with store.storage.reading() as db:
        assert db is not None
        assert db.execute("SELECT count(*) FROM deferred").fetchone() == (0,)


@pytest.mark.parametrize("flushed", [False, True])
def test_none_outlives_an_answer_that_is_replaced(store: AnswerStore, flushed: bool) -> None:
    """What was made of the old answer is not what would be made of the new one."""
    if flushed:
        store.flush()
    store.put({OTHER: Answer("changed")}, OPERATOR)
    assert store.get_deferred([NAME]) == {}
    assert store.get([FINAL])[FINAL].text == "said"


def test_none_outlives_an_answer_that_is_forgotten(store: AnswerStore) -> None:
    (number, identity), *_ = next(store.rows(["identity"]))
    store.forget([number])
    assert store.get_deferred([NAME]) == {}
    assert store.get([identity]) == {}


@pytest.fixture
def chain() -> Iterator[tuple[Connection, SimulatedEngine]]:
    engine = SimulatedEngine({"instant": True})
    with heliumql.connect() as con:
        con.register_model("m", engine)
        con.execute("CREATE TABLE topics AS SELECT 'tea' AS topic")
        yield con, engine


def calls_run(con: Connection, cache: str = "") -> int:
    relation = con.sql(CHAIN.replace("{cache}", cache))
    assert isinstance(relation, Relation)
    relation.fetchall()
    return relation.stats.calls_run


def test_a_chain_is_found_by_its_end(chain: tuple[Connection, SimulatedEngine]) -> None:
    con, _ = chain
    assert calls_run(con) == 2
    with con._session.shared.store.storage.writing() as db:
        db.execute("DELETE FROM answers WHERE id = 1")  # the draft is not kept any more
    assert calls_run(con) == 0


@pytest.mark.parametrize("cache", ["refresh", "off"])
def test_what_reads_a_call_that_is_asked_anew_is_found_by_its_text(
    chain: tuple[Connection, SimulatedEngine], cache: str
) -> None:
    con, engine = chain
    assert calls_run(con) == 2
    assert calls_run(con, f", cache => '{cache}'") == 1  # the judge reads the same draft
    assert engine.log[-1].prompt == "Write about tea"
    assert calls_run(con) == 0
