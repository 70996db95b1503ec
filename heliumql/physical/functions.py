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
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from heliumql.binder.cuts import CALL, ENOUGH, FIELD, INFO, MAYBE, READY, TESTED
from heliumql.calls.references import CLOSE, INFO_PATH, OPEN, field_text
from heliumql.physical.snapshot import in_transaction
from heliumql.syntax import CALL_FUNCTION, HISTORY_TYPE, INFO_FUNCTION

SAMPLED = "__hql_llm_sampled"  # volatile: DuckDB evaluates it once for every row
_numbers = itertools.count(1)
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


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Registers the functions in the connection's database, once."""
    if _are_registered(connection):
        return
    create: Any = connection.create_function  # its overloads do not know Arrow functions
    options = {"type": "arrow", "null_handling": "special"}
    messages = ["VARCHAR", "VARCHAR", HISTORY_TYPE]
    for name, path in ((CALL_FUNCTION, ""), (INFO_FUNCTION, INFO_PATH)):
        create(name, _each(path), ["BIGINT", *messages], "VARCHAR", **options)
    create(SAMPLED, _each(""), ["BIGINT", *messages], "VARCHAR", side_effects=True, **options)
    for name, path in ((CALL, ""), (INFO, INFO_PATH)):
        create(name, _deferred(path), ["BIGINT", "BIGINT", *messages], "VARCHAR", **options)
    create(READY, _ready, ["BIGINT", "BIGINT", "VARCHAR"], "BOOLEAN", **options)
    create(ENOUGH, _enough, ["BIGINT"] * 5, "BOOLEAN", **options)
    create(TESTED, _tested, ["BIGINT", "BIGINT", "BOOLEAN"], "BOOLEAN", **options)
    create(MAYBE, _maybe, ["BIGINT", "VARCHAR"], "BOOLEAN", **options)
    create(FIELD, _field, ["VARCHAR", "VARCHAR"], "VARCHAR", **options)


def _are_registered(connection: duckdb.DuckDBPyConnection) -> bool:
    if in_transaction(connection):  # which an error would abort
        query = f"SELECT count(*) FROM duckdb_functions() WHERE function_name = '{FIELD}'"
        return bool(connection.execute(query).fetchall()[0][0])
    try:  # a tenth of the time of that list
        connection.execute(f"SELECT {FIELD}(x, x) FROM (SELECT '' AS x) WHERE false").fetchall()
    except duckdb.CatalogException:
        return False
    return True


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
