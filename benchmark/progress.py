"""What is going on, told on standard error while it does: tables go to standard output."""

from __future__ import annotations

import sys


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
