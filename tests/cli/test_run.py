"""The flags of `heliumql run`, where results go, and what the program says and returns."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from cli_program import PROGRAM, Run, environment

FOREVER = """
WITH RECURSIVE slow(n, s) AS (
  SELECT 1, 0::DOUBLE
  UNION ALL
  SELECT n + 1, (SELECT sum(sqrt(a.range * b.range)) FROM range(3000) a, range(3000) b)
  FROM slow WHERE n < 1000000)
SELECT max(n) FROM slow
"""


def test_dash_c_prints_csv_in_a_pipe(run: Run) -> None:
    done = run("-c", "SELECT 42 AS answer")
    assert (done.status, done.out, done.err) == (0, "answer\n42\n", "")


def test_run_is_the_command_that_is_meant(run: Run, tmp_path: Path) -> None:
    (tmp_path / "q.hql").write_text("SELECT 1 AS a;")
    (tmp_path / "run").write_text("SELECT 'a file of that name' AS a")
    assert run("run", "-c", "SELECT 1 AS a").out == run("-c", "SELECT 1 AS a").out
    assert run("q.hql").out == run("run", "q.hql").out == "a\n1\n"
    assert run("./run").out == "a\na file of that name\n"


def test_a_database_before_dash_c_is_the_one_that_is_meant(run: Run) -> None:
    assert run("my.duckdb", "-c", "CREATE TABLE t AS SELECT 7 AS n").status == 0
    done = run("my.duckdb", "-c", "FROM t", "--format", "jsonl")
    assert (done.status, done.out, done.err) == (0, '{"n":7}\n', "")


@pytest.mark.parametrize("content", [b"", b"of another program, \xff or SQL; not " * 100])
def test_a_file_named_like_a_database_is_not_run_as_statements(
    run: Run, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "some.db").write_bytes(content)
    done = run("some.db")
    assert (done.status, done.out) == (1, "")
    assert "not a valid DuckDB database" in done.err


def test_a_file_runs_before_dash_c(run: Run, tmp_path: Path) -> None:
    (tmp_path / "q.hql").write_text("CREATE TABLE t AS SELECT 7 AS n; -- no result\n\n")
    done = run("q.hql", "-c", "SELECT n FROM t", "-c", "SELECT n + 1 AS m FROM t; SELECT 0 AS z")
    assert (done.status, done.out) == (0, "n\n7\nm\n8\nz\n0\n")


def test_standard_input_is_a_script(run: Run) -> None:
    text = b"\xef\xbb\xbfCREATE TABLE t (s VARCHAR);\nINSERT INTO t VALUES ('\xc3\xbc;');\nFROM t"
    assert run(stdin=text).out == run("-", stdin=text).out == "s\nü;\n"


def test_statements_without_rows_print_nothing(run: Run) -> None:
    done = run("-c", "CREATE TABLE t (i INTEGER); INSERT INTO t VALUES (1); SET threads = 1")
    assert (done.status, done.out, done.err) == (0, "", "")


def test_nothing_at_all_is_done_at_once(run: Run) -> None:
    done = run(stdin=b"")
    assert (done.status, done.out, done.err) == (0, "", "")
    done = run("-c", " ; -- only a comment")
    assert (done.status, done.out, done.err) == (0, "", "")


def test_the_database_is_a_file_that_stays(run: Run, tmp_path: Path) -> None:
    assert run("--database", "x.duckdb", "-c", "CREATE TABLE t AS SELECT 5 AS five").status == 0
    assert (tmp_path / "x.duckdb").exists()
    assert run("-c", "FROM t", "--database", "x.duckdb").out == "five\n5\n"


def test_a_database_that_cannot_be_opened_is_an_error(run: Run) -> None:
    done = run("--database", "no/such/folder/x.duckdb", "-c", "SELECT 1")
    assert done.status == 1
    assert "no/such/folder" in done.err
    assert "Traceback" not in done.err


def test_parameters_are_json_or_text_and_never_pasted(run: Run) -> None:
    done = run(
        *("-c", "SELECT $n + 1 AS n, $s AS s, $l[2] AS l, $o.k AS o, $z IS NULL AS z, $t AS t"),
        *("--param", "n=41", "--param", "s='; DROP TABLE x; --", "--param", "l=[1, 2]"),
        *("--param", 'o={"k": 2.5}', "--param", "z=null", "--param", "t=NaN"),
        *("--format", "json"),
    )
    assert done.err == ""
    assert json.loads(done.out) == [
        {"n": 42, "s": "'; DROP TABLE x; --", "l": 2, "o": 2.5, "z": True, "t": "NaN"}
    ]


def test_each_statement_takes_the_parameters_that_it_names(run: Run) -> None:
    done = run(
        "-c",
        "SELECT 1 AS one; SELECT $a AS a; SELECT $a || $b AS ab",
        "--param",
        "a=x",
        "--param",
        "b=y",
    )
    assert (done.status, done.out) == (0, "one\n1\na\nx\nab\nxy\n")


def test_a_parameter_without_a_value_says_how_it_gets_one(run: Run) -> None:
    done = run("-c", "SELECT $first")
    assert done.status == 1
    assert "hint: --param first=VALUE gives it one" in done.err


@pytest.mark.parametrize("end", ["", ";", " ; SELECT 2"])
@pytest.mark.parametrize(
    ("text", "open_one"), [("SELECT (1 + 2", "("), ("SELECT (')', [1, 2", "[")]
)
def test_what_is_not_closed_is_shown_where_the_statement_ends(
    text: str, open_one: str, end: str, run: Run
) -> None:
    done = run("-c", text + end)
    assert f'syntax error at the end: "{open_one}" is not closed' in done.err
    assert done.err.rstrip().endswith("| " + " " * len(text) + "^")


def test_settings_are_set_before_all_else(run: Run) -> None:
    done = run(
        "--set",
        "default_null_order=nulls_first",
        "--set",
        "threads=1",
        "-c",
        "SELECT x, current_setting('threads') AS t FROM (VALUES (1), (NULL)) v(x) ORDER BY x",
    )
    assert (done.status, done.out) == (0, "x,t\n,1\n1,1\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--param", "a", "-c", "SELECT 1"], "--param a: a value is missing"),
        (["--param", "$a=1", "-c", "SELECT 1"], "'$a' is not a name"),
        (["--param", "a=1", "--param", "a=2", "-c", "SELECT 1"], "--param a is given twice"),
        (["--set", "=1", "-c", "SELECT 1"], "'' is not a name"),
        (["--format", "xml", "-c", "SELECT 1"], "invalid choice: 'xml'"),
        (["--unknown"], "--unknown"),
        (["--database", "a", "--database", "b", "-c", "SELECT 1"], "--database is given twice"),
        (["repl", "--database", "a", "--database", "a"], "--database is given twice"),
        (["--param", "n=1", "-c", "SELECT $m, $k"], "no statement has $n\nhint: they have $k, $m"),
        (["--set", "threads=[1]", "-c", "SELECT 1"], "--set threads: a setting is a text"),
        (["SELECT 42"], 'hint: heliumql -c "SELECT 42"'),
        (["missing.hql"], "cannot read missing.hql: No such file or directory"),
        (["."], "cannot read .: Is a directory"),
        (["explane", "-c", "SELECT 1"], "no command or file 'explane'"),
        (["--output", "no/folder/x.csv", "-c", "SELECT 1"], "cannot write no/folder/x.csv"),
    ],
)
def test_wrong_usage_is_status_2_and_one_message(
    run: Run, arguments: list[str], message: str
) -> None:
    done = run(*arguments)
    assert (done.status, done.out) == (2, "")
    assert message in done.err
    assert "Traceback" not in done.err


def test_a_file_that_is_no_text_is_named_with_its_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.hql").write_bytes(b"SELECT 1;\nSELECT '\xff';")
    done = run("x.hql")
    assert (done.status, done.err) == (2, "error: x.hql:2 is not UTF-8 text\n")


def test_a_mistake_is_status_1_and_what_ran_before_is_shown(run: Run) -> None:
    done = run("-c", "SELECT 1 AS a; SELECT no_such_column FROM range(3); SELECT 2 AS b")
    assert (done.status, done.out) == (1, "a\n1\n")
    assert '"no_such_column" not found' in done.err
    assert "Traceback" not in done.err


def test_a_mistake_in_a_file_is_shown_with_file_line_and_caret(run: Run, tmp_path: Path) -> None:
    (tmp_path / "q.hql").write_text(
        "SELECT 1 AS a;\n\nSELECT range,\n  no_such_column FROM range(3);\n"
    )
    done = run("q.hql")
    assert done.status == 1
    assert "q.hql:4" in done.err
    lines = done.err.splitlines()
    caret = next(i for i, line in enumerate(lines) if line.strip(" |^") == "" and "^" in line)
    assert lines[caret - 1][lines[caret].index("^") :].startswith("no_such_column")


def test_an_error_leaves_the_output_file_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("precious")
    assert run("-c", "SELECT nothing", "--output", "x.csv").status == 1
    assert (tmp_path / "x.csv").read_text() == "precious"


def test_an_output_file_without_a_result_is_not_made(run: Run, tmp_path: Path) -> None:
    done = run("-c", "CREATE TABLE t (i INTEGER)", "--output", "x.csv")
    assert (done.status, done.err) == (
        0,
        "warning: no statement gave rows; x.csv was not written\n",
    )
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize("name", ["parquet", "arrow"])
def test_binary_formats_hold_one_result(run: Run, name: str) -> None:
    done = run("-c", "SELECT 1; SELECT 2", "--format", name)
    assert done.status == 2
    assert f"{name} output cannot hold a second result" in done.err


@pytest.mark.parametrize("name", ["x.csv", "x.json", "x.parquet"])
def test_files_that_cannot_hold_two_results_do_not_get_two(run: Run, name: str) -> None:
    done = run("-c", "SELECT 1; SELECT 2", "--output", name)
    assert done.status == 2
    assert "file cannot hold a second result" in done.err


@pytest.mark.parametrize("name", ["x.jsonl", "x.md", "x.txt"])
def test_other_files_get_results_one_after_another(run: Run, tmp_path: Path, name: str) -> None:
    assert run("-c", "SELECT 111 AS a; SELECT 222 AS a", "--output", name).status == 0
    text = (tmp_path / name).read_text()
    assert 0 < text.index("111") < text.index("222")


def test_stats_are_one_json_object_on_the_last_line_of_standard_error(run: Run) -> None:
    for query, status in (("SELECT 1; SELECT 2", 0), ("SELECT 1; SELECT nothing", 1)):
        done = run("-c", query, "--stats", "json")
        stats = json.loads(done.err.splitlines()[-1])
        assert done.status == status
        assert stats["calls_asked"] == stats["calls_run"] == 0
        assert stats["seconds"] > 0
    assert "calls   0 asked" in run("-c", "SELECT 1", "--stats", "text").err


def test_help_and_version_are_on_standard_output(run: Run) -> None:
    assert run("--version").out.startswith("heliumql 0.")
    assert "usage: heliumql  " in run("--help").out
    assert "--param NAME=VALUE" in run("run", "--help").out
    assert run("run", "--help").err == ""


def test_a_full_disk_is_told(run: Run) -> None:
    done = run("-c", "SELECT 1", "--output", "/dev/full", "--format", "csv")
    assert (done.status, done.err) == (
        1,
        "error: cannot write the result: No space left on device\n",
    )


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, heliumql.cli.main; print({'duckdb', 'pyarrow', 'lark'} & {*sys.modules})"
    shown = subprocess.run([PROGRAM[0], "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "set()\n"


def started(*arguments: str) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [*PROGRAM, *arguments], stdout=pipe, stderr=pipe, env=environment({}), bufsize=0
    )


def test_a_reader_that_leaves_early_is_no_error() -> None:
    with started("-c", "SELECT i, 'text' AS t FROM range(50000000) t(i)") as program:
        assert program.stdout is not None
        assert program.stderr is not None
        assert program.stdout.read(4) == b"i,t\n"
        program.stdout.close()
        assert program.stderr.read() == b""
    assert program.returncode == 128 + signal.SIGPIPE


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_a_running_statement(number: signal.Signals, status: int) -> None:
    with started("-c", "SELECT 1 AS started", "-c", FOREVER) as program:
        assert program.stdout is not None
        assert program.stdout.read(8) == b"started\n"
        time.sleep(0.3)  # into the second statement; one that has not begun stops as well
        program.send_signal(number)
        _, err = program.communicate(timeout=20)
    assert (program.returncode, err) == (status, b"interrupted\n")
