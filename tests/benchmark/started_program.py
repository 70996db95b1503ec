"""How the tests of benchmarks start programs: in the root of the checkout, to their end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def python(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | variables,
    )


def heliumql(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    return python("-m", "heliumql", *arguments, **variables)
