"""The queries whose planning is measured, and what makes their tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from suites.suite import SUITES
from trading.tables import generate
from trading.written_out import written_out

from heliumql.connection import Connection

_TRADING = Path(__file__).parents[2] / "queries" / "trading.hql"
_TEXTS = "SELECT id, LLM_GENERATE('Summarize this text in one line. {body}') AS a FROM texts"


@dataclass(frozen=True)
class Query:
    """`prepare` makes the tables in a session and gives the text of the query."""

    name: str
    what: str
    prepare: Callable[[Connection], str]


def queries(texts: int) -> dict[str, Query]:
    """By name. The last one reads so many texts."""
    found = [_trading(4), _trading(16), _trading(80)]
    found.append(Query("operators", "trading, its 88 operators written out, 1 stock", _operators))
    found += [_suite(name) for name in SUITES if name != "trading"]
    found.append(
        Query("texts", f"one operator over {texts:,} texts", lambda con: _texts(con, texts))
    )
    return {query.name: query for query in found}


def _trading(stocks: int) -> Query:
    def prepare(con: Connection) -> str:
        generate(stocks).create_in(con.duckdb)
        text = _TRADING.read_text("utf-8")
        return text[text.index("\nWITH ") + 1 :]

    what = f"queries/trading.hql, {stocks} stocks, texts of full length"
    return Query(f"trading_{stocks}", what, prepare)


def _operators(con: Connection) -> str:
    generate(1, scale=0.02).create_in(con.duckdb)
    return written_out()


def _suite(name: str) -> Query:
    suite = SUITES[name]

    def prepare(con: Connection) -> str:
        for table, rows in suite.tables(suite.rows, suite.scale, 0).items():
            con.register(table, rows)
        return suite.text()

    return Query(name, f"the suite, rows: {suite.rows}", prepare)


def _texts(con: Connection, count: int) -> str:
    con.duckdb.execute(
        "CREATE TABLE texts AS SELECT i AS id, "
        "repeat('some words ', 6 + (i % 27)::INT) || i || ' at the end' AS body "
        f"FROM range({count}) AS r(i)"
    )
    return _TEXTS
