"""Statements with calls in the shell: stopped, gone on with, growing, slow to start."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from stub_server import Reply, Seen, StubServer
from terminal import CTRL_C, PASTE, PASTE_END, Terminal

import heliumql
from heliumql.cli.repl.database import Opened
from heliumql.cli.repl.preferences import Preferences
from heliumql.cli.repl.screen import Screen
from heliumql.cli.repl.shell import Shell

START = Callable[..., Terminal]
STRANGE = [sys.executable, str(Path(__file__).with_name("strange_shell.py"))]
ALL = "SELECT i, LLM_GENERATE('Number {i}') AS said FROM range(200) t(i);"


def model_of(server: StubServer) -> str:
    options = f"engine = 'openai', base_url = '{server.url}', model = 'x', concurrency = 50"
    return f"CREATE MODEL m WITH ({options});"


def test_ctrl_c_stops_what_was_pasted_behind_the_statement_too(terminal: START) -> None:
    with StubServer() as server:
        server.reply = lambda seen: Reply("well", seconds=60)
        shell = terminal()
        shell.run(model_of(server))
        shell.type(f"{PASTE}{ALL}\nSELECT 'not run' AS behind;{PASTE_END}\r")
        shell.accepted()
        shell.until("calls 0/200")
        shell.type(CTRL_C)
        shown = shell.until_prompt()
    assert "interrupted" in shown
    assert "behind" not in shown


def test_ctrl_c_stops_the_statement_and_what_was_answered_is_not_asked_again(
    terminal: START,
) -> None:
    answered = 60
    held = [True]
    aborted = threading.Event()

    def reply(seen: Seen) -> Reply:
        is_late = len(server.seen) > answered and held[0]
        return Reply("well", seconds=60 if is_late else 0)

    with StubServer() as server:
        server.reply = reply
        shell = terminal()
        shell.run(model_of(server))
        shell.type(ALL + "\r")
        shell.until(f"calls {answered}/200")
        shell.type(CTRL_C)
        told = shell.until_prompt()
        held[0] = False
        assert f"interrupted; {answered} new answers kept" in told
        until = time.monotonic() + 20  # long before the late ones are answered
        while server.in_flight:  # aborted in the engine, too
            assert time.monotonic() < until, "calls of the statement are still asked"
            aborted.wait(0.01)
        asked = len(server.seen)
        again = shell.run(ALL)
        assert "200 rows (38 shown)" in again  # what fits the terminal of 50 lines
        assert f"200 rows · 200 calls ({answered} cached) · " in again
        assert len(server.seen) - asked == 200 - answered
        assert f"200 asked: 0 shared, {answered} cached, 140 run" in shell.run(".stats")
        assert "200 calls (200 cached)" in shell.run(ALL)
        assert shell.leave() == 0


def test_rows_are_there_before_all_calls_are_answered(terminal: START) -> None:
    def reply(seen: Seen) -> Reply:
        number = int(seen.prompt.split()[-1])
        return Reply("later", seconds=2) if number >= 16 else Reply("soon")

    with StubServer() as server:
        server.reply = reply
        shell = terminal()
        shell.run(model_of(server))
        shell.run(".maxrows 20")
        shell.type("SELECT i, LLM_GENERATE('Number {i}') AS said FROM range(30) t(i);\r")
        shell.until("│ *15 │ soon")  # while the others take their two seconds
        assert "0 rows" not in shell.until("calls 16/30")
        rest = shell.until_prompt()
    lines = rest.splitlines()
    assert [line for line in lines if "later" in line][-1].split()[1] == "19"
    assert "30 rows (20 shown)" in lines
    assert lines[-1].startswith("30 rows · 30 calls · ")


def test_a_statement_that_does_not_stop_gives_the_prompt_back_at_the_second_ctrl_c(
    terminal: START,
) -> None:
    shell = terminal(program=STRANGE)
    shell.run("CREATE TABLE kept AS SELECT 7 AS n;")
    shell.type("SELECT LLM_GENERATE('x', model => 'deaf');\r")
    shell.until("calls 0/1")
    shell.type(CTRL_C)
    shell.until("stopping · Ctrl-C again gives the prompt back")
    shell.type(CTRL_C)
    assert "does not stop" in shell.until_prompt()
    assert "7" in shell.run("SELECT n FROM kept;")
    shell.type(".exit\r")
    assert shell.ended() == 0


def test_while_an_engine_starts_the_shell_says_so_and_ctrl_c_leaves_it_on_its_way(
    terminal: START, tmp_path: Path
) -> None:
    shell = terminal(program=STRANGE)
    asking = "SELECT LLM_GENERATE('x', model => 'lazy') AS said;"
    shell.type(asking + "\r")
    shell.until(r"starting Lazy: a model that takes its time  \d+ s")
    shell.type(CTRL_C)
    told = "interrupted; Lazy: a model that takes its time goes on starting"
    assert told in shell.until_prompt()
    shell.type(asking + "\r")
    shell.until("starting Lazy")
    (tmp_path / "loaded").touch()
    assert "awake" in shell.until_prompt()
    assert (tmp_path / "starts").read_text() == "1"
    assert shell.leave() == 0


@pytest.mark.parametrize(("value", "percent"), [("i", 42.0), ("LLM_GENERATE('Of {i}')", -1.0)])
def test_before_an_engine_starts_nothing_tells_how_far_duckdb_is(
    value: str, percent: float, connection: heliumql.Connection
) -> None:
    duckdb = SimpleNamespace(query_progress=lambda: 42.0)
    other: Any = SimpleNamespace(duckdb=duckdb)
    shell = Shell(Opened(":memory:", other, {}), Preferences(), Screen(interactive=True))
    (parsed,) = connection.statements(f"SELECT {value} FROM range(9) t(i)")
    assert shell._percent(parsed) == percent


def test_the_shell_has_a_limit_of_calls_and_says_how_to_lift_it(terminal: START) -> None:
    shell = terminal("--set", "llm_batch_rows=2000")
    shell.run("CREATE MODEL m WITH (engine = 'simulated', instant = true);")
    many = "SELECT count(LLM_GENERATE('Number {i}')) FROM range(1001) t(i);"
    told = shell.run(many)
    assert "llm_max_calls = 1000 does not allow that many calls" in told
    assert "SET llm_max_calls to more, or to NULL for no limit" in told
    assert "The shell begins with 1000" in told
    shell.run("SET llm_max_calls = NULL;")
    assert "1001" in shell.run(many)


def test_failed_calls_are_told(terminal: START) -> None:
    with StubServer() as server:
        server.reply = lambda seen: Reply(status=400, error={"message": "too rude"})
        shell = terminal()
        shell.run(model_of(server))
        told = shell.run("SELECT LLM_GENERATE('x') AS said;")
    assert "1 row · 1 call (1 failed)" in told
    assert "warning: 1 of 1 calls failed; its value is NULL" in told
    assert "too rude" in told
