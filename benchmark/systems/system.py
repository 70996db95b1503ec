"""The compared systems: which there are, their environments, and a run in a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from progress import say

from systems.common import DEFAULT, TUNED, Output

HERE = Path(__file__).parent
CACHE = "HELIUMQL_BENCH_ENVIRONMENTS"
"""The variable that names the folder of environments."""


# Keys, proxies, traces: the beginnings of names.
_FOR_CLIENTS = (
    "OPENAI_", "LANGCHAIN_", "LANGSMITH_", "LITELLM_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY",
)  # fmt: skip
_COMPLETE = "complete"  # the file of an environment that was installed to the end


class SystemFailedError(RuntimeError):
    """A system could not be installed or failed; the message says why."""


@dataclass(frozen=True)
class System:
    """One folder beside this file."""

    name: str
    tier: str  # own: orders over aiohttp; A: frameworks for agents; B: one operator over a table
    settings: tuple[str, ...] = (DEFAULT,)  # the last is its best
    own_prompts: bool = False  # it wraps texts in prompts, so its answers are others
    complete: bool = False  # requirements.txt lists what it needs; no dependency is to come along

    @property
    def folder(self) -> Path:
        return HERE / self.name

    @property
    def best(self) -> str:
        """The setting that is meant where none is named."""
        return self.settings[-1]


SYSTEMS = {
    system.name: system
    for system in (
        System("query_wise", "own"),
        System("op_wise", "own"),
        System("op_wise_chained", "own"),
        System("raw", "own"),
        System("langgraph", "A", (DEFAULT, TUNED)),
        System("agentscope", "A", (DEFAULT, TUNED)),
        System("daft", "B"),
        System("lotus", "B", (DEFAULT, TUNED), own_prompts=True, complete=True),
        System("docetl", "B", (DEFAULT, TUNED), own_prompts=True),
        System("blendsql", "B", (DEFAULT, TUNED), own_prompts=True),
    )
}

Answered = Output
"""What a run of a system gives."""


def environment(system: System) -> Path:
    """The Python that runs it. Made when asked for first, kept as long as its requirements.

    In the folder that HELIUMQL_BENCH_ENVIRONMENTS names, else in the user's cache. Orders of our
    own run with this Python.
    """
    if system.tier == "own":
        return Path(sys.executable)
    place = _place(system)
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not kept(system):
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        say(f"installing {system.name} ..")
        _install(system, place, python)
        (place / _COMPLETE).touch()
    return python


def kept(system: System) -> bool:
    """Whether its environment is there already."""
    return (_place(system) / _COMPLETE).exists()


def folder() -> Path:
    """Where environments are kept."""
    if named := os.environ.get(CACHE):
        return Path(named)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "heliumql" / "systems"


def run(
    system: System,
    server_url: str,
    model: str,
    workload: Mapping[str, Any],
    setting: str | None = None,
    concurrency: int | None = None,
    ready: Callable[[], None] = lambda: None,
) -> Answered:
    """One run in a fresh process; without a setting, in its best one.

    `server_url` ends with /v1, `workload` is what JSON has of it. `ready` is called when all is
    imported and built, right before the first call that counts. Raises SystemFailedError.
    """
    python = environment(system)
    with tempfile.TemporaryDirectory() as name:
        asked, output = Path(name, "workload.json"), Path(name, "output.json")
        asked.write_text(json.dumps(workload), "utf-8")
        command = [
            str(python), str(system.folder / "run.py"), "--base-url", server_url, "--model", model,
            "--workload", str(asked), "--output", str(output), "--setting", setting or system.best,
        ]  # fmt: skip
        if concurrency is not None:
            command += ["--concurrency", str(concurrency)]
        status, said = _waited_for(command, Path(name), ready)
        if status != 0:
            raise SystemFailedError(_last(said) or f"{system.name}: exit {status}")
        return Answered(**json.loads(output.read_text("utf-8")))


def _waited_for(
    command: Sequence[str], temporary: Path, ready: Callable[[], None]
) -> tuple[int, str]:
    """The exit status of a run.py, and what it said on stderr."""
    is_ready, says_ready = os.pipe()
    waits, go = os.pipe()
    with (temporary / "stderr").open("wb") as errors:
        process = subprocess.Popen(
            [*command, "--ready", str(says_ready), "--go", str(waits)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            pass_fds=(says_ready, waits),
            env=_environment() | {"TMPDIR": str(temporary)},  # what it leaves there goes, too
        )
    try:
        os.close(says_ready)
        os.close(waits)
        if os.read(is_ready, 1):  # nothing where it has ended before
            ready()
            os.write(go, b"g")
        status = process.wait()
    finally:
        process.kill()
        process.wait()
        os.close(is_ready)
        os.close(go)
    return status, (temporary / "stderr").read_text("utf-8", "replace")


def _environment() -> dict[str, str]:
    """The variables of this process, without those that change what clients do."""
    return {n: v for n, v in os.environ.items() if not n.upper().startswith(_FOR_CLIENTS)}


def _place(system: System) -> Path:
    """Of its environment: another one for other requirements or another Python."""
    content = _requirements(system).read_bytes() + sys.version.encode()
    return folder() / f"{system.name}-{hashlib.sha256(content).hexdigest()[:12]}"


def _requirements(system: System) -> Path:
    return system.folder / "requirements.txt"


def _install(system: System, place: Path, python: Path) -> None:
    requirements = ["-r", str(_requirements(system)), *["--no-deps"] * system.complete]
    uv = shutil.which("uv")
    if uv:
        make = [uv, "venv", "--quiet", "--python", sys.executable, str(place)]
        fill = [uv, "pip", "install", "--quiet", "--python", str(python), *requirements]
    else:
        make = [sys.executable, "-m", "venv", str(place)]
        fill = [str(python), "-m", "pip", "install", "--quiet", *requirements]
    for command in (make, fill):
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise SystemFailedError(f"{system.name} cannot be installed: {_last(done.stderr)}")


def _last(text: str) -> str:
    """The last line that says something."""
    return next((line for line in reversed(text.splitlines()) if line.strip()), "")
