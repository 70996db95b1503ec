"""One worker process of the embedded vLLM engine, seen from the parent; vllm.py owns them."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any

from heliumql.errors import EngineError

_PROGRAM = Path(__file__).with_name("vllm_worker.py")
_SHOWN_LINES = 5
_FIXED = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # the process is the isolation; vLLM adds none
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_NO_USAGE_STATS": "1",
    # One thread: results do not depend on the machine, and several workers share it evenly.
    "OMP_NUM_THREADS": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "TOKENIZERS_PARALLELISM": "false",
}


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C waits until the end of the block: a process that was just made must not be lost.

    Python runs signal handlers in the main thread only, so elsewhere there is nothing to hold back.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is None:
        yield
        return
    late: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda *arrived: late.append(arrived))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if late:
            signal.raise_signal(signal.SIGINT)


class WorkerProcess:
    """A started process; `ready` waits until its model is loaded.

    The program is run as a file by a fresh interpreter: the user's main module is not imported
    again, so scripts without a main guard, `python -c`, notebooks and pytest all work.
    """

    def __init__(self, settings: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        self._model = settings["engine_args"]["model"]
        self._folder = tempfile.TemporaryDirectory(prefix="heliumql-vllm-")
        self._noise = open(Path(self._folder.name) / "output", "w+b")  # noqa: SIM115
        ours, theirs = socket.socketpair()
        inherited = {k: v for k, v in os.environ.items() if k != "VLLM_CPU_KVCACHE_SPACE"}
        try:
            self._process = subprocess.Popen(
                # -P: nothing beside the program may shadow what it imports
                [sys.executable, "-P", str(_PROGRAM), str(theirs.fileno()), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=self._noise,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                env={**inherited, **_FIXED, "TMPDIR": self._folder.name, **environment},
                start_new_session=True,  # Ctrl-C in a terminal is for the parent alone
            )
        finally:
            theirs.close()
        self._connection = Connection(ours.detach())
        self.send(("start", dict(settings)))

    @property
    def pid(self) -> int:
        return self._process.pid

    def ready(self, stopped: Callable[[], bool] = lambda: False) -> dict[str, int]:
        """The limits of the worker once its model is loaded: max_model_len and those of Constants.

        Raises EngineError; also when `stopped()` says, from another thread, that nobody waits.
        """
        while not self._connection.poll(0.5):  # so that Ctrl-C gets through
            if stopped():
                raise EngineError(f"the engine was closed while it loaded {self._model}")
        match self.receive():
            case ("ready", dict() as limits):
                return limits
            case ("failed", "missing", what):
                raise EngineError(what)
            case ("failed", _, what):
                raise EngineError(f"vLLM could not load {self._model}: {what}")
        raise EngineError(f"the vLLM worker ended while it loaded {self._model}{self.last_words()}")

    def send(self, message: object) -> None:
        """Send, or drop it if the process is gone: whoever receives hears of that."""
        with contextlib.suppress(OSError):
            self._connection.send(message)

    def receive(self) -> Any:
        """The next message; None when the process has ended."""
        try:
            return self._connection.recv()
        except (EOFError, OSError):
            return None

    def last_words(self) -> str:
        """How the process ended and the last lines it wrote, as the end of a sentence."""
        status = self._process.wait()
        how = f" (signal {-status})" if status < 0 else f" (exit status {status})"
        self._noise.seek(0)
        lines = self._noise.read().decode(errors="replace").split("\n")
        shown = [line for line in lines if line.strip()][-_SHOWN_LINES:]
        return how + "".join(f"\n  {line}" for line in shown)

    def kill(self) -> None:
        """End it and all that it started, at once. There is nothing in it worth waiting for."""
        if self._process.returncode is None:  # else its number may be another's by now
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def discard(self) -> None:
        """Kill it and give back its files; nobody may be in `receive` any more."""
        self.kill()
        self._connection.close()
        self._noise.close()
        self._folder.cleanup()
