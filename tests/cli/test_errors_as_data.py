"""Bad rows become NULL with a reason, or fail the statement; what was answered is never lost."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
from cli_program import Run
from stub_server import Reply, Seen, StubServer

ROWS = 100
BAD = {7: "too long", 23: "server error", 40: "not implemented", 61: "wrong type", 99: "no JSON"}


def odd(seen: Seen) -> Reply:
    """Most rows get their number; those of BAD what makes them fail."""
    number = int(re.findall(r"\d+", seen.prompt)[0])
    match BAD.get(number):
        case "too long":
            message = "This model's maximum context length is 4096 tokens"
            return Reply(status=400, error={"message": message})
        case "server error":
            return Reply(status=500)
        case "not implemented":
            return Reply(status=501)
        case "wrong type":
            return Reply('{"value": "not a number"}')
        case "no JSON":
            return Reply(raw=b"<html>")
        case _:
            return Reply(json.dumps({"value": number}))


def script(server: StubServer, on_error: str) -> str:
    return f"""
        CREATE OR REPLACE MODEL m WITH (engine = 'openai', base_url = '{server.url}', model = 'x',
                                        retries = 1);
        SELECT r.i, g.v, g.llm.error AS reason
        FROM range({ROWS}) AS r(i),
             LATERAL LLM_GENERATE('Say {{r.i}}', returns => 'INTEGER',
                                  on_error => '{on_error}') AS g(v)
        ORDER BY i"""


@pytest.mark.parametrize("optimizer", ["on", "off"])
def test_bad_rows_are_null_with_reasons(optimizer: str, run: Run) -> None:
    with StubServer() as server:
        server.reply = odd
        done = run(
            "-c", f"SET llm_optimizer = '{optimizer}'", "-c", script(server, "null"),
            "--format", "jsonl", "--stats", "json",
        )  # fmt: skip
    assert done.status == 0
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [row["i"] for row in rows if row["v"] is None] == sorted(BAD)
    assert all(
        row["v"] == row["i"] and row["reason"] is None for row in rows if row["i"] not in BAD
    )
    reasons = {row["i"]: row["reason"] for row in rows if row["i"] in BAD}
    for number, part in ((7, "maximum context length"), (23, "500"), (40, "501"),
                         (61, "not a number"), (99, "not JSON")):  # fmt: skip
        assert part in reasons[number]
    times = 2 if optimizer == "off" else 1  # then the value and its reason are two calls
    warning = f"warning: {5 * times} of {100 * times} calls failed; their values are NULL"
    assert warning in done.err
    stats = json.loads(done.err.splitlines()[-1])
    assert (stats["calls_run"], stats["calls_failed"]) == (100 * times, 5 * times)
    assert len(stats["failures"]) == 5


def test_a_failure_that_must_not_be_loses_no_answer(run: Run) -> None:
    with StubServer() as server:
        server.reply = odd
        failed = run("-c", script(server, "fail"), "--database", "d.duckdb")
        assert failed.status == 1
        assert "a call of g failed" in failed.err
        answered = Counter(seen.prompt for seen in server.seen)
        server.seen.clear()
        server.reply = lambda seen: Reply('{"value": 1}')
        again = run("-c", script(server, "fail"), "--database", "d.duckdb", "--stats", "json")
        assert again.status == 0
        asked = Counter(seen.prompt for seen in server.seen)
    stats = json.loads(again.err.splitlines()[-1])
    assert stats["calls_cached"] + stats["calls_run"] == ROWS
    assert sum(asked.values()) == stats["calls_run"]
    numbers = {int(re.findall(r"\d+", prompt)[0]) for prompt in asked if prompt in answered}
    assert numbers <= set(BAD)


@pytest.mark.parametrize("status", [401, 404])
def test_an_engine_that_refuses_fails_the_statement_and_loses_no_answer(
    status: int, run: Run
) -> None:
    with StubServer() as server:
        server.reply = lambda seen: Reply(status=status) if "99" in seen.prompt else odd(seen)
        sql = script(server, "null").replace("range(100)", "range(80, 100)")
        failed = run("-c", sql, "--database", "d.duckdb")
        assert failed.status == 5
        server.reply = odd
        again = run("-c", sql, "--database", "d.duckdb", "--stats", "json")
    stats = json.loads(again.err.splitlines()[-1])
    assert stats["calls_cached"] > 0
    assert stats["calls_cached"] + stats["calls_run"] == 20


@pytest.mark.parametrize("status", [501])
def test_a_server_that_always_fails_gives_nulls_or_stops_at_the_ratio(
    status: int, run: Run
) -> None:
    with StubServer() as server:
        server.reply = lambda seen: Reply(status=status)
        sql = script(server, "null").replace("range(100)", "range(30)")
        sql = sql.replace("retries = 1", "retries = 0")
        done = run("-c", sql)
        assert (done.status, done.out.count(f"the server answered {status}")) == (0, 30)
        assert "warning: 30 of 30 calls failed" in done.err
        done = run("-c", sql, "--set", "llm_max_error_ratio=0.5")
        assert done.status == 1
        assert "more than llm_max_error_ratio = 0.5 allows" in done.err


def test_a_budget_is_status_4_and_done_in_part_is_warned_about(run: Run) -> None:
    with StubServer() as server:
        server.reply = lambda seen: Reply('{"value": 1}')
        sql = script(server, "null")
        given = ("-c", sql, "--database", "d.duckdb", "--set", "llm_max_calls=60")
        stopped = run(*given)
        assert stopped.status == 4
        assert "llm_max_calls = 60 does not allow that many calls: 100 are" in stopped.err
        assert not server.seen
        for most in (60, 30):
            some = ("--set", f"llm_max_calls={most}", "--set", "llm_on_budget=partial")
            partly = run(*given[:4], *some)
            assert partly.status == 4
        assert partly.out.count("not run: llm_max_calls = 30 is used up") == 10
        assert "warning: 10 calls were not run, as a budget is used up" in partly.err
        done = run(*given)
        assert (done.status, done.err) == (0, "")
        assert len(server.seen) == ROWS
