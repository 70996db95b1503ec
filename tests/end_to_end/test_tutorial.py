"""docs/tutorial.md on the demonstration model: what it shows is what comes out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
TUTORIAL = (REPOSITORY / "docs" / "tutorial.md").read_text("utf-8")


def test_the_tutorial_shows_what_comes_out(tmp_path: Path) -> None:
    blocks = re.findall(r"(?ms)^```sql\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", TUTORIAL)
    script = tmp_path / "tutorial.hql"
    script.write_text("".join(sql for sql, _ in blocks), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "heliumql", "run", str(script), "--format", "table"],
        cwd=REPOSITORY,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "".join(shown for _, shown in blocks)
    assert len(blocks) > 8
