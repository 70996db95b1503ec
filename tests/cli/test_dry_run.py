"""A dry run tells what calls would cost; it asks no model and writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_program import Run

import heliumql

FILE = """\
CREATE MODEL m WITH (engine = 'openai', base_url = 'http://127.0.0.1:9/v1', model = 'x',
                     price_in = 1000, price_out = 2000);
CREATE TABLE t AS SELECT i, 'text ' || (i % 6) AS body FROM range(10) r(i);
SET llm_max_calls = 5;
SELECT i, LLM_GENERATE('Sum up {body}') FROM t;
CREATE TABLE s AS SELECT i, LLM_GENERATE('Sum up {body}') AS g FROM t;
SELECT LLM_GENERATE('Again {g}') FROM s;
COPY t TO 'out.csv';
CREATE TABLE main.u AS FROM s WHERE LLM_FILTER('Is {g} short?');
SELECT LLM_GENERATE('Once more {g}') FROM u;
"""


def test_statements_of_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.hql").write_text(FILE)
    done = run("a.hql", "--dry-run")
    assert done.status == 0
    assert done.err == (
        "note: s of a.hql:6 stands in, as no model is asked: it has 10 rows, with NULL for answers "
        "that are not remembered\n"
    )
    assert done.out.startswith(
        "a.hql:5: SELECT i, LLM_GENERATE('Sum up {body}') FROM t\n"
        "  calls to run: 6; rows that ask: 10; remembered: 0; equal to others: 4\n"
    )
    assert "over budget: llm_max_calls = 5, and 6 calls are to be run" in done.out
    assert "price: ~" in done.out
    assert (
        "a.hql:7: SELECT LLM_GENERATE('Again {g}') FROM s\n"
        "  as if answers in s that are not remembered were NULL:\n  calls to run: 0; "
    ) in done.out
    assert (
        "a.hql:10: SELECT LLM_GENERATE('Once more {g}') FROM u\n  not known: table with name u"
        in done.out
    )
    assert "a.hql:8: COPY t TO 'out.csv'\n  not run" in done.out
    assert [file.name for file in tmp_path.iterdir()] == ["a.hql"]


def test_a_database_file_is_only_read(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "d.duckdb"
    with heliumql.connect(file) as con:
        con.execute("CREATE TABLE t AS SELECT 1 AS i")
        con.execute("CREATE MODEL m WITH (engine = 'simulated')")
        con.sql("SELECT LLM_GENERATE('say {i}') FROM t").fetchall()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    done = run(
        "--database", "d.duckdb", "--dry-run",
        "-c", "CREATE TABLE u AS SELECT 2 AS i; INSERT INTO t VALUES (3)",
        "-c", "SELECT LLM_GENERATE('say {i}') FROM (FROM t UNION ALL FROM u)",
    )  # fmt: skip
    assert done.status == 0
    assert "INSERT INTO t VALUES (3)\n  not run: it would write to the database" in done.out
    assert "calls to run: 1; rows that ask: 2; remembered: 1; equal to others: 0" in done.out
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_estimates_in_python() -> None:
    with heliumql.connect() as con:
        con.execute("CREATE MODEL m WITH (engine = 'simulated', price_out = 1000)")
        con.execute("CREATE TABLE t AS SELECT i % 3 AS i FROM range(9) r(i)")
        con.set("llm_max_cost", 0.001)
        found = con.estimate("INSERT INTO t SELECT length(LLM_GENERATE('say {i}')) FROM t")
        assert found.calls is not None
        assert found.asked is not None
        assert (found.asked.value, found.calls.value, found.calls.exact) == (9, 3, True)
        assert found.price is not None
        assert [sentence.partition(",")[0] for sentence in found.exceeded] == [
            "llm_max_cost = 0.001"
        ]
        assert con.sql("SELECT count(*) FROM t").fetchall() == [(9,)]
        assert str(con.estimate("SELECT 1")) == "no calls"
        assert con.estimate("SELECT LLM_GENERATE('x', temperature => 1)").calls is None
        with pytest.raises(heliumql.BindError):
            con.estimate("SELECT 1; SELECT 2")
        with pytest.raises(heliumql.HeliumQLError, match="nobody"):
            con.estimate("SELECT LLM_GENERATE('{nobody}') FROM t")


def test_views_of_views_with_calls_are_counted(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.hql").write_text("""\
CREATE MODEL m WITH (engine = 'simulated');
CREATE VIEW inner_one AS SELECT LLM_GENERATE('Say {i}') AS said FROM range(3) AS t(i);
CREATE VIEW outer_one AS FROM inner_one;
SELECT said FROM outer_one;
""")
    done = run("a.hql", "--dry-run")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("a.hql:4: SELECT said FROM outer_one\n  calls to run: 3; ")


MADE = """\
CREATE TEMP MODEL m WITH (engine = 'openai', base_url = 'http://127.0.0.1:9/v1', model = 'x');
CREATE TABLE made AS SELECT i, LLM_GENERATE('Say {i}') AS said FROM range(4) AS t(i);
CREATE VIEW few AS FROM made WHERE i > 1;
CREATE TABLE fewer AS FROM few WHERE i > 2;
INSERT INTO made VALUES (9, 'nine');
CREATE TABLE kept (i INTEGER);
INSERT INTO kept SELECT i FROM made;
SELECT LLM_GENERATE('Add to {i}') FROM few;
SELECT LLM_GENERATE('Add to {i}') FROM fewer;
"""


@pytest.mark.parametrize("in_file", [False, True])
def test_what_is_made_of_tables_that_stand_in(run: Run, tmp_path: Path, in_file: bool) -> None:
    (tmp_path / "a.hql").write_text(MADE)
    heliumql.connect(tmp_path / "d.duckdb").close()
    before = (tmp_path / "d.duckdb").read_bytes()
    done = run("a.hql", "--dry-run", *(["--database", "d.duckdb"] if in_file else []))
    assert done.status == 0, done.err
    assert "INSERT INTO kept SELECT i FROM made\n  not run: it would keep" in done.out
    counted = "as if answers in {} that are not remembered were NULL:\n  calls to run: {}; "
    assert counted.format("few", 3) in done.out
    assert counted.format("fewer", 1) in done.out
    assert (tmp_path / "d.duckdb").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.hql", "d.duckdb"]
