"""Python objects in a query with calls, as copies that DuckDB can print and that every pass sees.

`EXPLAIN (SQL)` cannot print a scan of a data frame or an Arrow table, and being asked to would end
a transaction of the user's. So what a query reads of them goes into a temporary table first, and a
CTE of its name stands for it. The session asks before it binds.
"""

from __future__ import annotations

import itertools
import json
import re
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import duckdb

from heliumql.binder.mistakes import closed, without_excerpt
from heliumql.binder.tree import COPY, walk
from heliumql.errors import ExecutionError
from heliumql.frames import Names, execute
from heliumql.syntax import Core, tokenize
from heliumql.syntax.literals import quoted_name

_numbers = itertools.count(1)
_OBJECT = re.compile(r"\b(?:pandas_scan|python_arrow_scan|arrow_scan)\(\) AS __duckdb_source")
_WITH = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*WITH\s+(?:RECURSIVE\b)?", re.IGNORECASE | re.DOTALL
)
_FRAMES = ("pandas", "polars", "pyarrow", "numpy", "_duckdb", "duckdb")


@dataclass
class Copies:
    """The temporary tables of one connection that hold copies."""

    tables: set[str] = field(default_factory=set)
    unused: list[str] = field(default_factory=list)  # nobody can read them any more


@dataclass(frozen=True, eq=False)
class Copied:
    """Copies that one planned query reads; when nobody holds it any more they are unused."""

    tables: tuple[str, ...]

    def kept_in(self, copies: Copies) -> Copied:
        """Itself, known to the connection."""
        copies.tables.update(self.tables)
        weakref.finalize(self, copies.unused.extend, self.tables)
        return self


def with_copies(
    connection: duckdb.DuckDBPyConnection, core: Core, names: Names, copies: Copies
) -> tuple[Core, Copied | None]:
    """The query, reading copies of the Python objects that it names; None where it names none.

    Raises ExecutionError where an object cannot be read.
    """
    found = list(_objects(connection, core.text, names))
    if not found:
        return core, None
    tables = {name: f"{COPY}{next(_numbers)}_{name}" for name in found}
    copied = Copied(tuple(tables.values())).kept_in(copies)
    for name, table in tables.items():
        text = f"CREATE TEMP TABLE {quoted_name(table)} AS FROM {quoted_name(name)}"
        try:
            execute(connection, text, None, names).fetchall()
        except duckdb.Error as error:
            raise ExecutionError(f"{name}: {without_excerpt(error)}") from None
    return _reading(core, tables), copied


def are_there(connection: duckdb.DuckDBPyConnection, copied: Copied) -> bool:
    """No rollback has taken them away."""
    query = "SELECT table_name FROM duckdb_tables() WHERE temporary"
    there = {row[0] for row in connection.execute(query).fetchall()}
    return there.issuperset(copied.tables)


def drop(connection: duckdb.DuckDBPyConnection, copies: Copies, tables: Iterable[str]) -> None:
    """Drops copies; what cannot be dropped now is kept in mind."""
    for table in list(tables):
        connection.execute(f"DROP TABLE IF EXISTS temp.{quoted_name(table)}").fetchall()
        copies.tables.discard(table)
        if table in copies.unused:
            copies.unused.remove(table)


def _objects(connection: duckdb.DuckDBPyConnection, text: str, names: Names) -> Iterable[str]:
    """The names in the query that stand for Python objects: variables, and what is registered."""
    variables = {n for n, value in names.items() if _may_be_table(value)}
    try:
        read = _tables_named(connection, text)
    except duckdb.ConnectionException as error:
        raise closed(error) from None
    except duckdb.Error:  # told when it is bound
        return
    if not read:
        return
    query = "SELECT view_name, sql FROM duckdb_views() WHERE temporary AND NOT internal"
    views = [row for row in connection.execute(query).fetchall() if _OBJECT.search(row[1])]
    registered = {name.lower() for name, _ in views}
    for name in sorted(read):
        if name.lower() in registered or (name in variables and not _is_table(connection, name)):
            yield name


def _tables_named(connection: duckdb.DuckDBPyConnection, text: str) -> set[str]:
    """The names that the query reads, without those of its CTEs."""
    if all(token.type != "PARAMETER" for token in tokenize(text)):
        return connection.get_table_names(text)
    # That refuses parameters, and the error would end a transaction of the user's.
    told = connection.execute("SELECT json_serialize_sql(?)", [text]).fetchall()[0][0]
    nodes = list(walk(json.loads(told)))
    tables = {n["table_name"] for n in nodes if n.get("type") == "BASE_TABLE"}
    ctes = {c["key"].lower() for n in nodes for c in n.get("cte_map", {}).get("map", ())}
    return {name for name in tables if name.lower() not in ctes}


def _may_be_table(value: object) -> bool:
    """DuckDB can scan it, or looks closer."""
    if isinstance(value, dict | list):  # of columns that are arrays of numpy
        columns = value.values() if isinstance(value, dict) else value
        return bool(value) and all(_library(column) == "numpy" for column in columns)
    return _library(value) in _FRAMES or hasattr(type(value), "__arrow_c_stream__")


def _library(value: object) -> str:
    return type(value).__module__.partition(".")[0]


def _is_table(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """A table or view of that name goes before a variable."""
    visible = "temporary OR schema_name IN (SELECT unnest(current_schemas(true)))"
    query = " UNION ALL ".join(
        f"SELECT 1 FROM duckdb_{kind}s() WHERE lower({kind}_name) = lower($1) AND ({visible})"
        for kind in ("table", "view")
    )
    if not connection.execute("SELECT current_setting('python_enable_replacements')").fetchall()[0][
        0
    ]:
        return True
    return bool(connection.execute(query, [name]).fetchall())


def _reading(core: Core, tables: Mapping[str, str]) -> Core:
    """The query with a CTE for each copy; places in it are found where they were."""
    entries = ", ".join(
        f"{quoted_name(name)} AS NOT MATERIALIZED (FROM temp.{quoted_name(table)})"
        for name, table in tables.items()
    )
    begins = _WITH.match(core.text)
    if begins is None:
        at, put = 0, f"WITH {entries} "
    else:
        at, put = begins.end(), f" {entries}, "
    text = core.text[:at] + put + core.text[at:]
    return replace(core, text=text, source_map=core.source_map.inserted(at, len(put)))
