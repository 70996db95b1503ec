"""Semantic joins: which pairs are asked about, and how many of them wait at once."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import pytest

import heliumql
from heliumql.calls.minted import MintedCalls
from heliumql.connection import Connection
from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import SimulatedEngine
from heliumql.physical import passes


def answer(messages: tuple[tuple[str, str], ...], spec: CallSpec) -> str:
    return "false" if zlib.crc32(messages[-1][1].encode()) % 3 else "true"


@pytest.fixture
def con() -> Iterator[Connection]:
    with heliumql.connect() as connection:
        engine = SimulatedEngine({"instant": True, "log": False}, answer)
        connection.register_model("m", engine)
        for name in ("a", "b"):
            connection.execute(
                f"CREATE TABLE {name} AS SELECT i AS id, i % 30 AS k, '{name} ' || i AS x "
                "FROM range(300) r(i)"
            )
        yield connection


def rows(con: Connection, query: str, mode: str = "on") -> list[tuple[object, ...]]:
    con.set("llm_optimizer", mode)
    relation = con.sql(query)
    assert relation is not None
    return sorted(relation.fetchall(), key=repr)


@pytest.mark.parametrize(
    "join",
    [
        "SELECT a.id, b.id FROM a JOIN b",
        "SELECT a.id, b.id FROM a LEFT JOIN b",
        "SELECT a.id, b.id FROM a FULL JOIN b",
        "SELECT a.id FROM a SEMI JOIN b",
        "SELECT a.id FROM a ANTI JOIN b",
    ],
)
def test_only_pairs_that_match_the_equality_are_asked_about(con: Connection, join: str) -> None:
    query = f"{join} ON a.k = b.k AND LLM_FILTER('Is {{a.x}} like {{b.x}}?')"
    found = rows(con, query)
    assert con.last_stats is not None
    assert con.last_stats.calls_run == 300 * 10
    assert found == rows(con, query, "off")


def test_pairs_without_an_equality_wait_in_blocks(
    con: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = "SELECT a.id, b.id FROM a JOIN b ON LLM_FILTER('Is {a.x} like {b.x}?') WHERE a.id < 40"
    expected = rows(con, query)
    assert con.last_stats is not None
    assert con.last_stats.passes == 2
    con.execute("CLEAR CACHE")
    most = 0
    add = MintedCalls.add

    def counted(calls: MintedCalls, *arguments: object) -> None:
        nonlocal most
        add(calls, *arguments)  # type: ignore[arg-type]
        most = max(most, len(calls))

    monkeypatch.setattr(MintedCalls, "add", counted)
    monkeypatch.setattr(passes, "_BLOCK", 3000)
    assert rows(con, query) == expected
    assert con.last_stats.passes > 3
    assert con.last_stats.calls_run == 40 * 300
    assert most < 3000 + 3 * 2048  # a block, and what one vector of rows names beside it


def test_a_null_is_no_pair_to_ask_about(con: Connection) -> None:
    con.execute("UPDATE a SET x = NULL WHERE id < 290")
    query = "SELECT a.id, b.id FROM a JOIN b ON a.k = b.k AND LLM_FILTER('Is {a.x} like {b.x}?')"
    found = rows(con, query)
    assert con.last_stats is not None
    assert con.last_stats.calls_run == 10 * 10
    assert found == rows(con, query, "off")
