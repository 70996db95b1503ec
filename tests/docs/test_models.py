"""The page about models names every option that there is, and none that there is not."""

from __future__ import annotations

import re
from pathlib import Path

from heliumql.engines import simulated
from heliumql.engines.options import COMMON_KEYS, OPENAI_KEYS, VLLM_KEYS

PAGE = Path(__file__).parents[2] / "docs" / "models.md"


def test_the_tables_name_every_option() -> None:
    options = PAGE.read_text("utf-8").partition("## Options")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in options.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row[1])}
    named |= {name for row in rows for name in re.findall(r"`(\w+)` is the same", row[3])}
    assert named == COMMON_KEYS | simulated.KEYS | {*VLLM_KEYS, *OPENAI_KEYS}
