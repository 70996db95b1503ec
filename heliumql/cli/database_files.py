"""Files that are databases: `heliumql FILE` opens them in the shell."""

from __future__ import annotations

from pathlib import Path

_MAGIC, _MAGIC_OFFSET = b"DUCK", 8
_ENDINGS = (".duckdb", ".db", ".ddb")


def is_database(name: str) -> bool:
    """Whether a file is a DuckDB database or is named like one.

    One that is only named so may not be there yet, may be empty, or may be of another program,
    which is for DuckDB to say: nobody means it as a file of statements.
    """
    path = Path(name)
    if path.suffix.lower() in _ENDINGS:
        return True
    try:
        with path.open("rb") as file:
            return file.read(_MAGIC_OFFSET + len(_MAGIC))[_MAGIC_OFFSET:] == _MAGIC
    except OSError:
        return False
