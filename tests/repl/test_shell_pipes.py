"""The shell without a terminal: what is piped, read from files, and written to them."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from terminal import PROGRAM, environment

Piped = Callable[..., subprocess.CompletedProcess[str]]
ROW = "SELECT 1 AS n, 'a,b' AS text, NULL AS nothing;"


def test_statements_and_commands_are_run_and_results_are_csv(piped: Piped) -> None:
    done = piped(f"{ROW}\n.print between\nSELECT 'no semicolon' AS last")
    assert done.returncode == 0
    assert done.stdout == 'n,text,nothing\n1,"a,b",\nbetween\nlast\nno semicolon\n'
    assert done.stderr == ""


MODES = {
    "csv": 'n,text,nothing\n1,"a,b",\n',
    "tsv": "n\ttext\tnothing\n1\ta,b\t\n",
    "line": "      n = 1\n   text = a,b\nnothing = NULL\n",
    "json": '[\n{"n":1,"text":"a,b","nothing":null}\n]\n',
    "jsonl": '{"n":1,"text":"a,b","nothing":null}\n',
    "markdown": "| n | text | nothing |\n| ---: | --- | --- |\n| 1 | a,b | NULL |\n",
}


def test_modes(piped: Piped) -> None:
    shown = piped("".join(f".mode {mode}\n{ROW}\n.print --\n" for mode in MODES)).stdout
    assert dict(zip(MODES, shown.split("--\n"), strict=False)) == MODES
    assert piped(ROW, "--format", "line").stdout == MODES["line"]


def test_tables_in_pipes_are_whole(piped: Piped) -> None:
    lines = piped("SELECT i, NULL AS x FROM range(50) t(i);", "--format", "table").stdout
    assert lines.splitlines()[1:3] == ["│   i    │  x   │", "│ bigint │ null │"]
    assert lines.count("\n") == 55


def test_what_stands_for_null_and_headers(piped: Piped) -> None:
    text = f'.nullvalue "-"\n.headers off\n{ROW}\n.mode tsv\n.last\n.mode table\n.last\n.show mode'
    assert piped(text).stdout.splitlines() == [
        '1,"a,b",-',
        "1\ta,b\t-",
        "┌───┬─────┬───┐",
        "│ 1 │ a,b │ - │",
        "└───┴─────┴───┘",
        "mode  table",
    ]


def test_the_last_result_is_shown_again_without_running_anything(piped: Piped) -> None:
    lines = piped("SELECT random() AS r;\n.last\n.mode json\n.last").stdout.splitlines()
    assert lines[1] == lines[3]
    assert json.loads("".join(lines[4:])) == [{"r": float(lines[1])}]


def test_errors_are_told_with_their_line_and_the_rest_is_run(piped: Piped) -> None:
    done = piped(
        "SELECT 1 AS a;\n\nSELECT oops;\n.nonsense\nFROM 'no.csv';\n"
        "SELECT '\udcff';\nSELECT 2 AS b;"
    )
    assert done.returncode == 1
    assert done.stdout == "a\n1\nb\n2\n"
    assert "at <stdin>:3\n3 | SELECT oops;\n  |        ^^^^" in done.stderr
    assert "<stdin>:4: no command .nonsense" in done.stderr
    assert '"no.csv"\n  at <stdin>:5\n' in done.stderr
    assert "not UTF-8 text\n  at <stdin>:6\n" in done.stderr


def test_bail_ends_at_the_first_error(piped: Piped) -> None:
    done = piped(".bail on\nSELECT oops;\nSELECT 2 AS b;")
    assert (done.returncode, done.stdout) == (1, "")


def test_files_are_read_and_results_written(piped: Piped, tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    (folder / "script.sql").write_text("SELECT 1 AS a;\n.mode jsonl\nSELECT oops;\n")
    done = piped(
        ".read 'a folder/script.sql'\n.output out.jsonl\nSELECT 2 AS b;\nSELECT 3 AS c;\n.output\n"
        ".once once.jsonl\nSELECT 4 AS d;\nSELECT 5 AS e;\n.read script.sql\n.read out.jsonl"
    )
    assert done.stdout == 'a\n1\n{"e":5}\n'
    assert (tmp_path / "out.jsonl").read_text() == '{"b":2}\n{"c":3}\n'
    assert (tmp_path / "once.jsonl").read_text() == '{"d":4}\n'
    assert "at a folder/script.sql:3" in done.stderr
    assert "cannot read script.sql: No such file" in done.stderr


def test_the_ending_of_a_file_says_the_format(piped: Piped, tmp_path: Path) -> None:
    done = piped(
        ".mode line\n.output r.jsonl\nSELECT 2 AS b;\n.show output\n.mode csv\nSELECT 3 AS c;\n"
        ".once r.MD\n.show output\nSELECT 4 AS d;\n.show output\nSELECT 5 AS e;\n"
        ".once plain\nSELECT 6 AS f;\n.once r.parquet\nSELECT 7 AS g;"
    )
    assert (tmp_path / "r.jsonl").read_text() == '{"b":2}\nc\n3\n'
    assert "| d |" in (tmp_path / "r.MD").read_text()
    assert (tmp_path / "plain").read_text() == "f\n6\n"
    told = "output  r.jsonl (jsonl)\noutput  r.MD (markdown)\noutput  the screen\n"
    assert done.stdout == f"{told}e\n5\ng\n7\n"
    assert "the shell writes text, not parquet" in done.stderr
    assert not (tmp_path / "r.parquet").exists()


def test_stats_of_a_statement_without_calls_say_so(piped: Piped) -> None:
    assert piped("SELECT 1 AS a;\n.stats").stdout == "a\n1\nthe last statement had no calls\n"


def test_a_file_that_reads_itself_ends(piped: Piped, tmp_path: Path) -> None:
    (tmp_path / "loop.sql").write_text(".read loop.sql\n")
    done = piped(".read loop.sql\n")
    assert "loop.sql reads itself" in done.stderr


def test_startup_files_are_read_and_their_mistakes_keep_the_shell_from_nothing(
    piped: Piped, tmp_path: Path
) -> None:
    config = tmp_path / "config" / "heliumql"
    config.mkdir(parents=True)
    (config / "hqlrc").write_text("SELECT oops;\n.mode jsonl\nCREATE MACRO two() AS 2;\n")
    (tmp_path / ".hqlrc").write_text(".mod csv\nSET llm_max_calls = 7;\n")
    done = piped("SELECT two() AS n;\nSHOW llm_max_calls;")
    assert done.returncode == 0
    assert done.stdout == '{"n":2}\n{"llm_max_calls":"7"}\n'
    assert f"at {config / 'hqlrc'}:1" in done.stderr
    assert f"{tmp_path / '.hqlrc'}:1: no command .mod" in done.stderr
    assert piped("SELECT 1 AS n;", "--no-init").stdout == "n\n1\n"
    (tmp_path / "other").write_text(".mode tsv\n")
    assert piped("SELECT 1 AS n, 2 AS m;", "--init", "other").stdout == "n\tm\n1\t2\n"
    assert piped("", "--init", "missing").returncode == 2


def test_settings_of_the_command_line(piped: Piped) -> None:
    done = piped("SHOW llm_max_calls;\nSHOW llm_default_model;", "--set", "llm_max_calls=5",
                 "--model", "mine")  # fmt: skip
    assert done.stdout.splitlines()[1::2] == ["5", "mine"]


def test_failed_calls_and_stats_in_pipes(piped: Piped) -> None:
    models = "CREATE MODEL m WITH (engine = 'simulated', max_model_len = 8);"
    asked = "SELECT LLM_GENERATE('a prompt that is longer than the model can take') AS x;"
    done = piped(f"{models}\n{asked}\n.stats on\n{asked}")
    assert done.stdout == "x\n\nx\n\n"
    assert done.stderr.count("warning: 1 of 1 calls failed") == 2
    assert done.stderr.count("1 row · 1 call (1 failed)") == 1


def test_a_database_that_cannot_be_opened(piped: Piped, tmp_path: Path) -> None:
    (tmp_path / "text.duckdb").write_text("no database at all " * 1000)
    done = piped("SELECT 1;", "text.duckdb")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    done = piped(".open text.duckdb\nSELECT 1 AS still;")
    assert done.stdout == "still\n1\n"


def test_ctrl_c_ends_what_is_piped(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "repl"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environment(tmp_path),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    endless = "SELECT count(*) FROM range(1000000000000) t(i) WHERE i % 7 = 3;"
    process.stdin.write(f".print begun\n{endless}\n.print never\n")
    process.stdin.flush()
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert err in ("interrupted\n", "")  # "": it came before the statement
