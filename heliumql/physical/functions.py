"""The functions that evaluation calls inside DuckDB, and where their calls go.

They are registered once per database and carry the number of the statement they work for, so that
statements of several connections keep apart.

    __hql_llm(site, prompt, system, history)             a call as bound; run at once where its
                                                         site is evaluated call by call, else raises
    __hql_call(statement, site, prompt, system, history) the answer, or a reference to it
    __hql_ready(statement, cut, text)                    holds the text no reference?
    __hql_field(answer, name)                            a field of a typed answer
    __hql_enough(statement, limit, row, place, outcome)  accepted? Counts for an early limit
    __hql_tested(statement, predicate, condition)        the condition; counts for statistics
    __hql_maybe(statement, text)                         false; the text's calls may be asked early
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from heliumql.binder.cuts import CALL, ENOUGH, FIELD, INFO, MAYBE, READY, TESTED
from heliumql.calls.references import CLOSE, INFO_PATH, OPEN, field_text
from heliumql.errors import ExecutionError
from heliumql.physical.snapshot import in_transaction
from heliumql.syntax import CALL_FUNCTION, HISTORY_TYPE, INFO_FUNCTION

SAMPLED = "__hql_llm_sampled"  # volatile: DuckDB evaluates it once for every row
DATABASE = "__hql_database"  # (BIGINT) -> STRUCT(n): n is the number of the database
_alive: list[Callable[..., pa.Array]] = []
"""What DuckDB calls. It lets go of a function when the connection that made it is closed, and goes
on calling it for the other connections of the database."""
_numbers = itertools.count(1)
_databases = itertools.count(1)
_site_numbers = itertools.count(1)


class Evaluation(Protocol):
    """A statement being evaluated, as its functions see it."""

    def call(
        self, site: int, prompts: pa.Array, systems: pa.Array, histories: pa.Array, path: str
    ) -> pa.Array: ...

    def ready(self, cut: int, texts: pa.Array) -> pa.Array: ...

    def enough(
        self, limit: int, rows: pa.Array, places: pa.Array, outcomes: pa.Array
    ) -> pa.Array: ...

    def tested(self, predicate: int, conditions: pa.Array) -> pa.Array: ...

    def maybe(self, texts: pa.Array) -> None: ...


class CallByCall(Protocol):
    """A statement whose calls are run before the function returns."""

    def call(
        self, site: int, prompts: pa.Array, systems: pa.Array, histories: pa.Array, path: str
    ) -> pa.Array: ...


_evaluations: dict[int, Evaluation] = {}
_each_call: dict[int, CallByCall] = {}  # by site


def next_site() -> int:
    """A number for a call site, unique in this process."""
    return next(_site_numbers)


def enter(evaluation: Evaluation) -> int:
    """Makes a statement known to the functions; its number."""
    number = next(_numbers)
    _evaluations[number] = evaluation
    return number


def leave(number: int) -> None:
    _evaluations.pop(number, None)


def enter_sites(sites: Iterable[int], evaluation: CallByCall) -> None:
    """The calls of these sites are run by the evaluation."""
    _each_call.update(dict.fromkeys(sites, evaluation))


def leave_sites(sites: Iterable[int], evaluation: CallByCall) -> None:
    for site in sites:
        if _each_call.get(site) is evaluation:
            del _each_call[site]


def register(connection: duckdb.DuckDBPyConnection, number: int | None = None) -> int:
    """Registers the functions in the connection's database, once; the number of the database.

    `number`: the one that it had, where a rollback may have taken the functions away. Raises
    ExecutionError where a transaction that has begun since does not see them.
    """
    if number is not None:  # before it is looked for them: what a transaction sees is settled then
        with connection.cursor() as own, suppress(duckdb.Error):  # they are there
            _make(own, _functions(number))
        if not are_registered(connection, DATABASE):
            raise ExecutionError(
                "the transaction in which HeliumQL was connected was rolled back, and this one"
                " began before that was noticed",
                hint="end this transaction too, or connect outside of one",
            )
    elif not are_registered(connection, DATABASE):
        create(connection, _functions(next(_databases)))
    described = connection.execute(f"DESCRIBE SELECT {DATABASE}(0)").fetchall()[0][1]
    return int("".join(filter(str.isdigit, described)))


def are_registered(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """A function of this name, and so those that are made with it, are there."""
    if in_transaction(connection):  # which an error would abort
        query = "SELECT count(*) FROM duckdb_functions() WHERE function_name = ?"
        return bool(connection.execute(query, [name]).fetchall()[0][0])
    try:  # a tenth of the time of that list
        connection.execute(f"DESCRIBE SELECT {name}()").fetchall()
    except duckdb.CatalogException:
        return False
    except duckdb.BinderException:  # it takes other arguments
        return True
    return True


def create(connection: duckdb.DuckDBPyConnection, functions: Iterable[Function]) -> None:
    """Makes functions in the connection's database.

    In a transaction of the user's it is done there, where they are to be seen: a rollback takes
    them away. Else a connection of its own does it, as DuckDB's Python objects remember the names
    of what a rollback has taken.
    """
    if in_transaction(connection):
        _make(connection, functions)
        return
    with connection.cursor() as own:
        _make(own, functions)


def _make(connection: duckdb.DuckDBPyConnection, functions: Iterable[Function]) -> None:
    for function in functions:
        function.create(connection)


@dataclass(frozen=True)
class Function:
    """A function of ours: Python that takes Arrow arrays, NULLs too."""

    name: str
    python: Callable[..., pa.Array]
    parameters: tuple[str, ...]
    returns: str
    volatile: bool = False

    def create(self, connection: duckdb.DuckDBPyConnection) -> None:
        _alive.append(self.python)
        make: Any = connection.create_function  # its overloads do not know Arrow functions
        make(
            self.name,
            self.python,
            list(self.parameters),
            self.returns,
            type="arrow",
            null_handling="special",
            side_effects=self.volatile,
        )


def _functions(database: int) -> Iterator[Function]:
    messages = ("VARCHAR", "VARCHAR", HISTORY_TYPE)
    for name, path in ((CALL_FUNCTION, ""), (INFO_FUNCTION, INFO_PATH)):
        yield Function(name, _each(path), ("BIGINT", *messages), "VARCHAR")
    yield Function(SAMPLED, _each(""), ("BIGINT", *messages), "VARCHAR", volatile=True)
    for name, path in ((CALL, ""), (INFO, INFO_PATH)):
        yield Function(name, _deferred(path), ("BIGINT", "BIGINT", *messages), "VARCHAR")
    yield Function(READY, _ready, ("BIGINT", "BIGINT", "VARCHAR"), "BOOLEAN")
    yield Function(ENOUGH, _enough, ("BIGINT",) * 5, "BOOLEAN")
    yield Function(TESTED, _tested, ("BIGINT", "BIGINT", "BOOLEAN"), "BOOLEAN")
    yield Function(MAYBE, _maybe, ("BIGINT", "VARCHAR"), "BOOLEAN")
    yield Function(FIELD, _field, ("VARCHAR", "VARCHAR"), "VARCHAR")
    # Its type says the number, so that nobody has to call it: DuckDB would load much for that.
    yield Function(DATABASE, _uncalled, ("BIGINT",), f'STRUCT("{database}" BIGINT)')


def _uncalled(number: Any) -> pa.Array:
    raise RuntimeError(f"{DATABASE} is for its type")


@cache
def _each(path: str) -> Callable[..., pa.Array]:
    def call(site: Any, prompt: Any, system: Any, history: Any) -> pa.Array:
        if len(prompt) == 0:
            return pa.array([], pa.string())
        number = site[0].as_py()
        evaluation = _each_call.get(number)
        if evaluation is None:
            raise RuntimeError("LLM calls run through HeliumQL")
        return evaluation.call(number, array(prompt), array(system), array(history), path)

    return call


@cache
def _deferred(path: str) -> Callable[..., pa.Array]:
    def call(statement: Any, site: Any, prompt: Any, system: Any, history: Any) -> pa.Array:
        if len(prompt) == 0:
            return pa.array([], pa.string())
        evaluation = _evaluations[statement[0].as_py()]
        number = site[0].as_py()
        return evaluation.call(number, array(prompt), array(system), array(history), path)

    return call


def _ready(statement: Any, cut: Any, text: Any) -> pa.Array:
    if len(text) == 0:
        return pa.array([], pa.bool_())
    return _evaluations[statement[0].as_py()].ready(cut[0].as_py(), array(text))


def _enough(statement: Any, limit: Any, row: Any, place: Any, outcome: Any) -> pa.Array:
    if len(outcome) == 0:
        return pa.array([], pa.bool_())
    evaluation = _evaluations[statement[0].as_py()]
    return evaluation.enough(limit[0].as_py(), array(row), array(place), array(outcome))


def _tested(statement: Any, predicate: Any, condition: Any) -> pa.Array:
    if len(condition) == 0:
        return pa.array([], pa.bool_())
    evaluation = _evaluations[statement[0].as_py()]
    return evaluation.tested(predicate[0].as_py(), array(condition))


def _maybe(statement: Any, text: Any) -> pa.Array:
    if len(text):
        _evaluations[statement[0].as_py()].maybe(array(text))
    return pa.array([False] * len(text), pa.bool_())


def _field(answer: Any, name: Any) -> pa.Array:
    field = name[0].as_py() if len(name) else ""
    path = "." + field.encode().hex()
    return pa.array(
        [
            text[: -len(CLOSE)] + path + CLOSE
            if text is not None and text.startswith(OPEN)
            else field_text(text, path)
            for text in answer.to_pylist()
        ],
        pa.string(),
    )


def array(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """DuckDB hands over one or the other."""
    if isinstance(column, pa.ChunkedArray):
        return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return column
