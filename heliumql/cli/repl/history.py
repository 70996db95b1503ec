"""What was typed, kept for the next time: but nothing that looks like a key."""

from __future__ import annotations

import os
import re
from pathlib import Path

from prompt_toolkit.history import FileHistory, History, InMemoryHistory

_SECRET = re.compile(
    r"""(?ix)
      \b(sk|gsk|pk|rk|hf|xai|gh[opsur]|github_pat|glpat|xox[abp])[-_][a-z0-9_-]{8,}  # they say so
    | \bAKIA[0-9A-Z]{12,}
    | \bAIza[0-9a-z_-]{20,}
    | \beyJ[0-9a-z_-]{8,}\.                                       # a JSON Web Token
    | (?<![a-z])secret(?![a-z])
    | (?<![a-z])pass(word|wd|phrase)(?![a-z])
    | (?<![a-z])api[_-]?key(?!_env|[a-z])
    | (?<![a-z])(auth|access|bearer|refresh|session|motherduck|heliumql)[_-]?token(?![a-z])
    | (?<![a-z])(encryption|account|parquet)_?key(?![a-z])        # of ATTACH, Azure, Parquet
    | (?<![a-z])connection_string(?![a-z])
    | \bbearer\s
    | \bauthorization\b
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
