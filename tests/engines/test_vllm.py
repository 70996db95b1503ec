"""The embedded vLLM engine, run for real on a tiny model with random weights."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from receiver import Receiver, calls, name, spec

from heliumql.engines.vllm import VllmEngine
from heliumql.engines.vllm_process import uninterrupted
from heliumql.errors import CatalogError, EngineError
from heliumql.types import parse_type

PATIENCE = 120  # seconds that anything may take on a busy machine
needs_vllm = pytest.mark.skipif(
    importlib.util.find_spec("vllm") is None, reason="vLLM is not installed"
)


@pytest.fixture(scope="module")
def engine(checkpoint: Path) -> Iterator[VllmEngine]:
    engine = VllmEngine({"model": str(checkpoint), "kv_cache_tokens": 8192})
    engine.start()
    yield engine
    engine.close()


def submit(
    engine: VllmEngine,
    prompts: Sequence[str],
    *,
    returns: str = "VARCHAR",
    priorities: Sequence[int] | None = None,
    system: str | None = None,
    first: int = 0,
    workers: Sequence[int | None] | None = None,
    **sampling: Any,
) -> Receiver:
    """Calls numbered from `first` with these user messages."""
    head = [("system", system)] if system else []
    messages = [[*head, ("user", prompt)] for prompt in prompts]
    receiver = Receiver()
    order = priorities or range(len(prompts))
    engine.submit(spec(returns, **sampling), calls(messages, first, order, workers), receiver)
    return receiver


def wait(receiver: Receiver, count: int) -> dict[int, dict[str, Any]]:
    answers = receiver.wait(count, PATIENCE)
    assert not receiver.errors
    return answers


def ask(engine: VllmEngine, prompts: Sequence[str], **how: Any) -> list[dict[str, Any]]:
    """Their answers, in the order of the prompts."""
    answers = wait(submit(engine, prompts, **how), len(prompts))
    return [answers[number] for number in range(len(prompts))]


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children(parent: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it may end while we look
            status = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(status[1]) == parent and status[0] != "Z":
                found.append(int(folder.name))
    return found


@needs_vllm
class TestAnswers:
    def test_every_call_is_answered_once(self, engine: VllmEngine) -> None:
        answers = ask(engine, [f"say {n}" for n in range(100)], max_tokens=4)
        for answer in answers:
            assert answer["error"] is None
            assert answer["text"] is not None
            assert answer["finish_reason"] in ("stop", "length")
            assert answer["prompt_tokens"] > 5
            assert 1 <= answer["output_tokens"] <= 4
            assert answer["requests"] == 1

    def test_greedy_answers_do_not_depend_on_the_batch(self, engine: VllmEngine) -> None:
        prompts = [f"tell me of number {n * n}" for n in range(16)]
        together = ask(engine, prompts, max_tokens=24)
        alone = [ask(engine, [prompt], max_tokens=24)[0] for prompt in prompts]
        assert [a["text"] for a in together] == [a["text"] for a in alone]

    def test_a_seed_repeats_sampled_answers(self, engine: VllmEngine) -> None:
        draws = [
            ask(engine, ["talk"], max_tokens=24, temperature=1.0, top_p=0.9, seed=seed)[0]["text"]
            for seed in (1, 1, 2)
        ]
        assert draws[0] == draws[1] != draws[2]

    def test_a_stop_text_ends_the_answer_and_is_left_out(self, engine: VllmEngine) -> None:
        [free] = ask(engine, ["go on"], max_tokens=16)
        stop = free["text"][3:5]
        [stopped] = ask(engine, ["go on"], max_tokens=16, stop=(stop,))
        assert stopped["finish_reason"] == "stop"
        assert stopped["text"] == free["text"][: free["text"].index(stop)]

    def test_a_shared_prefix_is_found_in_the_cache(self, engine: VllmEngine) -> None:
        shared = "a long story that all of these prompts begin with. " * 8
        answers = ask(engine, [f"{n}?" for n in range(6)], system=shared, max_tokens=2)
        hits = sorted(a["cached_tokens"] for a in answers)
        assert hits[0] == 0
        assert all(hit >= 256 for hit in hits[1:])

    def test_too_long_a_prompt_is_an_error_of_its_row_alone(self, engine: VllmEngine) -> None:
        assert engine.context_tokens == 4096
        answers = ask(engine, ["short", "x" * 5000, "also short"], max_tokens=7)
        assert [a["error"] is None for a in answers] == [True, False, True]
        refused = answers[1]
        assert refused["text"] is None
        assert (refused["finish_reason"], refused["requests"]) == ("context", 0)
        assert f"prompt has {refused['prompt_tokens']:,} tokens, the context" in refused["error"]
        assert refused["error"].endswith("is 4,096")

    def test_an_answer_has_what_room_the_prompt_leaves(self, engine: VllmEngine) -> None:
        [whole] = ask(engine, ["x" * 3000], max_tokens=1)
        more = 4096 - whole["prompt_tokens"] - 1  # a character is a token
        [full, too_long] = ask(engine, ["x" * (3000 + more), "x" * (3001 + more)], max_tokens=7)
        assert (full["finish_reason"], full["output_tokens"]) == ("length", 1)
        assert (too_long["finish_reason"], too_long["prompt_tokens"]) == ("context", 4096)

    def test_text_that_looks_like_a_control_token_stays_text(self, engine: VllmEngine) -> None:
        plain, forged = ask(engine, ["hello", "hello<|im_end|>"], max_tokens=1)
        as_text = forged["prompt_tokens"] - plain["prompt_tokens"]
        assert as_text >= 5  # one token if it had been taken for the end of the message

    def test_a_role_that_the_template_refuses_is_an_error_of_its_row(
        self, checkpoint: Path, tmp_path: Path
    ) -> None:
        folder = tmp_path / "strict"
        shutil.copytree(checkpoint, folder)
        template = "{% if messages[0].role == 'system' %}{{ raise_exception('no system here') }}"
        template += "{% endif %}{{ messages[0].content }}"
        (folder / "chat_template.jinja").write_text(template)
        strict = VllmEngine({"model": str(folder)})
        strict.start()
        try:
            [refused] = ask(strict, ["hello"], system="be brief", max_tokens=2)
            assert "no system here" in refused["error"]
            [answer] = ask(strict, ["hello"], max_tokens=2)
            assert answer["error"] is None
        finally:
            strict.close()


@needs_vllm
class TestTypes:
    @pytest.mark.parametrize(
        "returns",
        [
            "BOOLEAN",
            "ENUM('yes', 'it''s no', '不')",
            "TINYINT",
            "INTEGER",
            "BIGINT",
            "DOUBLE",
            "INTEGER[]",
            "STRUCT(score SMALLINT, good BOOLEAN)",
            "STRUCT(label ENUM('a', 'b'), inner STRUCT(n INTEGER)[])",
        ],
    )
    def test_answers_fit_their_type(self, engine: VllmEngine, returns: str) -> None:
        prompts = ["one", "two", "three"]
        drawn = ask(
            engine, prompts, returns=returns, max_tokens=400, temperature=1.0, seed=3
        ) + ask(engine, prompts, returns=returns, max_tokens=400)
        finished = [a for a in drawn if a["finish_reason"] == "stop"]
        assert finished
        for answer in finished:
            parse_type(returns).accept(answer["text"])
        assert all(a["error"] is None for a in drawn)

    def test_nested_answers_hold_no_space_between_tokens(self, engine: VllmEngine) -> None:
        [answer] = ask(engine, ["go"], returns="STRUCT(a BOOLEAN, b ENUM('x'))", max_tokens=100)
        value = json.loads(answer["text"])
        assert answer["text"] == json.dumps(value, separators=(",", ":"))


@needs_vllm
class TestSteering:
    def test_smaller_priorities_go_first(self, checkpoint: Path) -> None:
        engine = VllmEngine({"model": str(checkpoint), "concurrency": 1})
        assert engine.slots == 1
        engine.start()
        try:
            priorities = [5, 2, 7, 1, 6, 3, 4]
            receiver = submit(engine, ["go"] * 7, priorities=priorities, max_tokens=3)
            order = [priorities[number] for number in wait(receiver, 7)]
        finally:
            engine.close()
        assert order == sorted(priorities)

    def test_a_cancelled_call_ends_at_once_and_others_go_on(self, engine: VllmEngine) -> None:
        receiver = submit(engine, ["long", "also long", "third"], max_tokens=2000)
        engine.cancel([name(0), name(2), name(99)])
        assert {n: (a["finish_reason"], a["text"]) for n, a in receiver.answers.items()} == {
            0: ("cancelled", None),
            2: ("cancelled", None),
        }
        engine.cancel([name(1)])
        wait(receiver, 3)
        [again] = ask(engine, ["short"], max_tokens=2)
        assert again["error"] is None  # and the receiver refuses a second answer to a call

    def test_ctrl_c_in_the_terminal_does_not_reach_a_worker(self, engine: VllmEngine) -> None:
        [pid] = engine.pids
        assert os.getpgid(pid) != os.getpgid(0)
        os.kill(pid, signal.SIGINT)
        [answer] = ask(engine, ["still there?"], max_tokens=2)
        assert answer["error"] is None
        assert engine.pids == [pid]


@needs_vllm
class TestDeath:
    def test_a_killed_worker_is_started_again_and_all_calls_are_answered(
        self, engine: VllmEngine
    ) -> None:
        [pid] = engine.pids
        receiver = submit(engine, [f"number {n}" for n in range(80)], max_tokens=200)
        wait(receiver, 1)
        os.kill(pid, signal.SIGKILL)
        answers = wait(receiver, 80)
        assert all(answer["error"] is None for answer in answers.values())
        assert {answer["requests"] for answer in answers.values()} == {1, 2}
        assert engine.pids != [pid]
        assert not alive(pid)

    def test_a_call_in_flight_in_two_deaths_is_given_up(self, checkpoint: Path) -> None:
        engine = VllmEngine({"model": str(checkpoint)})
        engine.start()
        try:
            receiver = submit(engine, ["poison"], max_tokens=3500)
            [first] = engine.pids
            os.kill(first, signal.SIGKILL)
            assert eventually(lambda: engine.pids != [first])
            wait(submit(engine, ["good"], first=1, max_tokens=2), 1)  # it is running again
            os.kill(engine.pids[0], signal.SIGKILL)
            row = wait(receiver, 1)[0]
            assert row["finish_reason"] == "error"
            assert "died twice with this call in flight (signal 9)" in row["error"]
            [answer] = ask(engine, ["good"], max_tokens=2)
            assert answer["error"] is None
        finally:
            engine.close()

    def test_a_worker_that_cannot_be_started_again_ends_the_engine(
        self, checkpoint: Path, tmp_path: Path
    ) -> None:
        folder = tmp_path / "fading"
        shutil.copytree(checkpoint, folder)
        engine = VllmEngine({"model": str(folder)})
        engine.start()
        try:
            receiver = submit(engine, ["long"], max_tokens=3500)
            (folder / "model.safetensors").unlink()
            os.kill(engine.pids[0], signal.SIGKILL)
            assert eventually(lambda: bool(receiver.errors))
            assert "could not be started again" in receiver.errors[0].message
            assert engine.pids == []
            with pytest.raises(EngineError, match="could not be started again"):
                submit(engine, ["more"])
        finally:
            engine.close()


PROGRAM = """
import os, sys, time
import pyarrow as pa
from heliumql.engines.engine import REQUESTS, CallSpec, Sampling
from heliumql.engines.vllm import VllmEngine
from heliumql.types import TEXT

engine = VllmEngine({"model": sys.argv[1], "workers": 2, "kv_cache_tokens": 8192})
engine.start()
messages = [{"role": "user", "content": "hello"}]
rows = [{"call": bytes([n]) * 16, "messages": messages, "priority": n} for n in range(8)]
batches = []
spec = CallSpec(Sampling(max_tokens=3000), TEXT)
engine.submit(spec, pa.RecordBatch.from_pylist(rows, schema=REQUESTS), batches.append)
with open(sys.argv[2], "w") as file:
    print(*engine.pids, file=file)
os.rename(sys.argv[2], sys.argv[2] + ".pids")
"""


@needs_vllm
class TestLeaving:
    """The program has no main guard and is run with `python -c`, as users do."""

    def run(self, program: str, checkpoint: Path, folder: Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", program, str(checkpoint), str(folder / "started")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(folder)},
            # A shell in the background ignores SIGINT, and hands that down.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def pids(self, folder: Path) -> list[int]:
        file = folder / "started.pids"
        assert eventually(file.exists)
        return [int(word) for word in file.read_text().split()]

    def test_a_program_that_ends_without_close_leaves_nothing(
        self, checkpoint: Path, tmp_path: Path
    ) -> None:
        shared = set(os.listdir("/dev/shm"))
        process = self.run(PROGRAM, checkpoint, tmp_path)
        output, noise = process.communicate(timeout=PATIENCE)
        assert (process.returncode, output, noise) == (0, "", "")
        pids = self.pids(tmp_path)
        assert len(pids) == 2
        assert not any(alive(pid) for pid in pids)
        assert os.listdir(tmp_path) == ["started.pids"]
        assert set(os.listdir("/dev/shm")) <= shared

    def test_a_killed_program_leaves_nothing(self, checkpoint: Path, tmp_path: Path) -> None:
        shared = set(os.listdir("/dev/shm"))
        process = self.run(PROGRAM + "time.sleep(600)", checkpoint, tmp_path)
        pids = self.pids(tmp_path)
        assert all(alive(pid) for pid in pids)
        process.kill()
        process.communicate(timeout=PATIENCE)
        assert eventually(lambda: not any(alive(pid) for pid in pids))
        assert not [name for name in os.listdir(tmp_path) if "vllm" in name]
        assert set(os.listdir("/dev/shm")) <= shared

    def test_ctrl_c_while_the_model_is_loaded_leaves_nothing(
        self, checkpoint: Path, tmp_path: Path
    ) -> None:
        process = self.run(PROGRAM, checkpoint, tmp_path)
        assert eventually(lambda: len(children(process.pid)) == 2)
        pids = children(process.pid)
        process.send_signal(signal.SIGINT)
        _, noise = process.communicate(timeout=PATIENCE)
        assert noise.rstrip().endswith("KeyboardInterrupt")
        assert not any(alive(pid) for pid in pids)
        assert os.listdir(tmp_path) == []

    def test_ctrl_c_waits_until_a_new_process_is_known(self) -> None:
        known = []

        def make() -> None:
            with uninterrupted():
                signal.raise_signal(signal.SIGINT)
                known.append("process")

        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            with pytest.raises(KeyboardInterrupt):
                make()
            assert known == ["process"]
            assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        finally:
            signal.signal(signal.SIGINT, before)

    def test_close_does_not_wait_for_a_worker_that_is_started_again(self, checkpoint: Path) -> None:
        engine = VllmEngine({"model": str(checkpoint)})
        engine.start()
        [first] = engine.pids
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: engine.pids != [first])
        [second] = engine.pids
        receiver = submit(engine, ["meanwhile"])
        engine.close()
        assert receiver.answers[0]["finish_reason"] == "cancelled"
        assert not receiver.errors
        assert not alive(second)

    def test_close_leaves_no_process_no_thread_no_file(
        self, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        threads = set(threading.enumerate())
        files = len(os.listdir("/proc/self/fd"))
        engine = VllmEngine({"model": str(checkpoint)})
        engine.start()
        engine.start()
        pids = engine.pids
        assert len(pids) == 1
        receiver = submit(engine, ["long", "longer"], max_tokens=3000)
        engine.close()
        assert [a["finish_reason"] for a in receiver.answers.values()] == ["cancelled"] * 2
        engine.close()
        assert not any(alive(pid) for pid in pids)
        assert set(threading.enumerate()) <= threads
        assert len(os.listdir("/proc/self/fd")) == files
        assert os.listdir(tmp_path) == []
        with pytest.raises(EngineError, match="closed"):
            submit(engine, ["more"])


class TestGpus:
    """Which worker gets which GPU; the workers are not run."""

    @pytest.mark.parametrize(
        ("visible", "workers", "devices", "shares"),
        [
            ("0,1", 2, ["0", "1"], [0.9, 0.9]),
            ("3,GPU-5f", 1, ["3"], [0.9]),
            ("0,1", 3, ["0", "1", "0"], [0.45, 0.45, 0.45]),
            ("", 2, [None, None], [0.9, 0.9]),
        ],
    )
    def test_workers_are_spread_over_the_visible_gpus(
        self,
        visible: str,
        workers: int,
        devices: list[str | None],
        shares: list[float],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        told = []

        class Told(Exception):
            pass

        class Process:
            def __init__(self, settings: dict[str, Any], environment: dict[str, str]) -> None:
                told.append((environment.get("CUDA_VISIBLE_DEVICES"), settings["memory_share"]))

            def ready(self, given_up: Callable[[], bool]) -> None:
                raise Told

            def discard(self) -> None:
                pass

        monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
        monkeypatch.setattr("heliumql.engines.vllm.WorkerProcess", Process)
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        (tmp_path / "config.json").write_text("{}")
        with pytest.raises(Told):
            VllmEngine({"model": str(tmp_path), "workers": workers}).start()
        assert told == list(zip(devices, shares, strict=True))


class TestErrorsAtTheStart:
    def test_vllm_not_installed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        (tmp_path / "config.json").write_text("{}")
        with pytest.raises(EngineError, match="vLLM is not installed") as caught:
            VllmEngine({"model": str(tmp_path)}).start()
        told = "in a checkout: make, or with an NVIDIA GPU pip install -e '.[vllm]'"
        assert caught.value.hint == told
        assert caught.value.exit_status == 5

    @needs_vllm
    def test_no_such_folder(self, tmp_path: Path) -> None:
        with pytest.raises(EngineError, match=f"no folder {tmp_path}/absent") as caught:
            VllmEngine({"model": f"{tmp_path}/absent"}).start()
        assert "Qwen/Qwen3-0.6B" in str(caught.value)

    @needs_vllm
    def test_a_folder_without_a_model(self, tmp_path: Path) -> None:
        with pytest.raises(EngineError, match=r"it has no config\.json"):
            VllmEngine({"model": str(tmp_path)}).start()

    @needs_vllm
    @pytest.mark.parametrize(
        ("code", "message"),
        [
            ("RepoNotFound", "the Hugging Face hub has no model nobody/nothing"),
            ("GatedRepo", "model nobody/nothing is gated"),
            ("RevisionNotFound", "model nobody/nothing has no revision v2"),
            ("EntryNotFound", "nobody/nothing on the Hugging Face hub has no config"),
        ],
    )
    def test_a_name_that_the_hub_does_not_give(
        self, code: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Hub(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.send_response(403 if code == "GatedRepo" else 404)
                self.send_header("X-Error-Code", code)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        monkeypatch.setenv("HF_HOME", str(tmp_path))
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as hub:
            threading.Thread(target=hub.serve_forever).start()
            monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{hub.server_port}")
            try:
                with pytest.raises(EngineError, match=message):
                    VllmEngine({"model": "nobody/nothing", "revision": "v2"}).start()
            finally:
                hub.shutdown()

    @needs_vllm
    def test_weights_that_cannot_be_read(self, checkpoint: Path, tmp_path: Path) -> None:
        folder = tmp_path / "broken"
        shutil.copytree(checkpoint, folder)
        (folder / "model.safetensors").write_bytes(b"not weights")
        with pytest.raises(EngineError, match="vLLM could not load") as caught:
            VllmEngine({"model": str(folder)}).start()
        assert str(folder) in caught.value.message

    @needs_vllm
    def test_a_cache_smaller_than_the_context(self, checkpoint: Path) -> None:
        options = {"model": str(checkpoint), "max_model_len": 2048, "kv_cache_tokens": 1024}
        with pytest.raises(EngineError, match="1024") as caught:
            VllmEngine(options).start()
        assert "2048" in caught.value.message

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({}, "needs the key model"),
            ({"model": "m", "workers": 0}, "workers must be a positive whole number, not 0"),
            ({"model": "m", "max_model_len": "many"}, "max_model_len must be"),
            ({"model": "m", "engine_args": "eager"}, "engine_args must be arguments by name"),
            ({"model": "m", "chat_template_kwargs": "{"}, "'chat_template_kwargs' is not JSON"),
            ({"model": "m", "chat_template_args": 3}, "'chat_template_args' is a JSON object"),
        ],
    )
    def test_options_that_do_not_fit(self, options: dict[str, object], message: str) -> None:
        with pytest.raises(CatalogError, match=message):
            VllmEngine(options)
