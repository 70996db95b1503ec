"""What must not meet: data and references, calls under other settings, rows of other data."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import heliumql
from heliumql.connection import Connection
from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import ScriptedAnswer, SimulatedEngine
from heliumql.errors import ExecutionError

Script = Callable[[tuple[tuple[str, str], ...], CallSpec], str | ScriptedAnswer]


def connected(script: Script, **options: object) -> tuple[Connection, SimulatedEngine]:
    engine = SimulatedEngine(options, script)
    con = heliumql.connect()
    con.register_model("m", engine, model="m")
    return con, engine


def echo(messages: tuple[tuple[str, str], ...], spec: CallSpec) -> str:
    return f"[asked: {messages[-1][1]}]"


@pytest.mark.parametrize("first", ["evil", "victim"])
def test_data_that_looks_like_a_reference_is_another_call(first: str) -> None:
    con, engine = connected(echo)
    with con:
        con.execute("SELECT LLM_GENERATE('name k1')").fetchall()
        (call,) = [entry.call for entry in engine.log]
    forged = f"echo \ue000{bytes(call).hex()}\ue001"
    con, _ = connected(echo)
    with con:
        con.execute("CREATE TABLE e (t VARCHAR)")
        con.execute("INSERT INTO e VALUES (?)", [forged])
        evil = "SELECT 'evil' AS who, LLM_GENERATE('{t}') AS ans FROM e"
        victim = (
            "SELECT 'victim', LLM_GENERATE('echo {a.text}') "
            "FROM (VALUES ('k1')) v(x), LATERAL LLM_GENERATE('name {x}') AS a"
        )
        parts = [evil, victim] if first == "evil" else [victim, evil]
        rows = dict(con.execute(" UNION ALL ".join(parts)).fetchall())
    assert rows["victim"] == "[asked: echo [asked: name k1]]"
    assert rows["evil"] == f"[asked: {forged}]"


def counted() -> Script:
    asked = 0

    def script(messages: tuple[tuple[str, str], ...], spec: CallSpec) -> str:
        nonlocal asked
        asked += 1
        return f"answer {asked}"

    return script


def test_a_call_that_is_asked_anew_is_asked_anew_for_the_whole_statement() -> None:
    con, _ = connected(counted())
    with con:
        assert con.execute("SELECT LLM_GENERATE('a')").fetchall() == [("answer 1",)]
        both = "SELECT LLM_GENERATE('a') AS x, LLM_GENERATE('a', cache => 'refresh') AS y"
        assert con.execute(both).fetchall() == [("answer 2", "answer 2")]
        assert con.execute("SELECT LLM_GENERATE('a')").fetchall() == [("answer 2",)]


@pytest.mark.parametrize("turned", [False, True])
def test_a_call_without_the_store_is_kept_from_one_that_uses_it(turned: bool) -> None:
    con, _ = connected(counted())
    with con:
        con.execute("SELECT LLM_GENERATE('a')").fetchall()
        use, off = "LLM_GENERATE('a') AS x", "LLM_GENERATE('a', cache => 'off') AS y"
        order = f"{off}, {use}" if turned else f"{use}, {off}"
        relation = con.sql(f"SELECT {order}")
        assert relation is not None
        row = dict(zip(relation.columns, relation.fetchall()[0], strict=True))
        assert row == {"x": "answer 1", "y": "answer 2"}
        assert con.execute("SELECT LLM_GENERATE('a')").fetchall() == [("answer 1",)]


def test_rows_are_not_read_on_from_other_data() -> None:
    def script(messages: tuple[tuple[str, str], ...], spec: CallSpec) -> ScriptedAnswer:
        said = messages[-1][1]
        if said.startswith("a 30"):
            return ScriptedAnswer(error="no", seconds=9)
        if said.startswith("f"):
            return ScriptedAnswer("true", seconds=2)
        if said.startswith("d"):
            return ScriptedAnswer("D", seconds=2)
        return ScriptedAnswer("A " + said, seconds=0.01)

    con, _ = connected(script, max_num_seqs=200)
    with con:
        con.execute("CREATE TABLE t AS SELECT i AS id FROM range(40) q(i)")
        read, beside = con.sql_many(
            [
                "SELECT id, coalesce(LLM_GENERATE('a {id}'), 'none') AS x FROM t ORDER BY id",
                "SELECT CAST(CASE WHEN count(*) < 37 THEN 'few' ELSE '1' END AS INTEGER) FROM t "
                "WHERE LLM_FILTER('f {id}') AND LLM_GENERATE('d {id}') <> 'q'",
            ]
        )
        first = read.fetchmany(16)
        con.duckdb.cursor().execute("DELETE FROM t WHERE id IN (0, 1, 2)")
        with pytest.raises(ExecutionError, match="cannot be read on"):
            first += read.fetchall()
        assert [row[0] for row in first] == list(range(16))
        assert [row[0] for row in read.fetchall()] == list(range(3, 40))  # read anew
        assert beside.columns


def test_a_value_that_cannot_be_given_spoils_nothing_after_it() -> None:
    con, _ = connected(echo)
    with con:
        relation = con.sql("SELECT 'x' AS t, LLM_GENERATE('a') AS a")
        assert relation is not None
        caster = con._session.shared.caster
        with pytest.raises(ExecutionError), caster._private() as private:
            private.execute("SELECT CAST('x' AS INTEGER)").fetchall()
        assert relation.fetchall() == [("x", "[asked: a]")]
