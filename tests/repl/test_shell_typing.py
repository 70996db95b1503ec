"""What is typed into the shell: lines, pastes, keys, editors; what is kept of it."""

from __future__ import annotations

import signal
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from terminal import ALT_ENTER, CTRL_C, CTRL_D, PASTE, PASTE_END, Terminal

from heliumql.cli.repl.database import Opened
from heliumql.cli.repl.dot_commands import files
from heliumql.cli.repl.entries import Entry, entries, is_complete
from heliumql.cli.repl.history import looks_secret

START = Callable[..., Terminal]


def test_the_greeting_says_what_is_open_and_how_to_get_help(shell: Terminal) -> None:
    first, second = shell.greeting.splitlines()
    assert first.startswith("HeliumQL 0.")
    assert "database in memory" in first
    assert ".help" in second


def test_a_statement_goes_on_until_its_semicolon(shell: Terminal) -> None:
    for line in ("SELECT ';' AS a,", "$$ ; $$ AS b, -- ;", "/* ; */ 3 AS c"):
        shell.type(line + "\r")
        shell.until(r"\.\.\.>")
    lines = shell.run(";").splitlines()
    assert [line.split() for line in lines if "integer" in line] == [
        ["│", "varchar", "│", "varchar", "│", "integer", "│"]
    ]


def test_a_line_that_the_terminal_breaks_does_not_look_like_two(shell: Terminal) -> None:
    shell.type("SELECT 1" + " + 1" * 40 + " AS wrapped;\r")
    assert "...>" not in shell.until(r"\x1b\[\?2004l")
    assert "41" in shell.until_prompt()


def test_an_error_shows_its_place_with_a_caret(shell: Terminal) -> None:
    shell.type("SELECT 1,\r")
    lines = shell.run("  nothing FROM range(3);").splitlines()
    assert "nothing" in lines[0]
    assert lines[-3:] == [
        "  at line 2",
        "2 |   nothing FROM range(3);",
        "  |   ^^^^^^^",
    ]


def test_an_error_in_a_line_that_is_too_long_shows_its_place_with_a_caret(shell: Terminal) -> None:
    long = "SELECT " + "1, " * 60 + "nothing FROM range(3);"
    *_, line, below = shell.run(PASTE + long + PASTE_END).splitlines()
    assert len(line) <= 100
    assert line.index("nothing") == below.index("^^^^^^^")


@pytest.mark.parametrize("word", ["help", "HELP;"])
def test_help_is_there_without_a_dot(shell: Terminal, word: str) -> None:
    assert shell.run(word) == shell.run(".help")


def test_a_command_may_end_with_a_semicolon_by_habit(shell: Terminal) -> None:
    assert shell.run(".help;") == shell.run(".help")
    assert shell.run(".help mode;") == shell.run(".help mode")


@pytest.mark.parametrize("word", ["exit", "quit;"])
def test_leaving_needs_no_dot(terminal: START, word: str) -> None:
    shell = terminal()
    shell.type(word + "\r")
    assert shell.ended() == 0


def test_ctrl_c_gives_the_line_up_and_nothing_else(shell: Terminal) -> None:
    shell.type("SELECT 'never run'" + CTRL_C)
    assert shell.shown() == ""
    assert "42" in shell.run("SELECT 42;")


def test_alt_enter_runs_what_has_no_semicolon(shell: Terminal) -> None:
    assert "43" in shell.run("SELECT 43 AS n", ALT_ENTER)


def test_statements_pasted_together_run_in_order_up_to_the_first_that_fails(
    shell: Terminal,
) -> None:
    pasted = "SELECT 1 AS first;\n.mode csv\nSELECT 2 AS second;\nSELECT oops;\nSELECT 3 AS third;"
    shown = shell.run(PASTE + pasted + PASTE_END)
    assert shown.index("first") < shown.index("second\n2") < shown.index("oops")
    assert "third" not in shown
    shell.run(".mode table")


def test_an_unknown_command_says_which_is_near(shell: Terminal) -> None:
    assert shell.run(".tabels").splitlines() == [
        "error: no command .tabels",
        "hint: did you mean .tables?",
    ]
    assert "a quote is never closed" in shell.run(".read 'a b")
    assert shell.run(".timer maybe") == "error: .timer is on or off, not 'maybe'"


def test_what_was_made_is_shown_by_commands(terminal: START) -> None:
    shell = terminal()
    shell.run("CREATE TABLE films(title VARCHAR); CREATE VIEW short AS FROM films;")
    shell.run("CREATE MODEL mine WITH (engine = 'simulated');")
    shell.run("CREATE PROMPT greet(who) AS 'Greet {who}';")
    shell.run("CREATE VIEW greeted AS SELECT LLM_GENERATE('Greet {title}') AS g FROM films;")
    assert shell.run(".tables").split() == ["films", "greeted", "short"]
    assert shell.run(".tables fil%") == "films"
    assert shell.run(".schema mine") == "CREATE MODEL mine WITH (engine = 'simulated');"
    assert "LLM_GENERATE('Greet {title}')" in shell.run(".schema greeted")
    assert "CREATE TABLE films" in shell.run(".schema films")
    assert "mine" in shell.run(".models")
    assert "greet" in shell.run(".prompts")
    assert "greet" in shell.run(".functions")
    assert "list_transform" in shell.run(".functions list_tr%")
    assert "memory" in shell.run(".databases")


def test_tab_completes_what_the_database_has(terminal: START) -> None:
    shell = terminal()
    shell.run("CREATE TABLE festivals(name VARCHAR);")
    shell.run("INSERT INTO festivals VALUES ('Cannes');")
    shell.type("SELECT name FROM festi")
    shell.until("festivals")  # below the line
    shell.type("\t")
    shell.until("vals")
    assert "Cannes" in shell.run(";")
    shell.type(".hea")
    shell.until("headers")
    shell.type("\t")
    shell.until("ders")
    shown = shell.run("\r")  # the first enter takes it over, the second runs it
    assert shown.splitlines()[-1] == "headers is on"


def test_plain_statements_tell_their_time_only_when_asked_to(shell: Terminal) -> None:
    assert " s" not in shell.run("SELECT 1 AS a;").splitlines()[-1]
    shell.run(".timer on")
    assert shell.run("SELECT 1 AS a;").splitlines()[-1].endswith(" s")
    shell.run(".timer off")


def test_history_is_there_at_the_next_start_without_what_looks_like_a_key(
    terminal: START, tmp_path: Path
) -> None:
    shell = terminal()
    shell.run("SELECT 'remembered' AS a;")
    shell.run("SELECT 'sk-abcdefghijklmnop' AS a;")
    assert shell.leave() == 0
    file = tmp_path / "state" / "heliumql" / "history"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "remembered" in file.read_text()
    assert "sk-" not in file.read_text()
    again = terminal()
    assert "remembered" in again.run("\x1b[A")  # the key up, then enter
    again.type("\x12remem")  # Ctrl-R
    assert "remembered" in again.run("\r")


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("CREATE SECRET (TYPE s3, KEY_ID 'x', SECRET 'y')", True),
        ("ATTACH 'postgres://ada:pw@host/db'", True),
        ("SELECT * FROM users WHERE password = 'x'", True),
        (".shell export OPENAI_API_KEY=abc", True),
        ("SET s3_secret_access_key = 'abc'", True),
        ("SET s3_session_token = 'abc'", True),
        ("SET motherduck_token = 'abc'", True),
        ("ATTACH 'a.duckdb' (ENCRYPTION_KEY 'abc')", True),
        ("PRAGMA add_parquet_key('k', '0123456789112345')", True),
        ("SET azure_storage_connection_string = 'AccountKey=abc'", True),
        (".shell export HELIUMQL_TOKEN=abc", True),
        ("SELECT {'Authorization': 'Basic abc'}", True),
        ("SELECT 'github_pat_11ABCDEFGHIJ'", True),
        ("SELECT 'AIzaSyA-0123456789abcdefghi'", True),
        ("SELECT 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.x'", True),
        ("CREATE MODEL m WITH (api_key_env = 'OPENAI', max_tokens = 3)", False),
        ("SELECT task_name FROM 'https://host/a.csv'", False),
        ("SELECT token, tokens, customer_key FROM authors", False),
    ],
)
def test_what_looks_like_a_key(text: str, secret: bool) -> None:
    assert looks_secret(text) is secret


def test_the_editor_opens_what_is_typed_and_what_was_run(terminal: START, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/one/two/' \"$1\"\n")
    editor.chmod(0o755)
    shell = terminal(EDITOR=str(editor))
    shell.type("SELECT 'one' AS n;\x18\x05")  # Ctrl-X Ctrl-E
    shell.until("│ two")  # what comes back is run
    shell.until_prompt()
    shell.run("SELECT 'one' AS m;")
    assert "│ two" in shell.run(".edit")


def test_what_is_higher_than_the_terminal_goes_to_the_pager(
    terminal: START, tmp_path: Path
) -> None:
    shell = terminal(lines=20, PAGER="cat > paged.txt")
    paged = tmp_path / "paged.txt"
    assert "7" in shell.run("FROM range(8);")
    assert not paged.exists()
    assert shell.run("FROM range(30);") == ""
    assert paged.read_text().count("\n") == 35
    paged.unlink()
    assert "50 rows (8 shown)" in shell.run("FROM range(50);")  # cut, and seen at once
    assert not paged.exists()
    assert "40, of longer" in shell.run(".show maxrows")
    shell.run(".maxrows 40")
    assert shell.run("FROM range(50);") == ""
    assert paged.read_text().count("\n") == 49
    shell.run(".pager off")
    paged.unlink()
    assert "29" in shell.run("FROM range(30);")
    assert not paged.exists()


def test_leaving_the_pager_stops_the_statement(terminal: START) -> None:
    shell = terminal(lines=20, PAGER="head -n 2")
    shell.run(".mode csv")
    assert shell.run("FROM range(100000000000);").splitlines() == ["range", "0"]
    assert "5" in shell.run("SELECT 5;")


@pytest.mark.parametrize("keys", [CTRL_D, ".quit\r"])
def test_ways_to_leave(terminal: START, keys: str) -> None:
    shell = terminal("repl", "--no-init")
    shell.type(keys)
    assert shell.ended() == 0


def test_a_database_is_opened_by_its_name(terminal: START, tmp_path: Path) -> None:
    shell = terminal("my.duckdb")
    assert "database my.duckdb" in shell.greeting
    shell.run("CREATE TABLE t AS SELECT 11 AS n;")
    assert shell.leave() == 0
    (tmp_path / "my.duckdb").rename(tmp_path / "renamed")
    again = terminal("renamed")
    assert "11" in again.run("FROM t;")
    again.run(".open")
    assert "no tables yet" in again.run(".tables")
    again.run(".open renamed")
    assert again.run(".tables") == "t"


def test_the_open_database_can_be_opened_for_reading_only_and_for_writing_again(
    terminal: START, tmp_path: Path
) -> None:
    shell = terminal("my.duckdb")
    shell.run("CREATE TABLE t AS SELECT 11 AS n;")
    assert shell.run(".open --readonly my.duckdb") == ""
    assert "read-only" in shell.run("INSERT INTO t VALUES (12);")
    assert shell.run(".open ./my.duckdb") == ""
    assert shell.run("INSERT INTO t VALUES (12);") == "1 row"


@pytest.mark.parametrize("again", [True, False])
def test_what_was_open_is_open_again_where_it_cannot_be_opened_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, again: bool
) -> None:
    path = str(tmp_path / "my.duckdb")
    before, opened = files.open_database(path, {}), list[Opened]()
    really = files.open_database

    def refused(path: str, settings: Mapping[str, object], *, read_only: bool = False) -> Opened:
        if read_only or not again:
            raise duckdb.IOException("the disk is gone")
        return really(path, settings, read_only=read_only)

    monkeypatch.setattr(files, "open_database", refused)
    shell: Any = SimpleNamespace(opened=before, close=before.closed, open=opened.append)
    with pytest.raises(duckdb.IOException, match="the disk is gone"):
        files._open(shell, ["--readonly", path])
    for one in opened:
        one.connection.execute("CREATE TABLE t AS SELECT 1 AS n")
        one.closed()
    assert len(opened) == again


def test_entries_of_a_text() -> None:
    text = ".mode csv\nSELECT $$a;\n.x$$;\n;; -- nothing\n  .help\nSELECT 1; SELECT"
    assert list(entries(text)) == [
        Entry(".mode csv", 0, is_command=True),
        Entry("SELECT $$a;\n.x$$;", 1),
        Entry(".help", 4, is_command=True),
        Entry("SELECT 1;", 5),
        Entry("SELECT", 5, is_complete=False),
    ]


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("", True),
        ("-- only a comment", True),
        ("SELECT 1", False),
        ("SELECT 1; -- done", True),
        ("SELECT ';", False),
        ("/* ;", False),
        (".5;", True),
        (".read x;y", True),
        ("SELECT 1;\nSELECT", False),
    ],
)
def test_when_a_text_is_complete(text: str, complete: bool) -> None:
    assert is_complete(text) is complete


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_request_to_end_ends_the_shell(terminal: START, number: int) -> None:
    shell = terminal()
    shell.process.kill(number)
    assert shell.ended() == 128 + number


def test_a_request_to_end_ends_the_shell_in_the_middle_of_a_statement(terminal: START) -> None:
    shell = terminal()
    shell.type("SELECT count(*) FROM range(1000000000000) t(i) WHERE i % 7 = 3;\r")
    shell.until("running")
    shell.process.kill(signal.SIGTERM)
    assert shell.ended() == 128 + signal.SIGTERM
