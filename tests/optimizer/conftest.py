"""What tests/queries and tests/plans have for their own tests is used here too."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).parent.parent
sys.path += [str(TESTS / "queries"), str(TESTS / "plans")]
