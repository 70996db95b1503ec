"""Binding: DuckDB resolves names, stars, views, macros and subqueries; we read the tree it gives.

`EXPLAIN (SQL)` of DuckDB 2.0 prints the bound and optimized query as plain SQL, with predicates
and projections pushed below the calls and unused calls pruned; `json_serialize_sql` turns it into
a tree. The stand-in for calls raises when it is evaluated, so that nothing can fold it away.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import duckdb

from heliumql.binder.cuts import LLM, LLM_INFO, Unsupported
from heliumql.binder.mistakes import USERS_OWN, bind_error
from heliumql.binder.parameters import Parameters
from heliumql.binder.tree import Node, walk
from heliumql.syntax import Core

_BEFORE = "EXPLAIN (SQL) "

# Positions in DuckDB's own text: a third of the tree, and of no use to us. Inside a JSON string
# the quotes would be escaped.
_POSITION = re.compile(r'(?<!\\)"query_location(?:_length)?":\d+,')


@dataclass(frozen=True)
class Bound:
    """A query as DuckDB bound it."""

    text: str
    tree: Node  # the query node
    names: tuple[str, ...]
    types: tuple[str, ...]  # as DuckDB writes them

    @property
    def sites(self) -> frozenset[int]:
        """The call sites that are left."""
        found = set()
        for node in walk(self.tree):
            if node.get("class") == "FUNCTION" and node["function_name"] in (LLM, LLM_INFO):
                site = node["arguments"][0]["expression"]
                while site.get("class") == "CAST":
                    site = site["child"]
                found.add(int(site["literal"]["text"]))
        return frozenset(found)


def bind(connection: duckdb.DuckDBPyConnection, core: Core, parameters: Parameters) -> Bound:
    """Binds core SQL of a query on the user's connection.

    Raises BindError for the user's mistakes and Unsupported where DuckDB cannot give the tree.
    """
    text = _bound_text(connection, core, parameters)
    serialized = connection.execute("SELECT json_serialize_sql(?)", [text]).fetchall()[0][0]
    document = json.loads(_POSITION.sub("", serialized))
    if document.get("error"):
        raise Unsupported(str(document.get("error_message")))
    names, types = _described(connection, text)
    return Bound(text, document["statements"][0]["node"], names, types)


def still_binds(
    bound: Bound, connection: duckdb.DuckDBPyConnection, core: Core, parameters: Parameters
) -> bool:
    """Binding now would give the same. A bound query reads tables by the places of columns."""
    return (
        _bound_text(connection, core, parameters) == bound.text
        and _described(connection, bound.text) == (bound.names, bound.types)
    )  # fmt: skip


def _bound_text(connection: duckdb.DuckDBPyConnection, core: Core, parameters: Parameters) -> str:
    try:
        return str(connection.execute(_BEFORE + core.text, parameters).fetchall()[0][1])
    except USERS_OWN as error:
        raise bind_error(error, core, _BEFORE) from None
    except duckdb.Error as error:
        raise Unsupported(f"a statement that DuckDB does not print: {_first_line(error)}") from None


def _described(
    connection: duckdb.DuckDBPyConnection, text: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and types of the columns."""
    rows = connection.execute("DESCRIBE " + text).fetchall()
    return tuple(row[0] for row in rows), tuple(row[1] for row in rows)


def printed(connection: duckdb.DuckDBPyConnection, node: Node) -> str:
    """A query node as SQL."""
    document = {"error": False, "statements": [{"node": node, "named_param_map": []}]}
    row = connection.execute(
        "SELECT json_deserialize_sql(?::JSON)", [json.dumps(document)]
    ).fetchall()[0]
    return str(row[0])


def estimated_rows(connection: duckdb.DuckDBPyConnection, query: Node) -> float | None:
    """How many rows DuckDB expects of a query by itself; None where it cannot say."""
    if any(n["type"] == "BASE_TABLE" and not n["schema_name"] for n in walk(query)):
        return None  # it reads a CTE of the query around it
    try:
        text = "EXPLAIN (FORMAT json) " + printed(connection, query)
        plan = json.loads(connection.execute(text).fetchall()[0][1])
    except duckdb.Error:
        return None  # a part that DuckDB takes only where it stands
    while True:
        operator = plan[0] if isinstance(plan, list) else plan
        found = operator.get("extra_info", {}).get("Estimated Cardinality")
        if found is not None:
            return float(str(found).replace(",", "").strip("~ "))
        plan = operator.get("children") or []
        if not plan:
            return None


def column_types(connection: duckdb.DuckDBPyConnection, query: Node) -> list[str] | None:
    """The types of the columns of a query; None where DuckDB does not take it by itself."""
    try:
        rows = connection.execute("DESCRIBE " + printed(connection, query)).fetchall()
    except duckdb.Error:
        return None
    return [str(row[1]) for row in rows]


def _first_line(error: duckdb.Error) -> str:
    return str(error).split("\n")[0]
