"""`heliumql fmt`: what it writes, what it leaves alone, and what it returns."""

from __future__ import annotations

from pathlib import Path

from cli_program import Run

UGLY = "select a,b\nfrom t"
NEAT = "SELECT a, b\nFROM t\n"


def test_files_are_laid_out_in_place(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.hql").write_text(UGLY)
    (tmp_path / "b.hql").write_text(NEAT)
    done = run("fmt", "a.hql", "b.hql")
    assert (done.status, done.out, done.err) == (0, "", "a.hql laid out\n")
    assert (tmp_path / "a.hql").read_text() == (tmp_path / "b.hql").read_text() == NEAT


def test_standard_input_goes_to_standard_output(run: Run) -> None:
    done = run("fmt", "-", stdin=UGLY.encode())
    assert (done.status, done.out, done.err) == (0, NEAT, "")


def test_check_changes_nothing_and_tells(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.hql").write_text(UGLY)
    (tmp_path / "b.hql").write_text(NEAT)
    done = run("fmt", "--check", "a.hql", "b.hql")
    assert (done.status, done.out, done.err) == (1, "", "a.hql would change\n")
    assert run("fmt", "--check", "b.hql").status == 0
    assert (tmp_path / "a.hql").read_text() == UGLY


def test_diff_shows_what_would_change(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.hql").write_text(UGLY)
    done = run("fmt", "--diff", "a.hql")
    assert (done.status, done.err) == (0, "")
    assert "-select a,b\n" in done.out
    assert "+SELECT a, b\n" in done.out
    assert (tmp_path / "a.hql").read_text() == UGLY
    assert run("fmt", "--diff", "--check", "a.hql").status == 1


def test_a_mistake_leaves_its_file_alone_and_the_others_are_laid_out(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "bad.hql").write_text("select 1;\nselect (2")
    (tmp_path / "a.hql").write_text(UGLY)
    done = run("fmt", "bad.hql", "a.hql")
    assert (done.status, done.out) == (1, "")
    assert "error: this '(' is never closed" in done.err
    assert "bad.hql:2" in done.err
    assert (tmp_path / "bad.hql").read_text() == "select 1;\nselect (2"
    assert (tmp_path / "a.hql").read_text() == NEAT


def test_wrong_command_lines(run: Run) -> None:
    assert run("fmt").status == 2
    done = run("fmt", "nowhere.hql")
    assert (done.status, done.err) == (
        2,
        "error: cannot read nowhere.hql: No such file or directory\n",
    )
    assert run("fmt", "-", "-", stdin=b"").status == 2
    assert "--check" in run("fmt", "--help").out


SNOWFLAKE = 'select c:a::string as a from (select parse_json(\'{"a": "x"}\') as c)'


def test_statements_of_another_dialect_are_shown_as_hql(run: Run, tmp_path: Path) -> None:
    (tmp_path / "q.sql").write_text("-- the drafts\nselect AI_COMPLETE('m', 'Say {x}') from t;")
    done = run("fmt", "--dialect", "snowflake", "q.sql")
    shown = "-- the drafts\nSELECT LLM_GENERATE('Say {{x}}', model => 'm') FROM t;\n"
    assert (done.status, done.out, done.err) == (0, shown, "")
    assert "select AI_COMPLETE" in (tmp_path / "q.sql").read_text()
    assert run("fmt", "--check", "--dialect", "snowflake", "q.sql").status == 2


def test_sql_of_duckdb_with_flock_is_laid_out_too(run: Run, tmp_path: Path) -> None:
    call = "llm_complete({'model_name': 'm'}, {'prompt': 'Say {x}'})"
    (tmp_path / "q.sql").write_text(f"LOAD flock;\nselect {call} -- it\nfrom t")
    done = run("fmt", "--dialect", "flock", "q.sql")
    shown = "SELECT LLM_GENERATE('Say {{x}}', model => 'm') -- it\nFROM t\n"
    assert (done.status, done.out, done.err) == (0, shown, "")
    assert run("--dialect", "flock", "-c", "LOAD flock; select 7 // 2 as n").out == "n\n3\n"
    assert run("--dialect", "flock", "-c", "LOAD flock").status == 0
    (tmp_path / "q.sql").write_text("select 1;\nselect llm_rerank()")
    done = run("--dialect", "flock", "q.sql")
    assert (done.status, done.out) == (1, "")
    assert "q.sql:2" in done.err


def test_they_are_run_as_hql(run: Run, tmp_path: Path) -> None:
    assert run("--dialect", "snowflake", "-c", SNOWFLAKE).out == "a\nx\n"
    done = run("--dialect", "postgres", "-c", "select 7 / 2 as n, $k::int as k", "--param", "k=5")
    assert (done.status, done.out) == (0, "n,k\n3,5\n")
    model = "CREATE MODEL m WITH (engine = 'simulated');"
    text = f"{model} select AI_FILTER('Is it?') in (true, false) as x"
    assert run("--dialect", "snowflake", "-c", text).out == "x\ntrue\n"
    done = run("--dialect", "oracle", "-c", "select 1")
    assert (done.status, "invalid choice" in done.err) == (2, True)


def test_what_has_no_meaning_here_is_an_error_with_its_place(run: Run, tmp_path: Path) -> None:
    (tmp_path / "q.sql").write_text("select 1;\nselect id\nfrom t distribute by id")
    done = run("--dialect", "spark", "q.sql")
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("error: DISTRIBUTE in SELECT of spark cannot be carried over")
    assert "q.sql:3" in done.err
    assert "Traceback" not in done.err
    unknown = "select AI_COMPLETE('claude-3-5-sonnet', 'Hi')"
    done = run("--dialect", "snowflake", "-c", unknown)
    assert done.status == 1
    assert "claude-3-5-sonnet" in done.err
