"""A server as users start it: `heliumql serve` in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import heliumql
from heliumql.extensions.flight.remote import RemoteConnection

PROGRAM = [sys.executable, "-m", "heliumql"]
TOKEN = "a-token-for-the-tests"


def environment(**extra: str) -> dict[str, str]:
    dropped = {"NO_COLOR", "HELIUMQL_TOKEN", "COLUMNS"}
    return {k: v for k, v in os.environ.items() if k not in dropped} | extra


@dataclass
class Serving:
    """A running server; `said` is what it has written to standard error so far."""

    process: subprocess.Popen[str]
    url: str
    said: list[str] = field(default_factory=list)

    def connect(self, token: str | None = TOKEN) -> RemoteConnection:
        return heliumql.connect(self.url, token=token)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Its exit status."""
        self.process.send_signal(number)
        return self.process.wait(30)

    @property
    def threads(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/task").iterdir()))

    @property
    def megabytes(self) -> float:
        """Its resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", status)
        assert found
        return int(found[1]) / 1024


@contextmanager
def serving(*arguments: str, folder: Path, token: str | None = TOKEN) -> Iterator[Serving]:
    """Without a token the server makes one."""
    extra = {} if token is None else {"HELIUMQL_TOKEN": token}
    process = subprocess.Popen(
        [*PROGRAM, "serve", "--port", "0", *arguments],
        cwd=folder,
        env=environment(**extra),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        said, url = [], None
        for line in process.stderr:
            said.append(line)
            if (found := re.search(r"on (grpc\S+)", line)) is not None:
                url = found[1]
                break
        assert url is not None, "".join(said)
        one = Serving(process, url, said)
        listening = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
        listening.start()
        yield one
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(30)
        process.stderr.close()


def run(url: str, *arguments: str, token: str | None = TOKEN) -> subprocess.CompletedProcess[str]:
    """`heliumql run --connect`."""
    extra = {} if token is None else {"HELIUMQL_TOKEN": token}
    return subprocess.run(
        [*PROGRAM, "run", "--connect", url, *arguments],
        env=environment(**extra),
        input="",
        capture_output=True,
        text=True,
        timeout=60,
    )
