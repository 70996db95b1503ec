"""Shells on terminals and in pipes, each with a home of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from terminal import PROGRAM, Terminal, environment

sys.path.append(str(Path(__file__).parents[1] / "engines"))  # stub_server.py

Piped = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Starts shells on terminals; they are gone after the test."""
    started: list[Terminal] = []

    def start(*arguments: str, **options: object) -> Terminal:
        started.append(Terminal(tmp_path, *arguments, **options))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """One shell for tests that leave it as it was."""
    one = Terminal(tmp_path_factory.mktemp("home"))
    yield one
    one.close()


@pytest.fixture
def piped(tmp_path: Path) -> Piped:
    """Runs `heliumql repl ARGUMENTS` with this on its standard input."""

    def run(text: str, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, "repl", *arguments],
            input=text,
            cwd=tmp_path,
            env=environment(tmp_path, **extra),
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=60,
        )

    return run
