"""How the tests start the program, and what it left when it ended."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

PROGRAM = [sys.executable, "-m", "heliumql"]


@dataclass(frozen=True)
class Finished:
    status: int
    out: str
    err: str
    out_bytes: bytes = b""


Run = Callable[..., Finished]


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    dropped = {"NO_COLOR", "COLUMNS", "LINES"}
    return {k: v for k, v in os.environ.items() if k not in dropped} | dict(extra)
