"""Samples: n rows of one prompt, seeds, and calls that are drawn at random once for each row."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

import heliumql
from heliumql.connection import Connection
from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import SimulatedEngine

MODES = ("on", "off")


@pytest.fixture
def con() -> Iterator[Connection]:
    """A model that never says the same twice, unless it is told a seed."""
    drawn = itertools.count(1)

    def answer(messages: tuple[tuple[str, str], ...], spec: CallSpec) -> str:
        sampling = spec.sampling
        if sampling.temperature and sampling.seed is None:
            return f"{messages[-1][1]} drawn {next(drawn)}"
        return f"{messages[-1][1]} seed {sampling.seed}"

    with heliumql.connect() as connection:
        engine = SimulatedEngine({"instant": True, "log": False}, answer)
        connection.register_model("m", engine)
        connection.execute("CREATE TABLE t AS FROM (VALUES (1, 'a'), (2, 'b'), (3, 'b')) t(id, x)")
        yield connection


def rows(con: Connection, query: str, mode: str) -> list[tuple[object, ...]]:
    con.set("llm_optimizer", mode)
    relation = con.sql(query)
    assert relation is not None
    return list(relation.fetchall())


@pytest.mark.parametrize("mode", MODES)
def test_every_row_and_sample_has_a_draw_of_its_own(con: Connection, mode: str) -> None:
    query = (
        "SELECT id, sample, text FROM t, LATERAL LLM_GENERATE('{x}', n => 3, temperature => 1) g"
    )
    found = rows(con, query, mode)
    assert [(i, s) for i, s, _ in found] == [(i, s) for i in (1, 2, 3) for s in (1, 2, 3)]
    assert len({text for *_, text in found}) == 9


@pytest.mark.parametrize("mode", MODES)
def test_the_kth_sample_has_the_kth_seed(con: Connection, mode: str) -> None:
    query = (
        "SELECT id, sample, text FROM t, "
        "LATERAL LLM_GENERATE('{x}', n => 2, temperature => 1, seed => 7) g"
    )
    texts = {(i, s): text for i, s, text in rows(con, query, mode)}
    assert texts[1, 1] == "a seed 7"
    assert texts[1, 2] == "a seed 8"
    assert texts[2, 1] == texts[3, 1] == "b seed 7"


@pytest.mark.parametrize("mode", MODES)
def test_a_seed_of_the_model_counts_up_too(con: Connection, mode: str) -> None:
    con.register_model(
        "seeded",
        SimulatedEngine({"instant": True, "log": False}, lambda m, s: str(s.sampling.seed)),
        seed=3,
        temperature=0.5,
    )
    query = "SELECT text FROM LLM_GENERATE('x', n => 3, model => 'seeded') g"
    assert rows(con, query, mode) == [("3",), ("4",), ("5",)]


@pytest.mark.parametrize("mode", MODES)
def test_a_cte_that_is_read_twice_is_drawn_once(con: Connection, mode: str) -> None:
    query = (
        "WITH d AS (SELECT id, sample, text FROM t, "
        "LATERAL LLM_GENERATE('{x}', n => 2, temperature => 1) g) "
        "SELECT a.text = b.text FROM d AS a JOIN d AS b USING (id, sample)"
    )
    assert rows(con, query, mode) == [(True,)] * 6


@pytest.mark.parametrize("mode", MODES)
def test_what_is_tested_is_what_comes_out(con: Connection, mode: str) -> None:
    query = (
        "SELECT text, upper(text) FROM (SELECT text FROM t, "
        "LATERAL LLM_GENERATE('{x}', temperature => 1) g) "
        "WHERE text LIKE '% drawn %' ORDER BY text"
    )
    found = rows(con, query, mode)
    assert len(found) == 3
    assert all(upper == str(text).upper() for text, upper in found)


@pytest.mark.parametrize("mode", MODES)
def test_the_conversation_and_what_is_told_of_a_draw_are_its_own(
    con: Connection, mode: str
) -> None:
    query = (
        "SELECT text, messages[-1].content, llm.output_tokens FROM t, "
        "LATERAL LLM_GENERATE('{x}', n => 2, temperature => 1) AS g"
    )
    relation_rows = rows(con, query, mode)
    assert len(relation_rows) == 6
    assert all(text == reply for text, reply, _ in relation_rows)
    assert con.last_stats is not None
    assert con.last_stats.calls_run == 6


def test_seeded_samples_are_remembered(con: Connection) -> None:
    query = "SELECT text FROM t, LATERAL LLM_GENERATE('{x}', n => 2, temperature => 1, seed => 1) g"
    rows(con, query, "on")
    rows(con, query, "on")
    assert con.last_stats is not None
    assert con.last_stats.calls_run == 0


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT LLM_GENERATE('{x}', n => 2) FROM t", "n > 1 gives several rows"),
        ("SELECT text FROM t, LATERAL LLM_GENERATE('{x}', n => 0) g", "n must be a whole number"),
        ("SELECT text FROM t, LATERAL LLM_GENERATE('{x}', n => 1000) g", "from 1 to 256"),
        ("CREATE PROMPT p(x) WITH (n = 2) AS 'Of {x}'", "a prompt is one value a row"),
    ],
)
def test_mistakes(con: Connection, query: str, message: str) -> None:
    with pytest.raises(heliumql.HeliumQLError, match=message) as caught:
        con.execute(query)
    assert caught.value.span is not None
