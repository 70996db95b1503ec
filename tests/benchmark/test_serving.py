"""vLLM's own server: its counters, emptied caches, and that it ends with its starter."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from itertools import pairwise
from pathlib import Path

import pytest

BENCHMARK = str(Path(__file__).parents[2] / "benchmark")
METRICS = """\
# HELP vllm:prompt_tokens_total Number of prefill tokens processed.
# TYPE vllm:prompt_tokens_total counter
vllm:prompt_tokens_total{engine="0",model_name="m"} 640.0
vllm:prefix_cache_hits_total{engine="0",model_name="m"} 320.0
vllm:generation_tokens_total{engine="0",model_name="m"} 16.0
vllm:num_preemptions_total{engine="0",model_name="m"} 1.0
vllm:iteration_tokens_total_bucket{engine="0",le="8.0",model_name="m"} 5.0
vllm:iteration_tokens_total_count{engine="0",model_name="m"} 12.0
vllm:iteration_tokens_total_sum{engine="0",model_name="m"} 336.0
vllm:request_success_total{engine="0",finished_reason="stop",model_name="m"} 1.0
vllm:request_success_total{engine="0",finished_reason="length",model_name="m"} 2.0
vllm:request_success_created{engine="0",finished_reason="length",model_name="m"} 1.7e+09
"""


def test_metrics_are_summed_over_their_labels() -> None:
    from vllm_server.counters import Counters, parse

    assert parse(METRICS, 2.5) == Counters(3, 640, 320, 16, 1, 2.5, 12)


def test_two_moments_have_a_difference() -> None:
    from vllm_server.counters import Counters, parse

    later = parse(METRICS, 2.5)
    assert later - later == Counters()
    assert later + Counters(1, 2, 3, 4, 5, 0.5, 6) - later == Counters(1, 2, 3, 4, 5, 0.5, 6)


@pytest.mark.parametrize(("dtype", "size"), [("float32", 4), ("bfloat16", 2)])
def test_a_server_has_memory_for_the_tokens_that_are_asked_for(
    dtype: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from suites.form import Form
    from vllm_server import server

    config = {
        "num_hidden_layers": 4, "num_key_value_heads": 2, "head_dim": 64,
        "max_position_embeddings": 4096,
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    commands: list[list[str]] = []

    def refused(command: list[str], **_: object) -> None:
        commands.append(command)
        raise OSError("not started")

    monkeypatch.setenv("HELIUMQL_SERVER_PARTS", str(tmp_path))
    monkeypatch.setattr(server.subprocess, "Popen", refused)
    with (
        pytest.raises(OSError, match="not started"),
        server.serving(tmp_path, 6400, slots=3, form=Form(dtype)),
    ):
        pass
    [command] = commands
    options = dict(pairwise(command))
    # Keys and values of every layer; one block is never used.
    assert int(options["--kv-cache-memory-bytes"]) == (6400 + 32) * 2 * 4 * 2 * 64 * size
    assert options["--max-model-len"] == "4096"
    assert options["--max-num-seqs"] == "3"


def test_processes_that_are_bound_to_a_core_are_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    from vllm_server import cores

    if len(os.sched_getaffinity(0)) == 1:
        pytest.skip("there is one core")
    urgent: dict[int, int] = {}
    monkeypatch.setattr(cores.os, "setpriority", lambda _, who, nice: urgent.update({who: nice}))
    with subprocess.Popen(["sleep", "60"]) as bound, subprocess.Popen(["sleep", "60"]) as free:
        os.sched_setaffinity(bound.pid, {min(os.sched_getaffinity(0))})
        cores.prefer_bound([bound.pid, free.pid])
        bound.kill()
        free.kill()
    assert list(urgent) == [bound.pid]
    assert urgent[bound.pid] < 0


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if importlib.util.find_spec("vllm") is None:
        pytest.skip("vLLM is not installed")
    from suites.engines import make_model
    from vllm_server.server import parts

    try:
        parts()
    except RuntimeError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("model")
    make_model(folder)
    return folder


def test_a_prompt_is_found_again_until_caches_are_emptied(model: Path) -> None:
    from suites.vocabulary import text
    from vllm_server.server import serving

    with serving(model, 6400) as server:

        def ask() -> str:
            body = {"model": server.model, "max_tokens": 4, "temperature": 0}
            body["messages"] = [{"role": "user", "content": text(300, "x")}]
            request = urllib.request.Request(
                server.base_urls[0] + "/chat/completions",
                json.dumps(body).encode(),
                {"content-type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=60) as answer:
                found = json.load(answer)
            return str(found["choices"][0]["message"]["content"])

        begun = server.counters()
        first, after_first = ask(), server.counters()
        second, after_second = ask(), server.counters()
        server.reset()
        third, after_third = ask(), server.counters()
    assert first == second == third
    one, two, three = after_first - begun, after_second - after_first, after_third - after_second
    assert [c.requests for c in (one, two, three)] == [1, 1, 1]
    assert [c.output_tokens for c in (one, two, three)] == [4, 4, 4]
    # 300 words and three marks of the template; whole blocks of 32 are found again.
    assert [c.prompt_tokens for c in (one, two, three)] == [303, 303, 303]
    assert [c.hit_tokens for c in (one, two, three)] == [0, 288, 0]
    assert [c.steps for c in (one, two, three)] == [4, 4, 4]
    assert one.cpu_seconds > 0


def test_heliumql_learns_how_fast_a_server_is_and_what_it_holds(model: Path) -> None:
    from bench.on_server import engine_for
    from suites.recording import RecordingEngine
    from suites.runs import run, session
    from suites.suite import SUITES
    from vllm_server.server import serving

    suite = SUITES["debate"]
    with serving(model, 6400) as server:
        engine = engine_for(server, 8)
        try:
            assert [(w.kv_cache_tokens, w.block_size) for w in engine.workers] == [(6400, 32)]
            assumed = engine.workers[0]
            begun = server.counters()
            recording = RecordingEngine(engine)
            with session(suite, recording, 1, suite.scale) as con:
                found = run(con, suite.text(), recording, "cache_aware")
            did = server.counters() - begun
            learnt = engine.workers[0]
        finally:
            engine.close()
    assert learnt.prefill_seconds_per_token != assumed.prefill_seconds_per_token
    seconds = (
        did.steps * learnt.step_seconds
        + (did.prompt_tokens - did.hit_tokens) * learnt.prefill_seconds_per_token
        + did.output_tokens * learnt.decode_seconds_per_sequence
    )
    assert seconds == pytest.approx(found.seconds, rel=0.5)


_STARTS = """
import sys, time
from pathlib import Path
from vllm_server.server import serving
with serving(Path(sys.argv[1]), 6400) as server:
    print(*server.processes, flush=True)
    time.sleep(600)
"""


def test_a_server_ends_with_the_process_that_started_it(model: Path) -> None:
    import psutil

    parent = subprocess.Popen(
        [sys.executable, "-c", _STARTS, str(model)],
        env={**os.environ, "PYTHONPATH": BENCHMARK},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    with parent.stdout:
        server = psutil.Process(int(parent.stdout.readline()))
    tree = [server, *server.children(recursive=True)]
    assert len(tree) > 1
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and any(_lives(p) for p in tree):
        time.sleep(0.1)
    assert not [p for p in tree if _lives(p)]


def _lives(process: object) -> bool:
    import psutil

    assert isinstance(process, psutil.Process)
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
