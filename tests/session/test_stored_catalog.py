"""Views, macros and prompts in a database file: made again for each session that opens it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

import heliumql
from heliumql.catalog import Model

MODEL = "CREATE MODEL m WITH (engine = 'simulated')"


def made(path: Path, *statements: str) -> None:
    with heliumql.connect(path) as con:
        con.execute(MODEL)
        for statement in statements:
            con.execute(statement)


VIEW = "CREATE VIEW v AS SELECT LLM_GENERATE('About {a}') AS u FROM t"


def test_a_view_whose_table_is_gone_keeps_nobody_out(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    made(path, "CREATE TABLE t AS SELECT 'x' AS a", VIEW, "DROP TABLE t")
    with heliumql.connect(path) as con:
        assert con.sql("SELECT 1").fetchall() == [(1,)]
        with pytest.raises(heliumql.BindError, match=r"cannot be used.*t does not exist"):
            con.sql("FROM v")
        with con.cursor() as twin, pytest.raises(heliumql.BindError, match="the view v cannot"):
            twin.sql("FROM v")
        con.execute("CREATE TABLE t AS SELECT 'y' AS a")
        assert len(con.sql("FROM v").fetchall()) == 1
        con.execute("DROP TABLE t")


def test_a_view_whose_table_is_gone_can_be_dropped_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    again = "CREATE VIEW w AS SELECT u || '!' AS x FROM v"
    made(path, "CREATE TABLE t AS SELECT 'x' AS a", VIEW, again, "DROP TABLE t")
    with heliumql.connect(path) as con:
        con.execute("DROP VIEW w")
        con.execute("CREATE OR REPLACE VIEW v AS SELECT LLM_GENERATE('Anything') AS u")
        assert len(con.sql("FROM v").fetchall()) == 1
    with heliumql.connect(path) as con:
        assert len(con.sql("FROM v").fetchall()) == 1


def test_a_view_may_read_one_that_was_made_after_it(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    made(
        path,
        "CREATE VIEW v AS SELECT LLM_GENERATE('first') AS u",
        "CREATE VIEW a AS SELECT LLM_GENERATE('second') AS u",
        "CREATE OR REPLACE VIEW v AS SELECT LLM_GENERATE('third {u}') AS u FROM a",
    )
    with heliumql.connect(path) as con:
        assert len(con.sql("FROM v").fetchall()) == 1


def test_servers_may_be_added_behind_the_first() -> None:
    def named(*addresses: str) -> object:
        return Model(
            "m", {"engine": "openai", "model": "q", "base_url": list(addresses)}
        ).identity()

    one = Model("m", {"engine": "openai", "model": "q", "base_url": "http://a/v1"}).identity()
    assert named("http://a/v1") == named("http://a/v1", "http://b/v1") == one
    assert named("http://b/v1", "http://a/v1") != one


OTHER = "CREATE OR REPLACE MODEL m WITH (engine = 'simulated', max_tokens = 9)"
PROMPT = "CREATE PROMPT p(a VARCHAR) AS 'About {a}'"


def seen(con: heliumql.Connection) -> tuple[list[str], dict[str, object]]:
    """Prompts, and the models that were made with their max_tokens."""
    prompts = [row[0] for row in con.sql("SHOW PROMPTS").fetchall()]
    return prompts, {n: m.options.get("max_tokens") for n, m in con.catalog.models.items()}


@pytest.mark.parametrize("statement", ["CREATE MODEL n WITH (engine = 'simulated')", OTHER, PROMPT])
@pytest.mark.parametrize("end", ["ROLLBACK", "COMMIT"])
def test_definitions_go_with_their_transaction(tmp_path: Path, statement: str, end: str) -> None:
    with heliumql.connect(tmp_path / "a.db") as con:
        con.execute(MODEL)
        before = seen(con)
        con.execute("BEGIN")
        con.execute(statement)
        inside = seen(con)
        con.execute(end)
        assert seen(con) == (before if end == "ROLLBACK" else inside)
        assert inside != before
    with heliumql.connect(tmp_path / "a.db") as con:
        assert seen(con) == (before if end == "ROLLBACK" else inside)


@pytest.mark.parametrize("kind", ["MODEL m", "PROMPT p", "VIEW v"])
def test_what_was_dropped_is_back_after_rollback(tmp_path: Path, kind: str) -> None:
    with heliumql.connect(tmp_path / "a.db") as con:
        con.execute("CREATE TABLE t AS SELECT 'x' AS a")
        for statement in (MODEL, PROMPT, VIEW):
            con.execute(statement)
        con.execute(f"BEGIN; DROP {kind}; ROLLBACK")
        assert len(con.sql("SELECT p(u) FROM v").fetchall()) == 1


def test_an_aborted_transaction_waits_for_its_end(tmp_path: Path) -> None:
    with heliumql.connect(tmp_path / "a.db") as con:
        con.execute("CREATE TABLE t(i INTEGER)")
        con.execute("BEGIN")
        con.execute(MODEL)
        with pytest.raises(Exception, match="Conversion"):
            con.execute("INSERT INTO t VALUES ('x')").fetchall()
        with pytest.raises(Exception, match="aborted"):
            con.sql("SELECT 1").fetchall()
        con.execute("ROLLBACK")
        assert seen(con)[1] == {}


NAMED = (
    "CREATE PROMPT p(x) AS 'hi {x}'",
    "CREATE VIEW v AS SELECT LLM_GENERATE('x') AS a",
    "CREATE MACRO f(x) AS LLM_GENERATE('{x}')",
)
ASKED = ("SELECT LLM_GENERATE('x', model => 'm')", "SELECT p('a')", "FROM v", "SELECT f('a')")


def test_what_one_connection_makes_and_drops_others_that_are_open_see() -> None:
    with heliumql.connect() as one, one.cursor() as other:
        other.execute("CREATE TEMP MODEL mine WITH (engine = 'simulated')")
        for statement in (MODEL, *NAMED):
            one.execute(statement)
        other.execute("SET llm_default_model = 'mine'")
        for text in ASKED:
            assert len(other.execute(text).fetchall()) == 1
        with pytest.raises(heliumql.CatalogError, match="model m exists already"):
            other.execute(MODEL)
        other.execute("CREATE OR REPLACE PROMPT p(x) AS 'bye {x}'")
        assert one.execute("DESCRIBE PROMPT p").fetchall()[0][1].endswith("'bye {x}'")
        for kind, name in (("MODEL", "m"), ("PROMPT", "p"), ("VIEW", "v"), ("MACRO", "f")):
            one.execute(f"DROP {kind} {name}")
        for text in ASKED:
            with pytest.raises((heliumql.CatalogError, duckdb.CatalogException)):
                other.execute(text).fetchall()
        assert set(other.catalog.models) == {"mine"}


def test_others_see_what_a_transaction_made_once_it_is_over() -> None:
    with heliumql.connect() as one, one.cursor() as other:
        for text in ("BEGIN", MODEL):
            one.sql(text)
        with pytest.raises(heliumql.CatalogError, match="there is no model m"):
            other.execute(ASKED[0])
        one.sql("ROLLBACK")
        with pytest.raises(heliumql.CatalogError, match="there is no model m"):
            other.execute(ASKED[0])
        for text in ("BEGIN", MODEL, "COMMIT"):
            one.sql(text)
        assert len(other.execute(ASKED[0]).fetchall()) == 1


def test_rows_that_are_being_read_go_on_while_others_make_something() -> None:
    with heliumql.connect() as one, one.cursor() as other:
        rows = other.sql("FROM range(9000)")
        assert rows is not None
        assert rows.fetchone() == (0,)
        one.execute(MODEL)
        assert len(other.execute(ASKED[0]).fetchall()) == 1
        assert len(rows.fetchall()) == 8999
