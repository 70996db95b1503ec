"""vLLM's OpenAI server over the benchmark's model, one process tree a worker."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from progress import say
from suites.form import DTYPES, FLOAT32, Form

from vllm_server.cores import prefer_bound
from vllm_server.counters import Counters, parse

_PARTS = Path(__file__).with_name("requirements.txt")
_BLOCK = 32  # tokens; vLLM's CPU attention takes multiples of it
_START = 300.0  # seconds
_RESET = 30.0
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Server:
    """Running servers of one model; base_urls end in /v1."""

    base_urls: Sequence[str]
    model: str
    processes: Sequence[int]

    def reset(self) -> None:
        """Empties the prefix caches. Raises RuntimeError where blocks stay in use."""
        for url in self.base_urls:
            _reset(url.removesuffix("/v1"))

    def counters(self) -> Counters:
        """The sum over the servers, since they started."""
        total = Counters()
        for url, pid in zip(self.base_urls, self.processes, strict=True):
            with urllib.request.urlopen(url.removesuffix("/v1") + "/metrics") as answer:
                total += parse(answer.read().decode(), _cpu_seconds(pid))
        return total


def parts() -> Path:
    """The folder with what requirements.txt lists, installed there at the first use.

    A folder that HELIUMQL_SERVER_PARTS names is taken as it is. Raises RuntimeError with what pip
    said where it cannot be installed.
    """
    given = os.environ.get("HELIUMQL_SERVER_PARTS")
    if given:
        return Path(given)
    listed = _PARTS.read_bytes()
    name = f"server-parts-{hashlib.sha256(listed).hexdigest()[:12]}"
    folder = Path.home() / ".cache" / "heliumql" / name
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    say("installing parts of the server ..")
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        pip += ["--no-deps", "--target", f"{made}/parts", "-r", str(_PARTS)]
        done = subprocess.run(pip, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"parts of vLLM's server could not be installed:\n{done.stderr}")
        with suppress(OSError):  # another process was first
            os.rename(f"{made}/parts", folder)
    return folder


@contextmanager
def serving(
    model: Path,
    kv_cache_tokens: int,
    workers: int = 1,
    slots: int = 8,
    form: Form = FLOAT32,
) -> Iterator[Server]:
    """Started servers, each with a KV cache of so many tokens and a core to compute on.

    Raises RuntimeError with the end of the log where one does not start.
    """
    with ExitStack() as stack:
        started = [
            stack.enter_context(_process(model, kv_cache_tokens, worker, slots, form))
            for worker in range(workers)
        ]
        for process, url, log in started:
            _wait(process, url, log)
            prefer_bound(_tree(process.pid))
        yield Server([f"{url}/v1" for _, url, _ in started], "m", [p.pid for p, _, _ in started])


@contextmanager
def _process(
    model: Path, kv_cache_tokens: int, worker: int, slots: int, form: Form
) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    config = json.loads((model / "config.json").read_text("utf-8"))
    token_bytes = 2 * DTYPES[form.dtype] * config["num_hidden_layers"]
    token_bytes *= config["num_key_value_heads"] * config["head_dim"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "--model": model, "--served-model-name": "m", "--host": "127.0.0.1", "--port": port,
        "--dtype": form.dtype, "--max-num-seqs": slots, "--block-size": _BLOCK,
        "--max-model-len": min(kv_cache_tokens, config["max_position_embeddings"]),
        "--kv-cache-memory-bytes": (kv_cache_tokens + _BLOCK) * token_bytes,  # one is never used
        "--scheduling-policy": "priority",
    }  # fmt: skip
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server"]
    command += ["--enable-prompt-tokens-details"]
    command += [str(part) for option in options.items() for part in option]
    command += _further(form)
    cores = sorted(os.sched_getaffinity(0))
    environment = {
        **os.environ,
        **form.environment(),
    }
    environment |= {
        "PYTHONPATH": os.pathsep.join([str(parts()), environment.get("PYTHONPATH", "")]),
        "VLLM_SERVER_DEV_MODE": "1",  # for /reset_prefix_cache
        "VLLM_CPU_OMP_THREADS_BIND": str(cores[worker % len(cores)]),
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    libc = ctypes.CDLL(None)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM),
            )
        try:
            yield process, f"http://127.0.0.1:{port}", log
        finally:
            _stop(process)


def _further(form: Form) -> list[str]:
    """What the form of the model adds to the command."""
    found = [] if form.weightless else ["--enforce-eager"]  # the small one is for a CPU
    for name, value in form.arguments.items():
        found.append(f"--{name.replace('_', '-')}")
        match value:
            case True:
                pass
            case list():
                found += map(str, value)
            case _:
                found.append(str(value))
    return list(dict.fromkeys(found))


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends it and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + _START
    while process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    said = "\n".join(log.read_text("utf-8", "replace").splitlines()[-15:])
    raise RuntimeError(f"the vLLM server did not start (parts in {parts()}):\n{said}")


def _reset(url: str) -> None:
    until = time.monotonic() + _RESET
    request = urllib.request.Request(f"{url}/reset_prefix_cache", method="POST")
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(request) as answer:
                said = answer.read()
            if b"false" not in said.lower():
                return
        except urllib.error.HTTPError as error:
            if error.code < 500:
                raise
        time.sleep(0.1)
    raise RuntimeError(f"the server at {url} does not empty its prefix cache")


def _tree(pid: int) -> list[int]:
    """The process and all that it has started."""
    import psutil  # it comes with vLLM, and other engines do without

    process = psutil.Process(pid)
    return [p.pid for p in (process, *process.children(recursive=True))]


def _cpu_seconds(pid: int) -> float:
    import psutil

    times = [psutil.Process(p).cpu_times() for p in _tree(pid)]
    return sum(t.user + t.system for t in times)
