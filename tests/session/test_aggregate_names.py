"""DuckDB's aggregate functions are known wherever files may not be looked at, too."""

from __future__ import annotations

import duckdb
import pytest

from heliumql.planning import knowledge


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, ...], frozenset[str]]:
    known: dict[tuple[str, ...], frozenset[str]] = {}
    monkeypatch.setattr(knowledge, "_known_aggregates", known)
    return known


def test_they_are_listed_once_for_connections_with_the_same_extensions(fresh):
    first = knowledge.aggregates(duckdb.connect())
    assert {"sum", "count", "string_agg", "arg_max"} <= first
    assert not {"lower", "concat"} & first
    (extensions,) = fresh
    fresh[extensions] = frozenset({"a mark"})
    assert knowledge.aggregates(duckdb.connect()) == {"a mark"}


@pytest.mark.parametrize(
    "setting",
    ["SET enable_external_access = false", "SET disabled_filesystems = 'LocalFileSystem'"],
)
@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a transaction"])
def test_where_files_are_forbidden_they_are_listed_and_a_transaction_goes_on(
    fresh, setting: str, inside: bool
):
    con = duckdb.connect()
    con.execute(setting)
    if inside:
        con.execute("BEGIN")
    assert "sum" in knowledge.aggregates(con)
    assert not fresh
    assert con.execute("SELECT 42").fetchall() == [(42,)]
