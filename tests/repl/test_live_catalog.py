"""Completion from a real connection: fresh, cheap, and without disturbing what runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

import heliumql
from heliumql.cli.repl.completion import HqlCompleter
from heliumql.connection import Connection
from heliumql.engines.simulated import SimulatedEngine

ASKED = CompleteEvent(completion_requested=True)


@pytest.fixture
def completer(connection: Connection) -> Iterator[HqlCompleter]:
    made = HqlCompleter(connection)
    assert made._reader.loaded.wait(20)
    yield made
    made.close()


def offered(completer: HqlCompleter, text: str) -> list[str]:
    return [c.text for c in completer.get_completions(Document(text), ASKED)]


def tables(completer: HqlCompleter, text: str) -> list[str]:
    """Those that begin as the last word does."""
    word = text.rpartition(" ")[2]
    return [name for name in offered(completer, text) if name.startswith(word)]


def test_a_setting_is_shown_as_show_has_it(connection: Connection, completer: HqlCompleter) -> None:
    shown = connection.sql("SHOW llm_settings").fetchall()
    assert ("llm_optimizer", "on", "off: every call by itself, nothing shared or kept") in shown
    (found,) = completer.get_completions(Document("SET llm_optim"), ASKED)
    assert found.display_meta_text == "on · off: every call by itself, nothing shared or kept"


def test_table_functions_are_those_of_use(completer: HqlCompleter) -> None:
    found = offered(completer, "SELECT * FROM ")
    assert {"range(", "generate_series(", "unnest(", "read_csv(", "duckdb_tables("} <= set(found)
    for internal in ("add_grammar_extension(", "create_external_resource(", "seq_scan("):
        assert internal not in found
    assert "sum(" in offered(completer, "SELECT su")


def test_what_statements_make_is_offered_at_once(
    connection: Connection, completer: HqlCompleter
) -> None:
    assert tables(completer, "FROM peo") == []
    connection.execute("CREATE TABLE people (name VARCHAR)")
    assert tables(completer, "FROM peo") == ["people"]
    connection.execute("ALTER TABLE people ADD COLUMN born INTEGER")
    assert offered(completer, "FROM people SELECT bor")[0] == "born"
    connection.execute("ALTER TABLE people RENAME COLUMN born TO birthday")
    assert offered(completer, "FROM people SELECT birth")[0] == "birthday"
    connection.execute("CREATE VIEW peoples_view AS FROM people")
    connection.execute("CREATE TEMP TABLE people_now (x INTEGER)")
    assert sorted(tables(completer, "FROM peo")) == ["people", "people_now", "peoples_view"]
    connection.execute("DROP TABLE people_now")
    assert "people_now" not in tables(completer, "FROM peo")
    connection.execute("CREATE SCHEMA shop; CREATE TABLE shop.orders (total DOUBLE)")
    assert offered(completer, "FROM shop.") == ["orders"]
    connection.execute("USE shop")
    assert tables(completer, "FROM ord") == ["orders"]


def test_uncommitted_tables_are_offered(connection: Connection, completer: HqlCompleter) -> None:
    connection.execute("BEGIN; CREATE TABLE half_made (x INTEGER)")
    assert tables(completer, "FROM half") == ["half_made"]
    connection.execute("ROLLBACK")
    assert tables(completer, "FROM half") == []


def test_models_and_prompts_of_the_catalog(connection: Connection, completer: HqlCompleter) -> None:
    connection.execute("CREATE MODEL swift WITH (engine = 'simulated')")
    connection.execute(
        "CREATE PROMPT critic(draft VARCHAR) RETURNS STRUCT(verdict VARCHAR) AS 'On {draft}'"
    )
    assert offered(completer, "SELECT LLM_GENERATE('a', model => 'sw") == ["swift'"]
    assert offered(completer, "SELECT cri")[0] == "critic("
    assert offered(completer, "SELECT c.v FROM critic('a') c"[:10]) == []
    text = "SELECT c.ver FROM critic('a') c"
    found = completer.get_completions(Document(text, 12), ASKED)
    assert [c.text for c in found] == ["verdict"]
    connection.execute("CREATE MACRO praised(t) AS LLM_FILTER('Is it praise? {t}')")
    assert offered(completer, "SELECT prais")[0] == "praised("
    connection.execute("DROP PROMPT critic")
    assert "critic(" not in offered(completer, "SELECT cri")


def test_duckdbs_functions_settings_and_keywords(completer: HqlCompleter) -> None:
    found = list(completer.get_completions(Document("SELECT date_tru"), ASKED))
    assert found[0].text == "date_trunc("
    assert "TIMESTAMP" in found[0].display_meta_text
    assert "memory_limit = " in offered(completer, "SET memory")
    assert "llm_cache = " in offered(completer, "SET llm_c")
    assert "materialized" in offered(completer, "select materi")
    assert offered(completer, "SELECT * FROM read_par")[0] == "read_parquet("


def test_an_open_result_stays_whole(connection: Connection, completer: HqlCompleter) -> None:
    connection.execute("CREATE TABLE people (name VARCHAR)")
    assert tables(completer, "FROM peo") == ["people"]
    reading = connection.duckdb.execute("FROM range(100000)")
    assert reading.fetchone() == (0,)
    assert tables(completer, "FROM peo") == ["people"]
    assert [row[0] for row in reading.fetchall()] == list(range(1, 100000))
    batches = connection.duckdb.sql("FROM range(100000)").to_arrow_reader(1000)
    rows = next(batches).num_rows
    assert tables(completer, "FROM peo") == ["people"]
    assert rows + sum(batch.num_rows for batch in batches) == 100000


def test_while_rows_of_calls_are_read(connection: Connection, completer: HqlCompleter) -> None:
    connection.set("llm_batch_rows", 30)
    relation = connection.sql("SELECT LLM_GENERATE('Say ' || range) AS said FROM range(90)")
    assert relation is not None
    batches = relation.batches()
    first = next(batches)
    assert offered(completer, "SELECT LLM_GEN")[0] == "LLM_GENERATE("
    assert first.num_rows + sum(b.num_rows for b in batches) == 90


def test_a_failed_transaction_is_no_trouble(
    connection: Connection, completer: HqlCompleter
) -> None:
    connection.execute("CREATE TABLE people (name VARCHAR)")
    connection.execute("BEGIN")
    with pytest.raises(duckdb.Error):
        connection.sql("SELECT error('no')").fetchall()  # type: ignore[union-attr]
    assert tables(completer, "FROM peo") == ["people"]
    connection.execute("ROLLBACK")


def test_another_thread_leaves_the_connection_alone(
    connection: Connection, completer: HqlCompleter
) -> None:
    connection.execute("CREATE TABLE people (name VARCHAR)")
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.extend(tables(completer, "FROM peo")))
    rows = connection.duckdb.execute("FROM range(100000)")
    thread.start()
    thread.join(20)
    assert found == ["people"]
    assert len(rows.fetchall()) == 100000


def test_a_closed_connection_offers_what_is_left(connection: Connection) -> None:
    completer = HqlCompleter(connection)
    connection.close()
    assert offered(completer, "SEL")[0] == "SELECT"
    completer.close()
    completer.close()


def test_a_connection_is_closed_while_its_catalog_is_first_read(connection: Connection) -> None:
    for _ in range(5):
        with heliumql.connect() as another:
            HqlCompleter(another)


def test_no_engine_is_started(
    connection: Connection, completer: HqlCompleter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(self: SimulatedEngine) -> None:
        raise AssertionError("started")

    monkeypatch.setattr(SimulatedEngine, "start", start)
    for text in ("SELECT LLM_GENERATE('{", "SELECT * FROM reviews, LATERAL LLM_", "SET llm_"):
        offered(completer, text)


def test_a_menu_opens_by_itself_only_at_a_word(completer: HqlCompleter) -> None:
    typing = CompleteEvent(text_inserted=True)
    assert not list(completer.get_completions(Document("SELECT 1 "), typing))
    assert list(completer.get_completions(Document("SEL"), typing))
    assert offered(completer, "SELECT 1 ")


def test_files_where_a_file_may_stand(
    completer: HqlCompleter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "reviews.csv").touch()
    (tmp_path / "data" / ".hidden.csv").touch()
    monkeypatch.chdir(tmp_path)
    assert offered(completer, "SELECT * FROM 'd") == ["data/"]
    assert offered(completer, "SELECT * FROM 'data/") == ["data/reviews.csv'"]
    assert offered(completer, f"SELECT * FROM '{tmp_path}/da") == [f"{tmp_path}/data/"]
    assert offered(completer, "SELECT * FROM 'nowhere/x") == []


def test_columns_of_a_file(connection: Connection, completer: HqlCompleter, tmp_path: Path) -> None:
    file = tmp_path / "reviews.csv"
    file.write_text("review_id,comment\n1,good\n")
    text = f"SELECT r.com FROM '{file}' AS r"
    for _ in range(100):
        if found := [c.text for c in completer.get_completions(Document(text, 12), ASKED)]:
            break
        threading.Event().wait(0.05)  # it is being read by another thread
    assert found == ["comment"]
    elsewhere = "SELECT r.com FROM 'https://nowhere.invalid/x.csv' AS r"
    assert not list(completer.get_completions(Document(elsewhere, 12), ASKED))


def test_five_hundred_tables_are_quick(connection: Connection, completer: HqlCompleter) -> None:
    columns = ", ".join(f"column_{n} INTEGER" for n in range(20))
    for number in range(500):
        connection.execute(f"CREATE TABLE table_{number} ({columns})")
    offered(completer, "FROM tab")
    text = "SELECT column_1 FROM table_499 WHERE "
    times = []
    for _ in range(5):
        started = time.thread_time()
        assert "column_19" in offered(completer, text)
        times.append(time.thread_time() - started)
    assert min(times) < 0.1  # 0.02 to 0.03 where nothing else runs
