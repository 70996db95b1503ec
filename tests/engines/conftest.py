"""The model that tests of the vLLM engine run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    program = [sys.executable, str(Path(__file__).with_name("make_checkpoint.py")), str(folder)]
    subprocess.run(program, check=True, capture_output=True)
    return folder
