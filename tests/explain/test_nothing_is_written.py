"""EXPLAIN leaves the file of the answers as it is: no tables, no uses, no other names."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from to_explain import explained

import heliumql
from heliumql.connection import Connection

CHAIN = (
    "SELECT LLM_GENERATE('b {g.text}') FROM range(3) AS r(i), LATERAL LLM_GENERATE('a {i}') AS g"
)


def opened(path: Path) -> Connection:
    connection = heliumql.connect(str(path))
    connection.execute("CREATE TEMP MODEL m WITH (engine = 'simulated', instant = true)")
    return connection


def kept(path: Path) -> list[object]:
    with sqlite3.connect(path) as db:
        return [
            db.execute(f"SELECT * FROM {table}").fetchall() for table in ("answers", "deferred")
        ]


def test_an_empty_file_stays_empty(tmp_path: Path) -> None:
    answers = tmp_path / "my.duckdb.answers"
    answers.touch()
    with opened(tmp_path / "my.duckdb") as connection:
        assert "remembered: 0" in explained(connection, "SELECT LLM_GENERATE('a')")
    assert answers.stat().st_size == 0


def test_neither_uses_nor_names_are_noted(tmp_path: Path) -> None:
    answers = tmp_path / "my.duckdb.answers"
    with opened(tmp_path / "my.duckdb") as connection:
        connection.execute(CHAIN).fetchall()
    with sqlite3.connect(answers) as db:
        db.execute("DELETE FROM deferred")
        db.execute("UPDATE answers SET used = 0")
    before = kept(answers)
    with opened(tmp_path / "my.duckdb") as connection:
        assert "remembered: 3" in explained(connection, CHAIN)
    assert kept(answers) == before
    with opened(tmp_path / "my.duckdb") as connection:
        connection.execute(CHAIN).fetchall()
    assert kept(answers) != before
