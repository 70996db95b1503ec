"""docs/jupyter.md is a notebook: its cells run in order, in a real kernel."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from kernel import Kernel

PAGE = Path(__file__).parents[2] / "docs" / "jupyter.md"


def test_its_cells_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    cells = re.findall(r"(?ms)^```ipython\n(.*?)^```", PAGE.read_text("utf-8"))
    kernel = Kernel(tmp_path_factory.mktemp("page"))
    try:
        shown = []
        for code in cells:
            cell = kernel.run(code)
            assert cell.status == "ok", (code, cell.traceback)
            assert cell.warned == ""
            shown.append(cell.plain)
    finally:
        kernel.close()
    every = "\n".join(shown)
    assert "2 calls run" in every
    assert "Too long by an hour." in every
    assert "calls to run: 2" in every
    assert "Agnès Varda" in every
    assert shown[-1].startswith("colour  VARCHAR")
