"""Where the files that come with HeliumQL lie: the grammar, the catalog's models and data."""

from __future__ import annotations

from pathlib import Path

from heliumql.errors import InternalError


def resource(path: str) -> Path:
    """The file or folder, e.g. `grammar/heliumql.lark`, of the wheel or of the checkout."""
    package = Path(__file__).resolve().parent
    roots = (package / "_data", package.parent)
    for root in roots:
        if (root / path).exists():
            return root / path
    raise InternalError(f"{path} is neither in {roots[0]} nor in {roots[1]}")
