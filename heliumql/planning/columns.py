"""Names and types of a query's columns, as its rows show them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import duckdb

from heliumql import frames, syntax
from heliumql.binder.mistakes import bind_error, is_users_mistake, without_excerpt
from heliumql.binder.parameters import Parameters
from heliumql.errors import ExecutionError
from heliumql.syntax import CallSite, Core


def described(
    connection: duckdb.DuckDBPyConnection, core: Core, parameters: Parameters
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and types that DuckDB gives the columns; none of what is no query."""
    if syntax.shell(core.text).kind != "select":
        return (), ()
    try:
        text = "DESCRIBE " + core.text
        rows = frames.execute(connection, text, parameters, frames.current()).fetchall()
    except duckdb.Error as error:
        if is_users_mistake(error):
            raise bind_error(error, core, "DESCRIBE ") from None
        raise ExecutionError(without_excerpt(error)) from None
    names = shown_names(tuple(r[0] for r in rows), {s.number: s for s in core.sites})
    return names, tuple(r[1] for r in rows)


def shown_names(names: tuple[str, ...], sites: Mapping[int, CallSite]) -> tuple[str, ...]:
    """Column names; where DuckDB named a column after the core SQL of a call, the verb's."""
    shown: list[str] = []
    for name in names:
        found = re.search(r"__hql_llm\w*\((\d+)", name)
        site = sites.get(int(found[1])) if found else None
        plain = name if found is None else (site.verb.lower() if site else "llm_generate")
        twins = sum(1 for other in shown if other == plain or other.startswith(f"{plain}_"))
        shown.append(f"{plain}_{twins}" if found and twins else plain)
    return tuple(shown)
