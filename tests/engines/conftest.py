"""The model that tests of the vLLM engine run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="session")
def thinking_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("thinking"), "think")


def made(folder: Path, *how: str) -> Path:
    program = [sys.executable, str(Path(__file__).with_name("make_checkpoint.py")), str(folder)]
    subprocess.run([*program, *how], check=True, capture_output=True)
    return folder
