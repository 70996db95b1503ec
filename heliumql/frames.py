"""The caller's Python variables as tables, as in plain DuckDB: `con.sql("FROM df")`.

DuckDB looks for a name that is no table among the variables of the frame that calls it. Between it
and the caller stand frames of ours, so its methods are called from a frame that has the caller's
variables, those that the text names, and nothing of ours.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import duckdb

from heliumql.errors import BindError

Names = Mapping[str, object]
"""Variables by name, as far as a statement may mean them."""


class Lazy:
    """What is evaluated on its own connection when it is read, as relations of ours are."""


_WORD = re.compile(r"[^\W\d]\w*")
_current: ContextVar[Names | None] = ContextVar("names of the caller", default=None)
_SQL = compile("__hql[0].sql(__hql[1], params=__hql[2])", "<heliumql>", "eval")
_EXECUTE = compile("__hql[0].execute(__hql[1], __hql[2])", "<heliumql>", "eval")


def seen(text: str) -> Names:
    """What the caller of HeliumQL has under the names in a text; `using` goes first."""
    given = _current.get()
    if given is not None:
        return given
    frame = sys._getframe(1)
    while frame.f_globals.get("__name__", "").partition(".")[0] == "heliumql":
        if frame.f_back is None:
            return {}
        frame = frame.f_back
    inner, outer = frame.f_locals, frame.f_globals
    words = set(_WORD.findall(text))
    return {w: inner[w] if w in inner else outer[w] for w in words if w in inner or w in outer}


def current() -> Names:
    """The names of the statement that is being run."""
    return _current.get() or {}


@contextmanager
def using(names: Names) -> Iterator[None]:
    """Inside, statements see these names, whoever calls."""
    token = _current.set(names)
    try:
        yield
    finally:
        _current.reset(token)


def sql(
    connection: duckdb.DuckDBPyConnection, text: str, parameters: Any, names: Names
) -> duckdb.DuckDBPyRelation | None:
    """`connection.sql`, with these names."""
    relation: duckdb.DuckDBPyRelation | None = _called(_SQL, connection, text, parameters, names)
    return relation


def execute(
    connection: duckdb.DuckDBPyConnection, text: str, parameters: Any, names: Names
) -> duckdb.DuckDBPyConnection:
    """`connection.execute`, with these names."""
    executed: duckdb.DuckDBPyConnection = _called(_EXECUTE, connection, text, parameters, names)
    return executed


def _called(
    code: Any, connection: duckdb.DuckDBPyConnection, text: str, parameters: Any, names: Names
) -> Any:
    try:
        return eval(code, {}, {**names, "__hql": (connection, text, parameters)})
    except duckdb.Error as error:
        about_relation = _about_relation(error, names)
        if about_relation is None:
            raise
        raise about_relation from None


def _about_relation(error: duckdb.Error, names: Names) -> BindError | None:
    """That a variable is a relation of ours, which DuckDB would read in the middle of a statement.

    It would need the connection that the statement keeps.
    """
    if "code running inside a query cannot use that query's connection" not in str(error):
        return None
    for name, value in names.items():
        if isinstance(value, Lazy) and f"'{name}'" in str(error):
            return BindError(
                f"{name} is a relation, which a statement of its own connection cannot read",
                hint=f'{name}.query("{name}", "SELECT .. FROM {name}") makes one statement of both;'
                f' con.register("{name}", {name}) makes a table of it',
            )
    return None
