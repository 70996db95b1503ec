"""The folder of --output, made before anything is measured in vain."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from heliumql.cli.parser import UsageError


def made(folder: Path | None) -> None:
    """There, with room for files; without a folder nothing is done. Raises UsageError."""
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"--output: {_why(folder, error)}",
            hint="a folder that is there or can be made: --output results",
        ) from None


def _why(folder: Path, error: OSError) -> str:
    for place in (folder, *folder.parents):
        if os.path.isfile(place):  # unlike pathlib's it says no of a name that is too long
            return f"{place} is a file, not a folder"
    did = "nothing can be written into" if os.path.isdir(folder) else "cannot make the folder"
    return f"{did} {folder}: {(error.strerror or str(error)).lower()}"
