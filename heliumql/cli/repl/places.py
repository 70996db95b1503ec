"""Where the shell keeps and finds its files: as the XDG base directories say."""

from __future__ import annotations

import os
from pathlib import Path


def state_folder() -> Path:
    """Of the history; not made yet."""
    return _base("XDG_STATE_HOME", ".local/state") / "heliumql"


def startup_files() -> list[Path]:
    """The files that are read when the shell starts, in order; those that there are."""
    found = [_base("XDG_CONFIG_HOME", ".config") / "heliumql" / "hqlrc", Path("~/.hqlrc")]
    return [path for path in (p.expanduser() for p in found) if path.is_file()]


def _base(variable: str, default: str) -> Path:
    given = os.environ.get(variable, "")
    return Path(given) if os.path.isabs(given) else Path("~").expanduser() / default
