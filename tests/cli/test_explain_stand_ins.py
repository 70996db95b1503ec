"""`heliumql explain` of files whose statements read what others, not run, would make."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cli_program import Run

import heliumql

ROOT = Path(__file__).parents[2]
MODEL = "CREATE TEMP MODEL m WITH (engine = 'simulated');\n"
MADE = "CREATE TABLE made AS SELECT i, LLM_GENERATE('Say {i}') AS said FROM range(3) AS t(i);\n"


def test_the_first_file_that_the_readme_runs(run: Run) -> None:
    text = (ROOT / "queries/quickstart.hql").read_text()
    done = run("explain", "-c", text.replace("'catalog/", f"'{ROOT}/catalog/"))
    assert done.status == 0, done.err
    assert done.out.count("-" * 80) == 3
    assert "rows: 24; calls to run: 24" in done.out
    assert "rows: 12; calls to run: 12" in done.out  # those of few stars, of a table not made
    assert done.err == (
        "note: opinions of line 7 stands in, as no model is asked: it has 24 rows, with NULL for "
        "answers that are not remembered\n"
    )


def test_calls_on_plain_columns_are_counted(run: Run) -> None:
    done = run("explain", "-c", f"{MODEL}{MADE}SELECT LLM_GENERATE('Add to {{i}}') FROM made")
    assert done.status == 0, done.err
    assert done.out.count("rows: 3; calls to run: 3") == 2


def test_no_row_is_lost_to_a_filter(run: Run) -> None:
    made = "CREATE TABLE made AS FROM range(5) AS t(i) WHERE LLM_FILTER('Is {i} odd?') AND i > 0;"
    done = run("explain", "-c", f"{MODEL}{made} SELECT LLM_GENERATE('Add to {{i}}') FROM made")
    assert "it has 4 rows" in done.err
    assert done.out.count("rows: 4; calls to run: 4") == 2


def test_calls_of_other_kinds_and_in_views(run: Run) -> None:
    made = """
        CREATE VIEW odd AS FROM range(6) AS t(i) WHERE LLM_FILTER('Is {i} odd?');
        CREATE TABLE made AS
        SELECT i % 2 AS k, LLM_AGG('Text ' || i, 'Sum up' ORDER BY i) AS said,
               max(LLM_SCORE('How odd is {i}?')) AS score, max(LLM_EMBED('{i}')) AS place,
               max(LLM_GENERATE('{i}', temperature => 1)) AS drawn
        FROM odd GROUP BY k;
        SELECT LLM_GENERATE('{k}: {said}, {score}, {drawn}') FROM made WHERE place IS NULL"""
    done = run("explain", "-c", f"{MODEL}{made}")
    assert done.status == 0, done.err
    assert "made of line 4 stands in, as no model is asked: it has 2 rows" in done.err


def test_a_loop_without_end_is_left(run: Run) -> None:
    made = """
        CREATE TABLE made AS WITH RECURSIVE steps AS (
            SELECT 1 AS i UNION ALL SELECT i + 1 FROM steps WHERE LLM_FILTER('More than {i}?'))
        FROM steps; SELECT LLM_GENERATE('{i}') FROM made"""
    done = run("explain", "-c", f"{MODEL}{made}")
    assert done.status == 0, done.err
    assert re.search(r"it has the first [\d,]+ rows, with NULL for answers", done.err)


def test_remembered_answers_are_there(run: Run) -> None:
    again = f"{MODEL}{MADE.replace('TABLE', 'OR REPLACE TABLE')}SELECT LLM_GENERATE(said) FROM made"
    assert run("-c", again, "--database", "a.duckdb").status == 0
    done = run("explain", "-c", again, "--database", "a.duckdb")
    assert done.out.count("calls to run: 0; remembered: 3") == 2 * 2  # operator, total


def test_nothing_of_a_file_is_replaced(run: Run, tmp_path: Path) -> None:
    with heliumql.connect(tmp_path / "a.duckdb") as con:
        con.execute("CREATE TABLE made AS SELECT 1 AS i; CREATE TABLE kept AS SELECT 2 AS n")
    rest = """\
        CREATE OR REPLACE TABLE "kept" AS SELECT count(*) AS n FROM made;
        CREATE OR REPLACE VIEW v AS FROM made;
        INSERT INTO made VALUES (7, 'x');
        COPY made TO 'made.csv';
        SELECT LLM_GENERATE('{n} of {i}') FROM kept, v"""
    text = MODEL + MADE.replace("TABLE", "OR REPLACE TABLE") + rest
    done = run("explain", "-c", text, "--database", "a.duckdb")
    assert done.status == 0, done.err
    assert "rows: 4; calls to run: 4" in done.out
    assert "note: line 6 is not run: it would keep what is made of made" in done.err
    assert not (tmp_path / "made.csv").exists()
    with heliumql.connect(tmp_path / "a.duckdb") as con:
        assert con.execute("SELECT i, n FROM made, kept").fetchall() == [(1, 2)]
        assert con.execute("SELECT count(*) FROM duckdb_views() WHERE NOT internal").fetchall() == [
            (0,)
        ]


@pytest.mark.parametrize("rows", ["(SELECT i FROM range(3) t(i)) x", "made"])
def test_a_mistake_is_shown_in_the_users_file(run: Run, tmp_path: Path, rows: str) -> None:
    (tmp_path / "a.hql").write_text(f"{MODEL}{MADE}SELECT i,\n       nope\nFROM   {rows};\n")
    done = run("explain", "a.hql")
    assert done.status == 1
    assert "at a.hql:4\n4 |        nope\n  |        ^" in done.err
    assert "EXPLAIN" not in done.err
    assert done.out.count("LLM operators") == 1  # what could be told


def test_what_no_model_can_be_started_for_is_explained(run: Run) -> None:
    server = "engine = 'openai', base_url = 'http://localhost:9', model = 'x'"
    model = f"CREATE TEMP MODEL m WITH ({server});"
    done = run("explain", "-c", f"{model}{MADE}SELECT LLM_GENERATE(said) FROM made")
    assert done.status == 0, done.err
    assert done.out.count("rows: 3; calls to run: 3") == 1


@pytest.mark.parametrize(
    "made",
    [
        "CREATE OR REPLACE TEMP TABLE \"odd name\"(a, b) AS SELECT 1, LLM_GENERATE('x')",
        "CREATE TABLE IF NOT EXISTS \"odd name\" AS SELECT 1 AS a, LLM_GENERATE('x') AS b",
        "CREATE TABLE temp.\"odd name\" AS SELECT 1 AS a, LLM_GENERATE('x') AS b WITH NO DATA",
    ],
)
def test_ways_to_say_what_is_made(run: Run, made: str) -> None:
    done = run(
        "explain", "-c", f"{MODEL}{made}; SELECT LLM_GENERATE('{{a}} {{b}}') FROM \"odd name\""
    )
    assert done.status == 0, done.err
    assert "note: odd name of line 2 stands in" in done.err


def test_what_is_made_of_views_with_calls_is_explained_not_run(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.hql").write_text("""\
CREATE TEMP MODEL m WITH (engine = 'openai', base_url = 'http://localhost:9', model = 'x');
CREATE VIEW inner_one AS SELECT i, LLM_GENERATE('Say {i}') AS said FROM range(3) AS t(i);
CREATE VIEW outer_one AS FROM inner_one;
SELECT said FROM outer_one;
CREATE TABLE made AS FROM outer_one;
SELECT LLM_GENERATE('{i}') FROM made;
""")
    done = run("explain", "a.hql")
    assert done.status == 0, done.err
    assert done.out.count("rows: 3; calls to run: 3") == 3
    assert done.err.startswith("note: made of a.hql:5 stands in, ")
