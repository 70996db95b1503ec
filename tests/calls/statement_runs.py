"""Programs that run a statement beside the tests: how they are started, and what they print."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

Started = Callable[..., subprocess.Popen[str]]


def finished(program: subprocess.Popen[str]) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """The rows and the stats of a program that runs to its end."""
    assert program.stdout is not None
    *rows, stats = [json.loads(line) for line in program.stdout]
    assert program.wait(60) == 0
    return rows, stats
