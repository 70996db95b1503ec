"""Files that are not there, and those beside them that were probably meant."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path

_LIKE = 0.6  # how alike names are, from 0 to 1


def near_file(file: str) -> str | None:
    """The path with the name in its folder that is most like its own, if one is."""
    folder, name = os.path.split(file)
    try:
        there = os.listdir(folder or ".")
    except OSError:
        return None
    by_lower = {n.lower(): n for n in there if n != name and not n.startswith(".")}
    found = get_close_matches(name.lower(), by_lower, 1, _LIKE)
    return os.path.join(folder, by_lower[found[0]]) if found else None


def hint_for_missing(file: str) -> str | None:
    """What to try in place of a file that is not there."""
    near = near_file(file)
    if near is not None:
        return f"did you mean {near}?"
    folder = Path(file).parent
    if not folder.is_dir():
        near = near_file(str(folder))
        return f"there is no folder {folder}" + (f"; did you mean {near}?" if near else "")
    return None
