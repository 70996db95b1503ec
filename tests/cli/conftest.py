"""The program as users start it: in a process of its own, in pipes or on a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from cli_program import PROGRAM, Finished, Run, environment

sys.path.append(str(Path(__file__).parents[1] / "engines"))  # stub_server.py


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs `heliumql ARGUMENTS` in an empty folder, its streams being pipes."""

    def start(*arguments: str, stdin: bytes | None = None, **extra: str) -> Finished:
        done = subprocess.run(
            [*PROGRAM, *arguments],
            cwd=tmp_path,
            env=environment(extra),
            input=stdin if stdin is not None else b"",
            capture_output=True,
            timeout=60,
        )
        out, err = done.stdout.decode(errors="replace"), done.stderr.decode()
        return Finished(done.returncode, out, err, done.stdout)

    return start


@pytest.fixture
def on_terminal(tmp_path: Path) -> Run:
    """The same with all three streams on a terminal; what it shows is `out`."""

    def start(*arguments: str, columns: int = 80, **extra: str) -> Finished:
        screen, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        process = subprocess.Popen(
            [*PROGRAM, *arguments],
            cwd=tmp_path,
            env=environment({"TERM": "xterm", **extra}),
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
        )
        os.close(terminal)
        shown = b""
        while data := _read(screen):
            shown += data
        os.close(screen)
        status = process.wait(60)
        return Finished(status, shown.decode().replace("\r\n", "\n"), "")

    return start


def _read(screen: int) -> bytes:
    try:
        return os.read(screen, 65536)
    except OSError:  # Linux says EIO where the other side has been closed
        return b""
