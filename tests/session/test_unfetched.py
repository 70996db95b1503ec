"""Rows of `execute` that are fetched while other statements run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import duckdb
import pytest

import heliumql
from heliumql.connection import Connection

CALL = "SELECT LLM_GENERATE('Hello', model => 'm')"
BETWEEN: dict[str, Callable[[Connection], object]] = {
    "a query with calls": lambda con: con.sql(CALL).fetchall(),  # type: ignore[union-attr]
    "a query without": lambda con: con.sql("SELECT 7").fetchall(),  # type: ignore[union-attr]
    "a definition": lambda con: con.sql("CREATE MODEL n WITH (engine = 'simulated')"),
    "register": lambda con: con.register("people", [{"name": "Ada"}]),
    "estimate": lambda con: con.estimate(CALL),
    "explain": lambda con: con.explain("SELECT 7"),
}


@pytest.fixture
def con() -> Iterator[Connection]:
    with heliumql.connect() as made:
        made.execute("CREATE MODEL m WITH (engine = 'simulated')")
        yield made


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize(
    "query", ["SELECT i FROM range(5000) r(i)", f"{CALL}, i FROM range(9) r(i)"]
)
def test_rows_that_are_left_are_kept(con: Connection, query: str, between: str) -> None:
    expected = con.execute(query).fetchall()
    assert con.execute(query).fetchone() == expected[0]
    columns = con.description
    BETWEEN[between](con)
    assert con.description == columns
    assert con.fetchmany(2) == expected[1:3]
    assert con.fetchall() == expected[3:]


def test_an_error_in_them_is_told_to_who_fetches_them(con: Connection) -> None:
    con.execute("SELECT CASE WHEN i > 100000 THEN error('late') ELSE i END FROM range(200000) r(i)")
    assert con.sql("SELECT 7").fetchall() == [(7,)]  # type: ignore[union-attr]
    with pytest.raises(duckdb.Error, match="late"):
        con.fetchall()


@pytest.mark.parametrize("database", [None, 5])
def test_what_is_no_path_becomes_no_file(database: object) -> None:
    with pytest.raises(TypeError, match="a database is a path or a connection, not"):
        heliumql.connect(database)  # type: ignore[call-overload]


def test_an_option_that_no_model_has_is_said(con: Connection) -> None:
    with pytest.raises(heliumql.CatalogError, match="unknown option 'max_token'") as told:
        con.register_model("mine", object(), max_token=3)  # type: ignore[arg-type]
    assert "did you mean max_tokens?" in str(told.value)
