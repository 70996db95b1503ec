"""Programs that run beside the tests, on one answer store."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from statement_runs import Started

_PROGRAM = Path(__file__).with_name("statement_program.py")


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    """Starts a program that runs a statement; its prompts are lines of tmp_path/asked."""
    programs: list[subprocess.Popen[str]] = []

    def start(
        sql: str, *, database: str = ":memory:", store: Path | str = ""
    ) -> subprocess.Popen[str]:
        arguments = [database, str(store), str(tmp_path / "asked"), sql]
        programs.append(
            subprocess.Popen(
                [sys.executable, str(_PROGRAM), *arguments], stdout=subprocess.PIPE, text=True
            )
        )
        return programs[-1]

    yield start
    for program in programs:
        with program:
            program.kill()
