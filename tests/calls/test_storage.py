"""The file of a store: made late, ours alone, and clear words where it cannot be used."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import duckdb
import pytest

import heliumql
from heliumql.connection import Connection
from heliumql.errors import ExecutionError

_ASK = "SELECT LLM_GENERATE('number {i}') AS a FROM range(3) t(i)"


def asked(con: Connection) -> tuple[int, int]:
    """Runs a statement with three calls; how many an engine answered, and the store."""
    con.execute("CREATE OR REPLACE TEMP MODEL m WITH (engine = 'simulated')")
    relation = con.sql(_ASK)
    assert relation is not None
    assert len(relation.fetchall()) == 3
    return relation.stats.calls_run, relation.stats.calls_cached


def test_a_database_in_a_file_has_its_answers_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "my.duckdb"
    with heliumql.connect(path) as con:
        con.execute("CREATE TABLE t AS SELECT 1").fetchall()
        assert not list(tmp_path.glob("*.answers*")), "nothing is made before there is an answer"
        assert asked(con) == (3, 0)
        assert (tmp_path / "my.duckdb.answers").exists()
    with heliumql.connect(path) as con:
        assert asked(con) == (0, 3)
    with duckdb.connect(str(path)) as plain:  # the user's database knows nothing of them
        assert plain.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(1,)]


def test_a_connection_of_the_users_counts_by_its_database(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "theirs.db")) as plain, heliumql.connect(plain) as con:
        assert asked(con) == (3, 0)
    assert (tmp_path / "theirs.db.answers").exists()
    with heliumql.connect(tmp_path / "theirs.db", read_only=True) as con:
        assert asked(con) == (0, 3)


def test_a_database_in_memory_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with heliumql.connect() as con:
        assert asked(con) == (3, 0)
        assert asked(con) == (0, 3)
    assert list(tmp_path.iterdir()) == []


def test_cursors_share_the_store(tmp_path: Path) -> None:
    with heliumql.connect(tmp_path / "my.duckdb") as con, con.cursor() as twin:
        assert asked(con) == (3, 0)
        assert asked(twin) == (0, 3)
        twin.set("llm_cache_path", str(tmp_path / "other.answers"))
        assert asked(con) == (3, 0)


def test_a_path_of_its_own_is_shared_by_databases(tmp_path: Path) -> None:
    path = tmp_path / "shared.answers"
    with heliumql.connect(tmp_path / "one.duckdb") as con:
        con.execute(f"SET llm_cache_path = '{path}'")
        assert asked(con) == (3, 0)
        con.execute("RESET llm_cache_path")
        assert asked(con) == (3, 0)
        con.execute(f"SET llm_cache_path = '{path}'")
        assert asked(con) == (0, 3)
        con.execute("SET llm_cache_path = ''")
        assert asked(con) == (0, 3)
    with heliumql.connect() as con:
        con.execute(f"SET llm_cache_path = '{path}'")
        assert asked(con) == (0, 3)
        con.execute("SET llm_cache_path = ':memory:'")
        assert asked(con) == (3, 0)


def test_the_bound_goes_along_to_another_path(tmp_path: Path) -> None:
    with heliumql.connect() as con:
        con.execute("SET llm_cache_bytes = 1")
        con.execute(f"SET llm_cache_path = '{tmp_path}/x.answers'")
        assert asked(con) == (3, 0)
        assert asked(con) == (3, 0)
        con.execute("RESET llm_cache_bytes")
        assert asked(con) == (3, 0)
        assert asked(con) == (0, 3)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("{here}", "cannot be used: unable to open"),
        ("{here}/nowhere/x.answers", "cannot be used: unable to open"),
        ("{here}/text", "text is not an answer store"),
        ("{here}/my.duckdb", "my.duckdb is not an answer store"),
        ("{here}/other.sqlite", "other.sqlite is not an answer store"),
    ],
)
def test_a_path_that_cannot_be_a_store_is_refused(tmp_path: Path, path: str, message: str) -> None:
    (tmp_path / "text").write_text("a text of some length " * 100)
    duckdb.connect(str(tmp_path / "my.duckdb")).close()
    with sqlite3.connect(tmp_path / "other.sqlite") as other:
        other.execute("CREATE TABLE t (i)")
    other.close()
    before = (tmp_path / "other.sqlite").read_bytes()
    with heliumql.connect() as con:
        with pytest.raises(ExecutionError, match=message) as caught:
            con.execute(f"SET llm_cache_path = '{path.format(here=tmp_path)}'")
        assert "^^^^" in str(caught.value)
        assert "hint:" in str(caught.value)
        assert asked(con) == (3, 0)  # it goes on where it was
    assert (tmp_path / "other.sqlite").read_bytes() == before


def damaged(path: Path, at: int) -> None:
    """Overwrites a part of the file."""
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xff" * 8192)


@pytest.mark.parametrize(("at", "message"), [(0, "is not an answer store"), (4096, "is damaged")])
def test_a_damaged_store_is_named(tmp_path: Path, at: int, message: str) -> None:
    with heliumql.connect(tmp_path / "my.duckdb") as con:
        asked(con)
    damaged(tmp_path / "my.duckdb.answers", at)
    with heliumql.connect(tmp_path / "my.duckdb") as con:
        with pytest.raises(ExecutionError, match=message) as caught:
            asked(con)
        assert "my.duckdb.answers" in str(caught.value)
        assert "hint:" in str(caught.value)
        assert con.execute("SELECT 1").fetchall() == [(1,)]  # what has no calls goes on
        (tmp_path / "my.duckdb.answers").unlink()
    with heliumql.connect(tmp_path / "my.duckdb") as con:
        assert asked(con) == (3, 0)


def test_a_store_of_the_version_before_keeps_its_answers(tmp_path: Path) -> None:
    with heliumql.connect(tmp_path / "my.duckdb") as con:
        assert asked(con) == (3, 0)
    with sqlite3.connect(tmp_path / "my.duckdb.answers") as file:
        file.execute("DROP TABLE speeds")
        file.execute("PRAGMA user_version = 2")
    file.close()
    for _ in range(2):
        with heliumql.connect(tmp_path / "my.duckdb") as con:
            assert asked(con) == (0, 3)
    with sqlite3.connect(tmp_path / "my.duckdb.answers") as file:
        assert file.execute("PRAGMA user_version").fetchone() == (3,)
        assert file.execute("SELECT count(*) FROM speeds").fetchone() == (0,)
    file.close()


def test_a_store_of_another_version_is_named(tmp_path: Path) -> None:
    with heliumql.connect(tmp_path / "my.duckdb") as con:
        asked(con)
    with sqlite3.connect(tmp_path / "my.duckdb.answers") as file:
        file.execute("PRAGMA user_version = 99")
    file.close()
    with (
        heliumql.connect(tmp_path / "my.duckdb") as con,
        pytest.raises(ExecutionError, match=r"another version of HeliumQL .*version 99"),
    ):
        asked(con)


def test_a_sidecar_that_cannot_be_made_is_kept_in_memory(tmp_path: Path) -> None:
    (tmp_path / "my.duckdb.answers").mkdir()  # as where the folder may not be written
    with heliumql.connect(tmp_path / "my.duckdb") as con:
        assert asked(con) == (3, 0)
        assert asked(con) == (0, 3)
        shown = con.sql("SHOW CACHE")
        assert shown is not None
        ((*_, path, reason),) = shown.fetchall()
        assert path is None
        assert "my.duckdb.answers cannot be written" in reason


def test_a_store_that_is_held_for_long_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heliumql.calls.storage._PATIENCE_SECONDS", 0.1)
    with heliumql.connect(tmp_path / "my.duckdb") as con:
        con.execute("SET llm_cache_bytes = 1000000")
        con.execute(f"SET llm_cache_path = '{tmp_path}/x.answers'")
        other = sqlite3.connect(tmp_path / "x.answers", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ExecutionError, match="another process has held the answer store"):
            asked(con)
        other.execute("ROLLBACK")
        other.close()
        assert asked(con) == (3, 0)
