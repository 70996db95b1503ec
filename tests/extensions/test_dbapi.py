"""DB-API with calls: transactions, threads, errors, and the libraries that use drivers."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pandas
import pytest

import heliumql
from heliumql import dbapi

MODEL = "CREATE MODEL m WITH (engine = 'simulated')"
INSPECTED = "SELECT i, LLM_GENERATE('n {i}') AS a FROM t WHERE length(LLM_GENERATE('n {i}')) > 0"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a.duckdb"


@pytest.fixture
def con(file: Path) -> Iterator[dbapi.Connection]:
    with dbapi.connect(file) as con:
        con.cursor().execute(f"{MODEL}; CREATE TABLE t AS SELECT i FROM range(3) r(i)")
        con.commit()
        yield con


def rows(con: dbapi.Connection, text: str) -> list[tuple[object, ...]]:
    return con.cursor().execute(text).fetchall()


def seen_by_others(con: dbapi.Connection, text: str = "SELECT count(*) FROM t") -> object:
    """From another connection, which sees what was committed."""
    with dbapi.connect(con.hql) as other:
        return rows(other, text)[0][0]


def test_changes_are_there_after_commit_only(con: dbapi.Connection) -> None:
    cursor = con.cursor()
    assert cursor.execute("INSERT INTO t VALUES (3), (4)").rowcount == 2
    assert cursor.description is None
    assert (rows(con, "SELECT count(*) FROM t"), seen_by_others(con)) == ([(5,)], 3)
    con.rollback()
    assert rows(con, "SELECT count(*) FROM t") == [(3,)]
    cursor.execute("DELETE FROM t WHERE i = 0")
    con.commit()
    con.commit()
    assert seen_by_others(con) == 2
    cursor.execute("BEGIN")
    cursor.execute("UPDATE t SET i = i + 1")
    with pytest.raises(dbapi.ProgrammingError, match="open already"):
        cursor.execute("BEGIN")
    cursor.execute("ROLLBACK")
    cursor.execute("UPDATE t SET i = i + 10 WHERE i = 1")
    con.commit()
    assert rows(con, "SELECT i FROM t ORDER BY i") == [(2,), (11,)]


def test_autocommit(con: dbapi.Connection) -> None:
    assert not con.autocommit
    con.cursor().execute("INSERT INTO t VALUES (3)")
    con.autocommit = True
    assert seen_by_others(con) == 4
    con.cursor().execute("INSERT INTO t VALUES (4)")
    con.rollback()
    assert seen_by_others(con) == 5


def test_close_and_errors_undo_and_with_commits(con: dbapi.Connection) -> None:
    other = dbapi.connect(con.hql)
    other.cursor().execute("INSERT INTO t VALUES (3)")
    other.close()
    other = dbapi.connect(con.hql)
    with pytest.raises(dbapi.ProgrammingError), other:
        other.cursor().execute("INSERT INTO t VALUES (3); SELECT nothing")
    assert seen_by_others(con) == 3
    with dbapi.connect(con.hql) as other:
        other.cursor().execute("INSERT INTO t VALUES (3)")
    assert seen_by_others(con) == 4
    with pytest.raises(dbapi.InterfaceError, match="the connection is closed"):
        other.cursor()


def test_queries_with_calls_run_in_full_and_their_rows_are_undone(
    con: dbapi.Connection,
) -> None:
    cursor = con.cursor()
    assert len(cursor.execute(INSPECTED).fetchall()) == 3
    assert (cursor.stats.calls_run, cursor.stats.passes) == (3, 2)  # not call by call
    cursor.execute(f"INSERT INTO t SELECT i + 10 FROM ({INSPECTED})")
    assert (cursor.rowcount, cursor.description) == (3, None)
    assert con.hql.last_stats is not None
    assert con.hql.last_stats.passes == 2
    assert (rows(con, "SELECT count(*) FROM t"), seen_by_others(con)) == ([(6,)], 3)
    assert len(rows(con, INSPECTED)) == 6  # inside the transaction, call by call
    con.rollback()
    assert rows(con, "SELECT count(*) FROM t") == [(3,)]
    cursor.execute("UPDATE t SET i = length(LLM_GENERATE('n {i}'))")
    assert cursor.rowcount == 3
    con.rollback()
    assert rows(con, "SELECT i FROM t") == [(0,), (1,), (2,)]


def test_cursors_keep_their_rows_while_others_run(con: dbapi.Connection) -> None:
    plain, asking, other = con.cursor(), con.cursor(), con.cursor()
    plain.execute("SELECT i FROM range(5000) r(i)")
    assert plain.fetchone() == (0,)
    asking.execute("SELECT i, LLM_GENERATE('n {i}') FROM range(40) r(i)")
    assert plain.fetchmany(2) == [(1,), (2,)]
    assert asking.fetchmany(3)[2][0] == 2
    other.execute("INSERT INTO t VALUES (3)")
    assert other.execute("SELECT count(*) FROM t").fetchall() == [(4,)]
    assert [r[0] for r in asking] == list(range(3, 40))
    assert [r[0] for r in plain] == list(range(3, 5000))
    assert plain.fetchall() == asking.fetchall() == []
    plain.close()
    with pytest.raises(dbapi.InterfaceError, match="the cursor is closed"):
        plain.fetchone()


def test_a_new_statement_ends_the_one_before(con: dbapi.Connection) -> None:
    con.hql.set("llm_batch_rows", 16)
    cursor = con.cursor()
    cursor.execute("SELECT LLM_GENERATE('a {i}') FROM range(10000) r(i)")
    cursor.fetchone()
    assert cursor.execute("SELECT 42").fetchall() == [(42,)]
    assert con.hql.total_stats.calls_run < 10_000


def test_what_has_rows_has_a_description(con: dbapi.Connection) -> None:
    cursor = con.cursor()
    for text in (
        "CREATE TABLE u AS SELECT 1 AS a", "DROP TABLE u", "SET threads = 2", "COMMIT", "BEGIN",
        "END",
        "SET llm_batch_rows = 10", "COPY t TO '/dev/null'", "CREATE VIEW v AS FROM t",
        "ALTER TABLE t ADD COLUMN x INTEGER", "PREPARE p AS SELECT 1",
        "MERGE INTO t USING (SELECT 7 AS i) s ON t.i = s.i WHEN NOT MATCHED THEN INSERT (i) "
        "VALUES (s.i)",
    ):  # fmt: skip
        assert cursor.execute(text).description is None, text
        with pytest.raises(dbapi.ProgrammingError, match="there are no rows"):
            cursor.fetchall()
    for text in (
        "INSERT INTO t (i) VALUES (9) RETURNING i", "SHOW TABLES", "DESCRIBE t", "SHOW MODELS",
        "EXPLAIN SELECT 1", "EXPLAIN SELECT LLM_GENERATE('x')", "PIVOT t ON i USING count(*)",
        "SELECT 5 AS Count", "FROM t", "EXECUTE p", "PRAGMA database_list", "VALUES (1)",
        f"INSERT INTO t (i) SELECT i FROM ({INSPECTED}) RETURNING i",
    ):  # fmt: skip
        assert cursor.execute(text).description, text
        assert cursor.fetchall(), text


TYPES = {
    "STRING": ["'a'", "'a'::ENUM('a', 'b')", "'{}'::JSON", "uuid()", "LLM_GENERATE('x')"],
    "NUMBER": ["1", "1.5", "1::HUGEINT", "1e0", "true", "LLM_SCORE('x')"],
    "DATETIME": ["now()", "DATE '2020-01-01'", "TIME '10:00'", "INTERVAL 1 DAY"],
    "BINARY": ["'a'::BLOB"],
    "": ["[1]", "{'a': 1}", "map {1: 2}"],
}


def test_types_in_descriptions(con: dbapi.Connection) -> None:
    kinds = {name: getattr(dbapi, name) for name in TYPES if name}
    for name, values in TYPES.items():
        for value in values:
            description = con.cursor().execute(f"SELECT {value} AS v").description
            assert description is not None
            found = [k for k, kind in kinds.items() if description[0][1] == kind]
            assert found == ([name] if name else []), value


ERRORS = {
    "SELECT nothing": (dbapi.ProgrammingError, "nothing"),
    "SELEC 1": (dbapi.ProgrammingError, "syntax"),
    "SELECT LLM_GENERATE('{nothing}') FROM t": (dbapi.ProgrammingError, "line 1"),
    "SELECT LLM_GENERATE('x', model => 'none')": (dbapi.ProgrammingError, "none"),
    "SELECT 'x'::INTEGER": (dbapi.DataError, "x"),
    "SELECT CAST(LLM_GENERATE('x') || 'x' AS INTEGER)": (dbapi.DataError, "INT"),
    "CREATE TABLE k (i INTEGER PRIMARY KEY); INSERT INTO k VALUES (1), (1)": (
        dbapi.IntegrityError, "uplicate"),
    "SET llm_max_calls = 1; SELECT LLM_GENERATE('{i}') FROM t": (
        dbapi.OperationalError, "llm_max_calls"),
    "FROM 'missing.parquet'": (dbapi.OperationalError, "missing.parquet"),
    "CREATE MODEL o WITH (engine = 'openai', model = 'x', base_url = 'http://127.0.0.1:1/v1', "
    "retries = 0); SELECT LLM_GENERATE('x', model => 'o', on_error => 'fail')": (
        dbapi.OperationalError, "127.0.0.1:1"),
}  # fmt: skip


@pytest.mark.parametrize("text", ERRORS)
def test_errors(con: dbapi.Connection, text: str) -> None:
    kind, message = ERRORS[text]
    with pytest.raises(kind, match=message) as raised:
        con.cursor().execute(text).fetchall()
    assert type(raised.value) is kind
    assert raised.value.__cause__ is not None
    con.rollback()
    assert rows(con, "SELECT 42") == [(42,)]


def test_parameters(con: dbapi.Connection) -> None:
    cursor = con.cursor()
    assert cursor.execute("SELECT ? || LLM_GENERATE(?)", ("a", "b")).fetchone() is not None
    assert cursor.execute("SELECT $a + $b", {"a": 1, "b": 2}).fetchone() == (3,)
    for wrong in ("text", 42):
        with pytest.raises(dbapi.ProgrammingError, match="a sequence or a mapping"):
            cursor.execute("SELECT ?", wrong)  # type: ignore[arg-type]
    with pytest.raises(dbapi.ProgrammingError):
        cursor.execute("SELECT ?")
    many = cursor.executemany("INSERT INTO t VALUES (?)", [(i,) for i in range(100)])
    assert many.rowcount == 100
    with pytest.raises(dbapi.ProgrammingError, match="without rows"):
        cursor.executemany("SELECT ?", [(1,)])
    many = cursor.executemany("UPDATE t SET i = $to WHERE i = $old", [{"to": 7, "old": 1}] * 2)
    assert many.rowcount == 2  # two rows the first time, none the second
    asked = cursor.executemany("INSERT INTO t SELECT length(LLM_GENERATE(?))", [["a"], ["b"]])
    assert asked.rowcount == 2
    assert cursor.executemany("INSERT INTO t VALUES (?)", []).rowcount == 0
    con.rollback()
    assert rows(con, "SELECT count(*) FROM t") == [(3,)]
    with pytest.raises(dbapi.ProgrammingError, match="one statement"):
        cursor.executemany("SELECT 1; SELECT 2", [])


def test_an_error_in_a_transaction_is_to_be_rolled_back(con: dbapi.Connection) -> None:
    other = dbapi.connect(con.hql)
    con.cursor().execute("UPDATE t SET i = 10 WHERE i = 0")
    with pytest.raises(dbapi.OperationalError, match="onflict"):
        other.cursor().execute("UPDATE t SET i = 11 WHERE i = 0")
    other.rollback()
    assert rows(other, "SELECT count(*) FROM t") == [(3,)]
    con.commit()
    with pytest.raises(dbapi.IntegrityError):
        con.cursor().execute("CREATE TABLE k (i INT PRIMARY KEY); INSERT INTO k VALUES (1), (1)")
    with pytest.raises(dbapi.OperationalError, match="aborted"):
        rows(con, "SELECT 42")
    with pytest.raises(dbapi.OperationalError, match="aborted"):
        con.commit()  # DuckDB's own COMMIT would undo all and say nothing
    assert rows(con, "SELECT 42") == [(42,)]
    other.close()


def test_threads_share_a_connection(con: dbapi.Connection) -> None:
    wrong: list[object] = []

    def use(number: int) -> None:
        try:
            for turn in range(8):
                cursor = con.cursor()
                if turn % 2:
                    cursor.execute("INSERT INTO t VALUES (?)", [number])
                    assert cursor.rowcount == 1
                call = f"LLM_GENERATE('{number} {{i}}')" if turn % 3 == 0 else "'-'"
                cursor.execute(f"SELECT {number}, i, {call} FROM range(300) r(i)")
                found = [cursor.fetchone(), *cursor.fetchmany(10), *cursor]
                assert [r and r[:2] for r in found] == [(number, i) for i in range(300)]
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=use, args=[n]) for n in range(100, 106)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    con.commit()
    assert rows(con, "SELECT count(*) FROM t WHERE i >= 100") == [(24,)]


def test_another_thread_may_interrupt(con: dbapi.Connection) -> None:
    endless = "SELECT count(*) FROM range(1e9::BIGINT) a, range(1e9::BIGINT) b"
    over = threading.Event()

    def interrupt() -> None:
        while not over.wait(0.02):
            con.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(dbapi.OperationalError, match="nterrupt"):
        con.cursor().execute(endless).fetchall()
    over.set()
    thread.join()
    assert rows(con, "SELECT 42") == [(42,)]


def test_connections_of_one_database_share_models_and_answers(con: dbapi.Connection) -> None:
    text = "SELECT LLM_GENERATE('n {i}') FROM t"
    first = rows(con, text)
    with dbapi.connect(con.hql) as other:
        cursor = other.cursor()
        assert cursor.execute(text).fetchall() == first
        assert (cursor.stats.calls_run, cursor.stats.calls_cached) == (0, 3)


def test_read_only_and_what_cannot_be_opened(file: Path, tmp_path: Path) -> None:
    dbapi.connect(file).close()
    with dbapi.connect(file, read_only=True) as con:
        with pytest.raises(dbapi.Error, match="read-only"):
            con.cursor().execute("CREATE TABLE t (i INTEGER)")
        con.rollback()
    with pytest.raises(dbapi.OperationalError, match="missing"):
        dbapi.connect(tmp_path / "missing" / "a.duckdb")


def test_pandas_reads(con: dbapi.Connection) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "pandas only supports SQLAlchemy")
        frame = pandas.read_sql(INSPECTED, con)  # type: ignore[call-overload]
        some = pandas.read_sql("SELECT i FROM t WHERE i > ?", con, params=[0])  # type: ignore[call-overload]
    assert frame["i"].tolist() == [0, 1, 2]
    assert some["i"].tolist() == [1, 2]


def test_heliumql_is_a_driver_beside_its_own_interface() -> None:
    assert (dbapi.apilevel, dbapi.threadsafety, dbapi.paramstyle) == ("2.0", 2, "qmark")
    with heliumql.connect() as hql, dbapi.connect(hql) as con:
        hql.execute(f"{MODEL}; CREATE TABLE t AS SELECT 1 AS i")
        assert len(rows(con, "SELECT i FROM t")) == 1
