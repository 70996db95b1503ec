"""The command line where models are asked: stats, warnings, progress, interrupts, statuses."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time

import pytest
from cli_program import PROGRAM, Run, environment
from stub_server import Reply, Seen, StubServer

SIMULATED = "CREATE MODEL m WITH (engine = 'simulated');"
GREETINGS = "SELECT i, g.text FROM range(4) t(i), LATERAL LLM_GENERATE('Greet number {i}') AS g"


def served(server: StubServer) -> str:
    return f"CREATE MODEL m WITH (engine = 'openai', base_url = '{server.url}', model = 'x');"


def test_rows_with_answers_and_stats(run: Run) -> None:
    done = run("-c", SIMULATED, "-c", GREETINGS, "--format", "jsonl", "--stats", "json")
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [row["i"] for row in rows] == [0, 1, 2, 3]
    assert len({row["text"] for row in rows}) == 4
    stats = json.loads(done.err.splitlines()[-1])
    assert (stats["calls_asked"], stats["calls_run"], stats["calls_failed"]) == (4, 4, 0)
    assert stats["output_tokens"] > 0


def test_stats_are_summed_over_statements(run: Run) -> None:
    apart = f"{GREETINGS}; SET llm_default_model = 'm'; {GREETINGS};"
    done = run("-c", f"{SIMULATED} {apart}", "--stats", "json")
    stats = json.loads(done.err.splitlines()[-1])
    assert (stats["calls_asked"], stats["calls_run"], stats["calls_cached"]) == (8, 4, 4)


def test_the_model_of_the_command_line_answers_calls_that_name_none(run: Run) -> None:
    models = f"{SIMULATED} CREATE MODEL other WITH (engine = 'simulated');"
    done = run("-c", models, "-c", GREETINGS, "--model", "other")
    assert (done.status, done.out.count("\n")) == (0, 5)


def test_an_unknown_model_is_an_error_that_names_those_there_are(run: Run) -> None:
    done = run("-c", SIMULATED, "-c", GREETINGS, "--model", "no_such_model")
    assert done.status == 1
    assert "no_such_model" in done.err
    assert re.search(r"hint: .*\bm\b", done.err)


def test_a_mistake_in_a_template_is_under_its_placeholder(run: Run) -> None:
    done = run("-c", SIMULATED, "-c", "SELECT LLM_GENERATE('Hi {nobody}') FROM range(3) t(i)")
    assert done.status == 1
    line, caret = done.err.splitlines()[2:4]
    assert line[caret.index("^") :].startswith(("{nobody}", "nobody"))


def test_failed_calls_are_warned_about_with_their_reasons(run: Run) -> None:
    def reply(seen: Seen) -> Reply:
        bad = "number 2" in seen.prompt
        return Reply(status=400, error={"message": "too rude"}) if bad else Reply("hi")

    with StubServer() as server:
        server.reply = reply
        done = run("-c", served(server), "-c", GREETINGS)
    assert done.status == 0
    assert done.out == "i,text\n0,hi\n1,hi\n2,\n3,hi\n"
    lines = done.err.splitlines()
    assert lines[0] == "warning: 1 of 4 calls failed; its value is NULL"
    assert "too rude" in lines[1]


def test_of_a_statement_that_fails_as_a_whole_nothing_is_said_to_be_null(run: Run) -> None:
    def reply(seen: Seen) -> Reply:
        return Reply(status=400) if "number 2" in seen.prompt else Reply("hi")

    failing = GREETINGS.replace("number {i}'", "number {i}', on_error => 'fail'")
    with StubServer() as server:
        server.reply = reply
        done = run("-c", served(server), "-c", failing)
        assert done.status == 1
        assert done.err.startswith("error: ")
        assert "warning" not in done.err
        # Of statements before it there are values that are NULL.
        done = run("-c", served(server), "-c", GREETINGS, "-c", "SELECT 1 / 0", "-c", failing)
        assert done.status == 1
        assert done.out.startswith("i,text\n0,hi\n1,hi\n2,\n")
        assert "warning: 1 of 4 calls failed; its value is NULL" in done.err


def test_an_unreachable_server_is_status_5(run: Run) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/v1"
    model = f"CREATE MODEL m WITH (engine = 'openai', base_url = '{url}', model = 'x')"
    done = run("-c", model, "-c", GREETINGS)
    assert done.status == 5
    assert str(port) in done.err
    assert "Traceback" not in done.err


def test_progress_is_shown_on_a_terminal_and_taken_away(on_terminal: Run) -> None:
    with StubServer() as server:
        server.reply = lambda seen: Reply("hi", seconds=1.5 if "number 3" in seen.prompt else 0.0)
        done = on_terminal("-c", served(server), "-c", GREETINGS, NO_COLOR="1")
    assert done.status == 0
    assert re.search(r"\rcalls 3/4[^\n]*\x1b\[K", done.out)
    screen = re.sub(r"\r[^\r\n]*\x1b\[K", "", done.out)
    assert "calls" not in screen
    assert screen.splitlines()[-2].split() == ["│", "3", "│", "hi", "│"]


def test_ctrl_c_aborts_calls_in_flight() -> None:
    with StubServer() as server:
        server.reply = lambda seen: Reply("late", seconds=30)
        with subprocess.Popen(
            [*PROGRAM, "-c", served(server), "-c", GREETINGS],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment({}),
        ) as program:
            deadline = time.monotonic() + 20
            while len(server.seen) < 4 and time.monotonic() < deadline:
                time.sleep(0.02)
            assert len(server.seen) == 4
            program.send_signal(signal.SIGINT)
            _, err = program.communicate(timeout=20)
        assert (program.returncode, err) == (130, b"interrupted\n")


@pytest.mark.parametrize("name", ["csv", "jsonl"])
def test_rows_are_printed_while_later_calls_still_run(name: str) -> None:
    with StubServer() as server:
        server.reply = lambda seen: Reply("hi", seconds=30 if "number 3" in seen.prompt else 0.0)
        with subprocess.Popen(
            [
                *PROGRAM,
                "-c",
                served(server),
                "-c",
                GREETINGS,
                "--format",
                name,
                "--set",
                "llm_batch_rows=1",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment({}),
            bufsize=0,
        ) as program:
            assert program.stdout is not None
            shown = b""
            while b"2" not in shown and (data := program.stdout.read(4096)):
                shown += data
            assert shown.count(b"hi") == 3
            program.send_signal(signal.SIGINT)
            program.communicate(timeout=20)


def test_queries_of_a_script_run_together_and_share_their_calls(run: Run) -> None:
    other = "SELECT i, LLM_GENERATE('Greet number {i}') AS again FROM range(4) t(i)"
    done = run("-c", f"{SIMULATED} SET llm_cache = 'off'; {GREETINGS}; {other}", "--stats", "json")
    header, *rows = done.out.split("i,again\n")[0].splitlines()
    assert (header, len(rows)) == ("i,text", 4)
    assert done.out == "\n".join([header, *rows, "i,again", *rows, ""])
    stats = json.loads(done.err.splitlines()[-1])
    assert (stats["calls_asked"], stats["calls_run"], stats["calls_shared"]) == (8, 4, 4)


def test_rows_of_the_queries_before_a_mistake_are_printed(run: Run) -> None:
    bad = "SELECT LLM_GENERATE('{nobody}') FROM range(3) t(i)"
    done = run("-c", f"{SIMULATED} {GREETINGS}; {bad}; {GREETINGS}", "--stats", "json")
    assert (done.status, done.out.count("\n")) == (1, 5)
    assert "nobody" in done.err
    assert json.loads(done.err.splitlines()[-1])["calls_run"] == 4
