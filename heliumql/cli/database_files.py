"""Files that are databases: `heliumql FILE` opens them in the shell."""

from __future__ import annotations

from pathlib import Path

_MAGIC, _MAGIC_OFFSET = b"DUCK", 8
_ENDINGS = (".duckdb", ".db", ".ddb")


def is_database(name: str) -> bool:
    """Whether a file is a DuckDB database, or, where there is none yet, is named like one."""
    path = Path(name)
    if not path.exists():
        return path.suffix.lower() in _ENDINGS
    try:
        with path.open("rb") as file:
            return file.read(_MAGIC_OFFSET + len(_MAGIC))[_MAGIC_OFFSET:] == _MAGIC
    except OSError:
        return False
