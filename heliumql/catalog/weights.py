"""The content of a model folder as it enters the names of its calls.

Answers outlive the session, so weights that are replaced under the same path must not be taken for
those that gave the answers. `Model.identity` calls it.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

_BLOCK = 65_536  # bytes read at each place of a file: weights are many gigabytes
_PLACES = 16  # spread evenly, both ends among them


def fingerprint(folder: Path) -> str:
    """A hash of the names, sizes and parts of the files of a model folder."""
    files = sorted(p for p in folder.iterdir() if p.is_file())
    return _of_files(tuple((p, s.st_size, s.st_mtime_ns) for p in files for s in [p.stat()]))


@lru_cache(maxsize=64)
def _of_files(files: tuple[tuple[Path, int, int], ...]) -> str:
    """The times are there for the cache only: a copy of the folder is the same model."""
    digest = hashlib.blake2b(digest_size=16)
    for path, size, _ in files:
        digest.update(f"{path.name}\0{size}\0".encode())
        with path.open("rb") as file:
            for start in _starts(size):
                file.seek(start)
                digest.update(file.read(_BLOCK))
    return digest.hexdigest()


def _starts(size: int) -> list[int]:
    """Where the parts begin that are read of a file: all of a small one."""
    if size <= _PLACES * _BLOCK:
        return list(range(0, size, _BLOCK))
    return [i * (size - _BLOCK) // (_PLACES - 1) for i in range(_PLACES)]
