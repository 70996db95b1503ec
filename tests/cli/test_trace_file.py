"""`heliumql run --trace FILE`."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

from cli_program import PROGRAM, Run, environment
from stub_server import Reply, StubServer

GREETINGS = "SELECT LLM_GENERATE('number {n}') FROM range(6) t(n)"


def test_a_trace_of_calls_over_http_is_on_our_clock(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    with StubServer() as server:
        server.reply = lambda seen: Reply("hi", seconds=0.05)
        done = run("-c", model(server), "-c", GREETINGS, "--trace", str(path))
    assert done.status == 0
    events = json.loads(path.read_text("utf-8"))
    slices = {e["name"]: (e["ts"], e["ts"] + e["dur"]) for e in events if e["ph"] == "X"}
    begin, end = slices["run"]
    calls = [e for e in events if e.get("args", {}).get("prompt_tokens")]
    assert len(calls) == 6
    for call in calls:
        assert begin <= call["ts"] < call["ts"] + call["dur"] <= end
        assert call["dur"] >= 50_000


def test_ctrl_c_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    with StubServer() as server:
        server.reply = lambda seen: Reply("hi", seconds=0.0 if "number 1" in seen.prompt else 30)
        with subprocess.Popen(
            [*PROGRAM, "-c", model(server), "-c", GREETINGS, "--trace", str(path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment({}),
        ) as program:
            deadline = time.monotonic() + 20
            while len(server.seen) < 6 and time.monotonic() < deadline:
                time.sleep(0.02)
            program.send_signal(signal.SIGINT)
            _, err = program.communicate(timeout=20)
    assert program.returncode == 130, err
    names = [e["name"] for e in json.loads(path.read_text("utf-8"))]
    assert {"plan", "run", "pass 1"} <= set(names)


def test_what_cannot_be_written_or_traced_is_told(run: Run) -> None:
    done = run("-c", "SELECT 1", "--trace", "/nowhere/trace.json")
    assert (done.status, done.out) == (1, "")
    assert "cannot write /nowhere/trace.json: No such file" in done.err
    done = run("-c", "SELECT 1", "--trace", "/tmp/t.json", "--dry-run")
    assert done.status == 2
    assert "--trace" in done.err


def model(server: StubServer) -> str:
    return f"CREATE MODEL m WITH (engine = 'openai', base_url = '{server.url}', model = 'x')"
