"""Python data as tables: what `register` takes, and what it says of what it does not."""

from __future__ import annotations

import nanoarrow
import pandas
import polars
import pyarrow as pa
import pytest

import heliumql
from heliumql.connection import Connection

COLUMNS = {"i": [1, 2, 3], "name": ["a", None, "c"]}


class Stream:
    """Anybody's object with nothing but the interface; it can be read once."""

    def __init__(self, table: pa.Table) -> None:
        self._reader = table.to_reader()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._reader.__arrow_c_stream__(requested_schema)


class Batch:
    """Anybody's object with one batch."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> object:
        return pa.record_batch(COLUMNS).__arrow_c_array__(requested_schema)


GIVEN = {
    "table": lambda: pa.table(COLUMNS),
    "batch": lambda: pa.record_batch(COLUMNS),
    "reader": lambda: pa.table(COLUMNS).to_reader(),
    "stream": lambda: Stream(pa.table(COLUMNS)),
    "array": Batch,
    "nanoarrow": lambda: nanoarrow.ArrayStream(pa.table(COLUMNS)),
    "pandas": lambda: pandas.DataFrame(COLUMNS),
    "polars": lambda: polars.DataFrame(COLUMNS),
    "lazy polars": lambda: polars.LazyFrame(COLUMNS),
    "mapping": lambda: COLUMNS,
    "records": lambda: [{"i": 1, "name": "a"}, {"i": 2}, {"name": "c", "i": 3}],
}


@pytest.mark.parametrize("kind", GIVEN)
def test_tables_of_all_kinds_are_read_by_every_pass(connection: Connection, kind: str) -> None:
    connection.register("t", GIVEN[kind]())
    assert connection.execute("SELECT * FROM t ORDER BY i").fetchall() == [
        (1, "a"), (2, None), (3, "c"),
    ]  # fmt: skip
    query = (
        "SELECT i, LLM_GENERATE('{name} {i}') AS a FROM t WHERE LLM_FILTER('ok {i}') IS NOT NULL"
    )
    relation = connection.sql(query)
    assert relation is not None
    assert [row[0] for row in relation.fetchall()] == [1, 2, 3]
    assert len(relation.fetchall()) == 3


def test_relations_of_the_same_connection(connection: Connection) -> None:
    connection.register("a", connection.duckdb.sql("SELECT 1 AS x"))
    connection.register("b", connection.sql("SELECT x, LLM_GENERATE('{x}') AS y FROM a"))
    assert connection.execute("SELECT x FROM b").fetchall() == [(1,)]


def test_any_name_again_and_no_more(connection: Connection) -> None:
    for name in ("t", 'odd "name"', "select", "It's"):
        quoted = '"' + name.replace('"', '""') + '"'
        connection.register(name, {"i": [1]}).register(name, {"j": [2, 3]})
        assert connection.execute(f"FROM {quoted}").fetchall() == [(2,), (3,)]
        connection.unregister(name)
        with pytest.raises(heliumql.BindError, match="nothing is registered"):
            connection.unregister(name)
    views = "SELECT view_name FROM duckdb_views() WHERE view_name LIKE '\\_\\_hql%' ESCAPE '\\'"
    assert connection.execute(views).fetchall() == []


def test_a_table_of_the_database_is_hidden_and_comes_back(connection: Connection) -> None:
    connection.execute("CREATE TABLE t AS SELECT 'mine' AS x")
    connection.register("t", {"x": ["theirs"]})
    assert connection.execute("FROM t").fetchall() == [("theirs",)]
    connection.unregister("t")
    assert connection.execute("FROM t").fetchall() == [("mine",)]
    with pytest.raises(heliumql.BindError, match="nothing is registered"):
        connection.unregister("t")
    assert connection.execute("FROM t").fetchall() == [("mine",)]


def broken() -> pa.RecordBatchReader:
    def batches() -> object:
        yield pa.record_batch({"i": [1]})
        raise RuntimeError("the wire was cut")

    return pa.RecordBatchReader.from_batches(pa.schema({"i": pa.int64()}), batches())


MISTAKES = {
    "a number": (42, "a value of type int is no table"),
    "a list of numbers": ([{"i": 1}, 2], "item 1 of the list is of type int, no mapping"),
    "an empty list": ([], "an empty list has no columns"),
    "lists of different lengths": ({"a": [1, 2], "b": [1]}, "length"),
    "mixed values": ([{"a": 1}, {"a": "x"}], "a"),
    "a stream that fails": (broken(), "the wire was cut"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_mistakes_say_what_is_taken(connection: Connection, kind: str) -> None:
    data, message = MISTAKES[kind]
    connection.register("t", {"i": [1]})
    with pytest.raises(heliumql.HeliumQLError, match=message) as raised:
        connection.register("t", data)
    assert "register('t')" in str(raised.value)
    assert connection.execute("FROM t").fetchall() == [(1,)]


def test_a_name_that_is_taken(connection: Connection) -> None:
    connection.execute("CREATE TEMP VIEW v AS SELECT 1 AS x")
    with pytest.raises(heliumql.ExecutionError, match="Existing object"):
        connection.register("v", {"i": [1]})


def test_a_temporary_table_of_somebody_else_is_neither_replaced_nor_dropped(
    connection: Connection,
) -> None:
    connection.execute("CREATE TEMP TABLE mine AS SELECT 'precious' AS v")
    with pytest.raises(heliumql.BindError, match="which register did not make"):
        connection.register("Mine", {"a": [1]})
    with pytest.raises(heliumql.BindError, match="nothing is registered as 'mine'"):
        connection.unregister("mine")
    assert connection.execute("FROM mine").fetchall() == [("precious",)]


@pytest.mark.parametrize("data", [pandas.DataFrame(), {}])
def test_data_that_duckdb_does_not_take_are_an_error_of_ours(
    connection: Connection, data: object
) -> None:
    with pytest.raises(heliumql.ExecutionError, match=r"register\('t'\): .*at least one column"):
        connection.register("t", data)


def test_a_name_that_is_no_text_is_said(connection: Connection) -> None:
    with pytest.raises(heliumql.BindError, match="the name of a table is a text, not 3"):
        connection.register(3, {"a": [1]})  # type: ignore[arg-type]
