"""In float32 a greedy answer does not depend on how it is asked for: benchmark/same_answers.py."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def test_64_answers_are_the_same_in_every_way() -> None:
    program = [sys.executable, str(REPOSITORY / "benchmark" / "same_answers.py")]
    done = subprocess.run(
        [*program, "--dtype", "float32", "--json"], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    by_way = json.loads(done.stdout)["float32"]
    assert len(by_way) == 6
    assert set(by_way.values()) == {1.0}, by_way
