"""Libraries that some methods of relations need, and HeliumQL does not bring along."""

from __future__ import annotations

import importlib.util

from heliumql.errors import ExecutionError


def check_installed(library: str) -> None:
    """Raises ExecutionError where it is missing, before a model is asked for rows."""
    if importlib.util.find_spec(library) is None:
        raise ExecutionError(
            f"{library} is not installed",
            hint=f"pip install {library}; .arrow(), .fetchall() and .show() do without it",
        )
