"""The answer store where something goes wrong: locks, full disks, deleted files, odd answers."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import heliumql
from heliumql.calls.answers import Answer, AnswerStore
from heliumql.calls.operator import Operator
from heliumql.calls.storage import Storage
from heliumql.connection import Connection
from heliumql.errors import ExecutionError, HeliumQLError

OPERATOR = Operator(b"t" * 16, b"k" * 16, "model", "g")
FINAL, NAME = b"f" * 16, b"n" * 16
FILTER = "SELECT i FROM range(5) t(i) WHERE LLM_FILTER('number {i}')"


def connected(path: Path) -> Connection:
    con = heliumql.connect()
    con.execute(f"SET llm_cache_path = '{path}'")
    con.execute("CREATE TEMP MODEL m WITH (engine = 'simulated')")
    return con


def calls_run(con: Connection, sql: str) -> int:
    relation = con.sql(sql)
    assert relation is not None
    relation.fetchall()
    return relation.stats.calls_run


def reason(con: Connection) -> str | None:
    shown = con.sql("SHOW CACHE")
    assert shown is not None
    return shown.fetchall()[0][-1]


def test_a_query_whose_answers_are_there_needs_no_writing(tmp_path: Path) -> None:
    with connected(tmp_path / "x.answers") as con:
        assert calls_run(con, FILTER) == 5
        other = sqlite3.connect(tmp_path / "x.answers", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert calls_run(con, FILTER) == 0
        assert "uses and statistics are not written yet: another process" in str(reason(con))
        other.execute("ROLLBACK")
        con._session.shared.flush()
        assert reason(con) is None
        ((tested,),) = other.execute("SELECT tested FROM predicates").fetchall()
        assert tested == 10, "what could not be written is written later, once"
        other.close()


def test_names_noted_before_another_process_replaced_answers_are_dropped(tmp_path: Path) -> None:
    one, two = (AnswerStore(Storage(tmp_path / "x.answers")) for _ in range(2))
    one.put({FINAL: Answer("made of the old one"), b"o" * 16: Answer("old")}, OPERATOR)
    names = one.names()
    two.put({b"o" * 16: Answer("new")}, OPERATOR)
    names.note_deferred({NAME: FINAL})
    assert one.get_deferred([NAME]) == {}
    one.flush()
    assert two.get_deferred([NAME]) == {}
    one.names().note_deferred({NAME: FINAL})
    one.flush()
    assert set(two.get_deferred([NAME])) == {NAME}
    one.close()
    two.close()


def test_names_of_a_statement_that_began_before_the_file_are_kept(tmp_path: Path) -> None:
    store = AnswerStore(Storage(tmp_path / "x.answers"))
    names = store.names()
    assert not (tmp_path / "x.answers").exists()
    store.put({FINAL: Answer("said")}, OPERATOR)
    names.note_deferred({NAME: FINAL})
    store.flush()
    assert set(store.get_deferred([NAME])) == {NAME}
    store.close()


def test_no_name_is_kept_without_its_answer() -> None:
    store = AnswerStore()
    store.names().note_deferred({NAME: FINAL})
    store.flush()
    with store.storage.reading() as db:
        assert db is not None
        assert db.execute("SELECT count(*) FROM deferred").fetchone() == (0,)
    store.close()


@pytest.mark.parametrize("all_files", [False, True])
def test_a_file_that_was_deleted_is_made_anew(tmp_path: Path, all_files: bool) -> None:
    path = tmp_path / "x.answers"
    one, two = (AnswerStore(Storage(path)) for _ in range(2))
    one.put({FINAL: Answer("said")}, OPERATOR)
    for file in list(tmp_path.iterdir()) if all_files else [path]:
        file.unlink()
    two.put({b"2" * 16: Answer("two")}, OPERATOR)
    assert one.get([FINAL, b"2" * 16]) == {b"2" * 16: Answer("two")}
    one.put({b"1" * 16: Answer("one")}, OPERATOR)
    assert set(two.get([b"1" * 16, b"2" * 16])) == {b"1" * 16, b"2" * 16}
    one.close()
    two.close()
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()


_SMALL_DISK = """
import resource, sys
import heliumql
from heliumql.errors import HeliumQLError
con = heliumql.connect()
con.execute(f"SET llm_cache_path = '{sys.argv[1]}'")
con.execute("CREATE TEMP MODEL m WITH (engine = 'simulated', instant = true)")
ask = "SELECT LLM_GENERATE('number {i} ' || repeat('long ', 20)) FROM range(3000) t(i)"
print(con.sql("SELECT LLM_GENERATE('one')").fetchall() and "asked")
other = heliumql.connect()
if sys.argv[2] == "held":
    other.execute(f"SET llm_cache_path = '{sys.argv[1]}'")
    other.sql("SHOW CACHE").fetchall()
resource.setrlimit(resource.RLIMIT_FSIZE, (98_000, 98_000))
for statement in (ask, "CLEAR CACHE", "SELECT LLM_GENERATE('one')"):
    try:
        print(len(con.sql(statement).fetchall()))
    except HeliumQLError as error:
        print(error)
"""


@pytest.mark.parametrize("held", ["held", "alone"])
def test_a_full_disk_is_named_and_can_be_cleared(tmp_path: Path, held: str) -> None:
    program = [sys.executable, "-c", _SMALL_DISK, str(tmp_path / "x.answers"), held]
    said = subprocess.run(program, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "no room for the answer store" in said
    assert "make room on its disk, CLEAR CACHE" in said
    if held == "alone":
        assert said.splitlines()[-2:] == ["1", "1"], "cleared, and asked again"
    else:
        assert "close the other programs that have it open" in said
        assert said.splitlines()[-1] == "1", "what is stored is still found"


def test_the_file_is_removed_only_where_nobody_else_has_it(tmp_path: Path) -> None:
    one, two = (AnswerStore(Storage(tmp_path / "x.answers")) for _ in range(2))
    one.put({FINAL: Answer("said")}, OPERATOR)
    assert two.get([FINAL])
    assert not one.storage.remove()
    assert one.get([FINAL])
    two.close()
    assert one.storage.remove()
    assert list(tmp_path.iterdir()) == []
    one.put({FINAL: Answer("said anew")}, OPERATOR)
    assert one.get([FINAL])[FINAL].text == "said anew"
    one.close()


def test_what_cannot_be_written_is_never_called_written() -> None:
    store, failed = AnswerStore(), list[str]()

    def put(text: str) -> None:
        try:
            store.put({text.encode("utf-8", "replace").ljust(16): Answer(text)}, OPERATOR)
        except (HeliumQLError, UnicodeError):
            failed.append(text)

    threads = [threading.Thread(target=put, args=[t]) for t in ("first", "good", "odd \ud800")]
    with store.storage.reading():  # the first waits for us, and the others for it
        threads[0].start()
        while not store._writing.locked():
            pass
        while store._waiting:
            pass
        for thread in threads[1:]:
            thread.start()
        while len(store._waiting) < 2:
            pass
    for thread in threads:
        thread.join()
    assert sorted(failed) == ["good", "odd \ud800"]
    assert store.get([b"good".ljust(16)]) == {}
    assert len(store) == 1
    store.close()


def test_numbers_of_answers_never_come_again() -> None:
    store = AnswerStore()
    store.put({FINAL: Answer("said")}, OPERATOR)
    number = next(store.rows(["a.id"]))[0][0]
    store.forget([number])
    store.put({NAME: Answer("another")}, OPERATOR)
    assert store.forget([number]) == 0
    assert store.get([NAME])
    store.close()


def test_a_clock_that_goes_back_evicts_nothing_new() -> None:
    now = [1_000_000.0]
    store = AnswerStore(max_bytes=2000, clock=lambda: now[0])
    for i in range(7):
        store.put({bytes([i]) * 16: Answer("x" * 100)}, OPERATOR)
    now[0] -= 86_400
    for i in range(7, 20):
        store.put({bytes([i]) * 16: Answer("x" * 100)}, OPERATOR)
        assert store.get([bytes([i]) * 16])
    store.close()


def test_a_damaged_store_names_its_three_files(tmp_path: Path) -> None:
    path = tmp_path / "x.answers"
    store = AnswerStore(Storage(path))
    store.put({FINAL: Answer("said")}, OPERATOR)
    store.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)
    with pytest.raises(ExecutionError, match="damaged") as caught:
        AnswerStore(Storage(path)).get([FINAL])
    assert caught.value.hint is not None
    assert all(f"{path}{end}" in caught.value.hint for end in ("", "-wal", "-shm"))
