"""Paths of files as candidates."""

from __future__ import annotations

from collections.abc import Sequence

from heliumql.completion.candidate import Candidate, Kind


def path_candidates(
    paths: Sequence[str], start: int, wanted: tuple[str, ...], most: int
) -> list[Candidate]:
    """Those with a wanted ending first, then folders (they end in a slash), then others."""
    ordered = sorted(paths, key=lambda path: (_preference(path, wanted), path.lower()))
    return [
        Candidate(path, start, Kind.FILE, "folder" if path.endswith("/") else "", _last(path))
        for path in ordered[:most]
    ]


def _preference(path: str, wanted: tuple[str, ...]) -> int:
    if path.lower().endswith(wanted):
        return 0
    return 1 if path.endswith("/") else 2


def _last(path: str) -> str:
    """The last part of a path, a folder's with its slash."""
    name = path.rstrip("/").rpartition("/")[2]
    return name + "/" if path.endswith("/") else name
