"""What DuckDB could not compute of a statement with calls, as an error of ours."""

from __future__ import annotations

import re

import duckdb

from heliumql.binder.mistakes import without_excerpt
from heliumql.errors import ExecutionError

_UNEQUAL = re.compile(r"must be equal, got left length '(\d+)' and right length '(\d+)'")


def failure(error: duckdb.Error) -> ExecutionError:
    """DuckDB's words, but where they are about a function that stands for one of HQL."""
    found = _UNEQUAL.search(str(error))
    if found is None:
        return ExecutionError(without_excerpt(error))
    return ExecutionError(
        f"vectors of {found[1]} and {found[2]} dimensions cannot be compared",
        hint="those of one model have one length; if it has changed since: cache => 'refresh'",
    )
