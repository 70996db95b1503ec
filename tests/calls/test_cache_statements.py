"""SHOW CACHE, CLEAR CACHE, and `cache =>` of a call."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import heliumql
from heliumql.connection import Connection
from heliumql.engines.simulated import SimulatedEngine
from heliumql.errors import BindError

_COLUMNS = ["model", "answers", "bytes", "oldest", "newest", "last_used", "path", "reason"]


@pytest.fixture
def con(tmp_path: Path) -> Iterator[Connection]:
    with heliumql.connect(tmp_path / "my.duckdb") as made:
        made.register_model("one", SimulatedEngine({"engine": "simulated"}))
        made.register_model("two", SimulatedEngine({"engine": "simulated"}))
        yield made


def run(con: Connection, calls: int, model: str = "one", more: str = "") -> tuple[int, int]:
    """Asks for so many calls; how many an engine answered, and the store."""
    relation = con.sql(
        f"SELECT LLM_GENERATE('number {{i}}', model => '{model}'{more}) FROM range({calls}) t(i)"
    )
    assert relation is not None
    assert len(relation.fetchall()) == calls
    return relation.stats.calls_run, relation.stats.calls_cached


def cleared(con: Connection, condition: str = "") -> int:
    ((count,),) = con.execute(f"CLEAR CACHE {condition}").fetchall()
    return int(count)


def test_show_cache_has_a_row_for_each_model(con: Connection, tmp_path: Path) -> None:
    before = datetime.now() - timedelta(seconds=1)
    run(con, 3)
    run(con, 5, "two")
    shown = con.sql("SHOW CACHE")
    assert shown is not None
    assert shown.columns == _COLUMNS
    one, two = shown.fetchall()
    assert one[:2] == ("one", 3)
    assert two[:2] == ("two", 5)
    assert two[2] > one[2] > 3 * 100
    assert before < one[3] <= one[4] <= one[5] <= two[5] < datetime.now() + timedelta(seconds=1)
    assert one[6:] == two[6:] == (str((tmp_path / "my.duckdb.answers").resolve()), None)


def test_show_cache_of_an_empty_one_says_where_it_is(con: Connection, tmp_path: Path) -> None:
    path = str((tmp_path / "my.duckdb.answers").resolve())
    row = (None, 0, 0, None, None, None, path, None)
    assert con.execute("SHOW CACHE").fetchall() == [row]
    con.execute("SET llm_cache_path = ':memory:'")
    assert con.execute("SHOW CACHE").fetchall() == [(*row[:6], None, None)]


def test_a_table_named_cache_goes_first(con: Connection) -> None:
    con.execute("CREATE TABLE cache AS SELECT 42 AS answer")
    assert con.execute("SHOW cache").fetchall()[0][0] == "answer"


def test_clear_cache_forgets_everything(con: Connection) -> None:
    assert cleared(con) == 0
    run(con, 3)
    run(con, 5, "two")
    assert cleared(con) == 8
    assert con.execute("SHOW CACHE").fetchall()[0][:3] == (None, 0, 0)
    assert run(con, 3) == (3, 0)


@pytest.mark.parametrize(
    ("condition", "forgotten"),
    [
        ("model = 'two'", 5),
        ("model = 'TWO'", 0),
        ("model LIKE 't%' OR model = 'one'", 8),
        ("last_used < now() - INTERVAL 7 DAY", 0),
        ("last_used >= now() - INTERVAL 1 HOUR AND created <= now()", 8),
        ("operator ILIKE '%generate%' -- all of them", 8),
        ("bytes > 100000", 0),
        ("length(text) > 0 AND finish_reason = 'stop'", 8),
        ("output_tokens >= 0 AND prompt_tokens > 1000", 0),
        ("model IN (SELECT name FROM doomed)", 3),
        ("NULL", 0),
    ],
)
def test_clear_cache_where(con: Connection, condition: str, forgotten: int) -> None:
    con.execute("CREATE TABLE doomed AS SELECT 'one' AS name")
    run(con, 3)
    run(con, 5, "two")
    assert cleared(con, f"WHERE {condition}") == forgotten
    if condition == "model = 'two'":
        assert run(con, 3) == (0, 3)
        assert run(con, 5, "two") == (5, 0)


@pytest.mark.parametrize(
    ("condition", "place", "message"),
    [
        ("modell = 'one'", "modell", 'column "modell" not found'),
        ("model = 'one'\n  AND answer = 1", "answer", 'column "answer" not found'),
        ("nosuch(text)", "nosuch", "nosuch does not exist"),
        ("model = 'one' LIMIT 1", "LIMIT", "syntax error"),
    ],
)
def test_a_condition_that_is_wrong_is_shown(
    con: Connection, condition: str, place: str, message: str
) -> None:
    run(con, 3)
    with pytest.raises(BindError, match=message) as caught:
        con.execute(f"CLEAR CACHE WHERE {condition}")
    line, carets = str(caught.value).split("\n")[2:4]
    assert line[carets.index("^") :].startswith(place)
    assert carets.count("^") == len(place)
    assert "an answer has model, operator" in str(caught.value)
    assert run(con, 3) == (0, 3)


def test_refresh_asks_again_and_replaces(tmp_path: Path) -> None:
    texts = iter(["first", "second", "third"])
    engine = SimulatedEngine({"engine": "simulated"}, lambda messages, spec: next(texts))

    def said(more: str = "") -> str:
        return str(con.execute(f"SELECT LLM_GENERATE('hi'{more})").fetchall()[0][0])

    with heliumql.connect(tmp_path / "my.duckdb") as con:
        con.register_model("m", engine)
        assert said() == said() == "first"
        assert said(", cache => 'refresh'") == "second"
        assert said() == "second"
        assert said(", cache => 'off'") == "third"
        assert said() == "second"
        con.execute("SET llm_cache = 'off'")
        texts = iter(["fourth"])
        assert said() == "fourth"


def test_sampled_calls_are_not_kept(con: Connection) -> None:
    assert run(con, 3, more=", temperature => 1") == (3, 0)
    assert con.execute("SHOW CACHE").fetchall()[0][1] == 0


def test_an_engine_that_is_registered_anew_is_asked_anew(tmp_path: Path) -> None:
    engine = SimulatedEngine({"engine": "simulated"})
    for _ in range(2):
        with heliumql.connect(tmp_path / "my.duckdb") as con:
            con.register_model("one", engine)
            assert run(con, 3) == (3, 0)
    for expected in ((3, 0), (0, 3)):
        with heliumql.connect(tmp_path / "my.duckdb") as con:
            con.register_model("one", engine, model="mine")
            assert run(con, 3) == expected


def test_a_chain_of_calls_is_fetched_to_its_end(tmp_path: Path) -> None:
    sql = (
        "WITH a AS (SELECT i, LLM_GENERATE('draft {i}') AS t FROM range(5) r(i)),"
        " b AS (SELECT i, LLM_GENERATE('criticize {t}') AS t FROM a)"
        " SELECT i, LLM_GENERATE('answer {t}') FROM b ORDER BY i"
    )
    rows = []
    for expected in ((15, 0), (0, 5)):  # what the ends were made of is not asked for
        with heliumql.connect(tmp_path / "my.duckdb") as con:
            con.execute("CREATE MODEL IF NOT EXISTS m WITH (engine = 'simulated')")
            relation = con.sql(sql)
            assert relation is not None
            rows.append(relation.fetchall())
            assert (relation.stats.calls_run, relation.stats.calls_cached) == expected
    assert rows[0] == rows[1]
