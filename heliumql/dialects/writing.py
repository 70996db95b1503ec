"""Parsed statements as text: DuckDB SQL with LLM verbs in it."""

from __future__ import annotations

from typing import Any

from sqlglot import ErrorLevel, exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import UnsupportedError

from heliumql.dialects.mistakes import mistake

_DuckDB: Any = DuckDB.Generator


class _Dialect(DuckDB):
    class Generator(_DuckDB):  # type: ignore[misc]
        def ordered_sql(self, expression: exp.Ordered) -> str:
            # Always said: what is left out is a setting in DuckDB.
            desc = " DESC" if expression.args.get("desc") else ""
            nulls = "FIRST" if expression.args.get("nulls_first") else "LAST"
            return f"{self.sql(expression, 'this')}{desc} NULLS {nulls}"


def written(tree: exp.Expr) -> str:
    """The statement as text; raises BindError where there is no way to write it."""
    try:
        return tree.sql(dialect=_Dialect, unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise mistake(f"the statement cannot be written for DuckDB: {error}", tree, None) from None
