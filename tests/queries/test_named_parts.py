"""Views, macros, prompts and prepared statements that hold calls, here and after reopening."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted_connection import Made

import heliumql
from heliumql.connection import Connection
from heliumql.engines.engine import CallSpec


def script(messages: list[tuple[str, str]], spec: CallSpec) -> str:
    """What was said, in brackets; or of the type asked for."""
    said = " / ".join(content.split("\n")[0] for _, content in messages)
    match spec.returns.name:
        case "STRUCT":
            return '{"verdict": "fine", "score": 7}'
        case "BOOLEAN":
            return "true"
        case "INTEGER":
            return "5"
        case _:
            return f"<{said}>"


MADE = """
CREATE TABLE t AS SELECT i AS id, 'b' || i AS body FROM range(3) r(i);
CREATE VIEW gists AS SELECT id, LLM_GENERATE('gist of {body}') AS gist FROM t;
CREATE VIEW above AS SELECT id, gist || '!' AS loud FROM gists;
CREATE MACRO gist_of(x) AS LLM_GENERATE('macro {x}');
CREATE MACRO gists_from(least) AS TABLE
  SELECT id, LLM_GENERATE('table macro {body}') AS gist FROM t WHERE id >= least;
CREATE PROMPT shout(word VARCHAR) AS $$Shout {word} in {{braces}}$$;
CREATE PROMPT critic(draft VARCHAR) RETURNS STRUCT(verdict VARCHAR, score INTEGER)
  WITH (system = 'You are strict.') AS $$Criticize {draft}$$;
"""
READS = {
    "a view": ("SELECT gist FROM gists ORDER BY id",
               [("<gist of b0>",), ("<gist of b1>",), ("<gist of b2>",)]),
    "a view of a view": ("SELECT loud FROM above WHERE id = 1", [("<gist of b1>!",)]),
    "a view twice": ("SELECT count(*) FROM gists a JOIN gists b ON a.gist = b.gist", [(3,)]),
    "a macro": ("SELECT gist_of(body) FROM t WHERE id = 2", [("<macro b2>",)]),
    "a macro twice": ("SELECT gist_of(gist_of('x'))", [("<macro <macro x>>",)]),
    "a table macro": ("SELECT gist FROM gists_from(2)", [("<table macro b2>",)]),
    "a prompt": ("SELECT shout(body) FROM t WHERE id = 1", [("<Shout b1 in {braces}>",)]),
    "a lateral prompt": ("SELECT t.id, s.text FROM t, LATERAL shout(t.body) s WHERE t.id = 1",
                         [(1, "<Shout b1 in {braces}>")]),
    "a typed prompt": ("SELECT critic(body) FROM t WHERE id = 1",
                       [({"verdict": "fine", "score": 7},)]),
    "a typed lateral prompt": (
        "SELECT c.score + 1, c.verdict FROM t, LATERAL critic(t.body) c WHERE t.id = 0",
        [(8, "fine")]),
}  # fmt: skip


def rows_of(con: Connection, query: str) -> list[tuple[object, ...]]:
    relation = con.sql(query)
    assert relation is not None
    return relation.fetchall()


@pytest.mark.parametrize("mode", ["on", "off"])
@pytest.mark.parametrize("kind", READS)
def test_a_named_part_is_expanded_where_it_is_used(kind: str, mode: str, scripted: Made) -> None:
    query, rows = READS[kind]
    one = scripted(script)
    one.con.execute(MADE)
    one.con.set("llm_optimizer", mode)
    assert rows_of(one.con, query) == rows


@pytest.mark.parametrize("kind", READS)
def test_a_cursor_sees_named_parts(kind: str, scripted: Made) -> None:
    query, rows = READS[kind]
    one = scripted(script)
    one.con.execute(MADE)
    cursor = one.con.cursor()
    assert rows_of(cursor, query) == rows
    cursor.close()


@pytest.mark.parametrize("kind", READS)
def test_named_parts_are_there_again_after_reopening(
    kind: str, scripted: Made, tmp_path: Path
) -> None:
    query, rows = READS[kind]
    path = str(tmp_path / "kept.duckdb")
    first = scripted(script, database=path)
    first.con.execute(MADE)
    first.con.close()
    again = scripted(script, database=path)
    assert rows_of(again.con, query) == rows


def test_dropped_parts_are_gone_after_reopening(scripted: Made, tmp_path: Path) -> None:
    path = str(tmp_path / "kept.duckdb")
    first = scripted(script, database=path)
    first.con.execute(MADE)
    first.con.execute("DROP VIEW above; DROP PROMPT shout; DROP MACRO gist_of")
    first.con.close()
    again = scripted(script, database=path)
    for query in ("FROM above", "SELECT shout('a')", "SELECT gist_of('a')"):
        with pytest.raises((heliumql.HeliumQLError, Exception), match="does not exist"):
            again.con.execute(query).fetchall()
    assert rows_of(again.con, "SELECT count(*) FROM gists") == [(3,)]


def test_or_replace_takes_the_new_text(scripted: Made) -> None:
    one = scripted(script)
    one.con.execute(MADE)
    one.con.execute("CREATE OR REPLACE VIEW gists AS SELECT id, LLM_GENERATE('new') AS gist FROM t")
    assert rows_of(one.con, "SELECT DISTINCT gist FROM gists") == [("<new>",)]
    one.con.execute("CREATE OR REPLACE PROMPT shout(word VARCHAR) AS $$Whisper {word}$$")
    assert rows_of(one.con, "SELECT shout('a')") == [("<Whisper a>",)]


def test_a_view_is_refused_twice_and_kept(scripted: Made) -> None:
    one = scripted(script)
    one.con.execute(MADE)
    with pytest.raises(heliumql.HeliumQLError, match="exists"):
        one.con.execute("CREATE VIEW gists AS SELECT LLM_GENERATE('other') AS gist")
    assert rows_of(one.con, "SELECT count(*) FROM gists") == [(3,)]


VALUES = ["{x}", "{{y}} }", "$1 ? $name", "it's"]


@pytest.mark.parametrize("mode", ["on", "off"])
@pytest.mark.parametrize("value", VALUES)
def test_parameters_are_values(value: str, mode: str, scripted: Made) -> None:
    one = scripted(script)
    one.con.set("llm_optimizer", mode)
    one.con.execute("PREPARE p AS SELECT LLM_GENERATE('say {v}') FROM (SELECT $1 AS v)")
    quoted = value.replace("'", "''")
    assert rows_of(one.con, f"EXECUTE p('{quoted}')") == [(f"<say {value}>",)]
    one.con.execute("PREPARE q AS SELECT LLM_GENERATE('say {0}', $name)")
    assert rows_of(one.con, f"EXECUTE q(name := '{quoted}')") == [(f"<say {value}>",)]
    relation = one.con.sql("SELECT LLM_GENERATE('say {0}', ?), ?", [value, 7])
    assert relation is not None
    assert relation.fetchall() == [(f"<say {value}>", 7)]


def test_a_prepared_statement_runs_again_with_other_values(scripted: Made) -> None:
    one = scripted(script)
    one.con.execute("PREPARE p AS SELECT LLM_GENERATE('say {v}') FROM (SELECT ? AS v)")
    for value in ("a", "b", "a"):
        assert rows_of(one.con, f"EXECUTE p('{value}')") == [(f"<say {value}>",)]
    assert one.prompts == ["say a", "say b"]
    one.con.execute("DEALLOCATE p")
    with pytest.raises(Exception, match="p"):
        one.con.execute("EXECUTE p('a')").fetchall()


def test_a_prepared_insert_writes(scripted: Made) -> None:
    one = scripted(script)
    one.con.execute("CREATE TABLE out (a VARCHAR)")
    one.con.execute("PREPARE p AS INSERT INTO out SELECT LLM_GENERATE('say {v}') FROM (SELECT ? v)")
    one.con.execute("EXECUTE p('a'); EXECUTE p('b')")
    assert rows_of(one.con, "FROM out ORDER BY a") == [("<say a>",), ("<say b>",)]
