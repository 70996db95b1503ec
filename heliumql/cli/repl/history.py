"""What was typed, kept for the next time: but nothing that looks like a key."""

from __future__ import annotations

import os
import re
from pathlib import Path

from prompt_toolkit.history import FileHistory, History, InMemoryHistory

_SECRET = re.compile(
    r"""(?ix)
      \b(sk|pk|rk|hf|ghp|gho|glpat|xox[abp])[-_][a-z0-9_-]{8,}  # keys that say what they are
    | \bAKIA[0-9A-Z]{12,}
    | (?<![a-z])secret(?![a-z])
    | (?<![a-z])pass(word|wd|phrase)(?![a-z])
    | (?<![a-z])api[_-]?key(?!_env|[a-z])
    | (?<![a-z])(auth|access|bearer|refresh)[_-]?token(?![a-z])
    | \bbearer\s
    | ://[^\s/:@]+:[^\s/@]+@                                      # user:password in an address
    """
)


def looks_secret(text: str) -> bool:
    """Whether a key or a password may be in the text."""
    return _SECRET.search(text) is not None


class _CarefulHistory(FileHistory):
    """Keeps in memory what it does not write."""

    def store_string(self, string: str) -> None:
        if not looks_secret(string):
            super().store_string(string)


def open_history(folder: Path) -> tuple[History, str | None]:
    """The history of this folder, readable by its owner alone, and what keeps it from being kept.

    Without a reason it is kept.
    """
    file = folder / "history"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600))
        file.chmod(0o600)
    except OSError as error:
        return InMemoryHistory(), f"{file}: {error.strerror}"
    return _CarefulHistory(str(file)), None
