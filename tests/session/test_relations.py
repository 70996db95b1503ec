"""Relations made of relations: one statement, planned as a whole, with errors in their places."""

from __future__ import annotations

from pathlib import Path

import duckdb
import nanoarrow
import numpy
import pandas
import polars
import pyarrow as pa
import pyarrow.parquet
import pytest

import heliumql
from heliumql.connection import Connection
from heliumql.errors import BindError
from heliumql.relations.relation import Relation


@pytest.fixture
def con(connection: Connection) -> Connection:
    connection.execute("CREATE TABLE r AS SELECT i, i % 3 AS k FROM range(30) t(i)")
    return connection


def rows(con: Connection, text: str, params: object = None) -> Relation:
    relation = con.sql(text, params)  # type: ignore[arg-type]
    assert relation is not None
    return relation


GENERATE = "LLM_GENERATE('about {i}')"
CALLS = "SELECT i, k, LLM_GENERATE('about {i}') AS a FROM r"


def test_rows_that_are_dropped_later_ask_no_model(con: Connection) -> None:
    relation = rows(con, CALLS)
    few = relation.filter("k = 1").limit(4)
    assert [r[:2] for r in few.fetchall()] == [(1, 1), (4, 1), (7, 1), (10, 1)]
    assert few.stats.calls_run == 4
    without = relation.select("i + 1 AS j").order("j DESC").limit(2)
    assert (without.fetchall(), without.stats.calls_asked) == ([(30,), (29,)], 0)
    assert relation.count() == 30
    assert con.total_stats.calls_run == 4


def test_each_method_is_what_sql_says(con: Connection) -> None:
    relation = rows(con, "SELECT i, k FROM r -- a comment")
    assert relation.aggregate("count(*) AS n", by="k").fetchall() == [(0, 10), (1, 10), (2, 10)]
    assert relation.aggregate("count(*), min(i)", "k").fetchall()[1] == (1, 10, 1)
    assert relation.aggregate("max(i)").fetchall() == [(29,)]
    assert relation.select("k").distinct().order("k").fetchall() == [(0,), (1,), (2,)]
    assert relation.order("k DESC", "i -- the smallest first").limit(1, 1).fetchall() == [(5, 2)]
    assert relation.project("*").columns == relation.columns == ["i", "k"]
    joined = relation.query("x", "SELECT count(*) FROM x JOIN r ON x.i = r.k")
    assert joined.fetchall() == [(30,)]


def test_calls_may_stand_in_what_is_added_and_their_columns_have_names(con: Connection) -> None:
    chosen = rows(con, "SELECT i FROM r WHERE i < 4").filter("LLM_FILTER('good? {i}')")
    assert {i for (i,) in chosen.fetchall()} <= set(range(4))
    assert chosen.stats.calls_run == 4
    unnamed = rows(con, "SELECT LLM_GENERATE('x {k}') FROM r")
    longest = unnamed.filter("length(llm_generate) > 0").select("upper(llm_generate) AS u")
    assert longest.count() == 30


def test_parameters_of_all_pieces(con: Connection) -> None:
    relation = rows(con, "SELECT i FROM r WHERE i > ?", [20]).filter("i < ?", [24])
    assert relation.select("i * ? AS j", params=[2]).fetchall() == [(42,), (44,), (46,)]
    named = rows(con, "SELECT i FROM r WHERE i > $low", {"low": 26}).filter(
        "i < $high", {"high": 29}
    )
    assert named.fetchall() == [(27,), (28,)]
    with pytest.raises(heliumql.BindError, match="by position and values by name"):
        relation.filter("i = $x", {"x": 1})
    with pytest.raises(heliumql.BindError, match=r"\$low has two values"):
        named.filter("i > $low", {"low": 1})
    with pytest.raises(heliumql.BindError, match=r"write \? or \$name"):
        relation.filter("i = $1", [1])


def test_a_mistake_is_shown_in_the_text_in_which_it_was_written(con: Connection) -> None:
    relation = rows(con, CALLS).filter("k = 1")
    with pytest.raises(heliumql.HeliumQLError) as raised:
        relation.filter("k = 2 AND colour = 'red'").fetchall()
    assert "1 | k = 2 AND colour = 'red'\n  |           ^" in str(raised.value)
    con.execute("ALTER TABLE r RENAME k TO kind")
    with pytest.raises(heliumql.HeliumQLError) as raised:
        relation.limit(1).fetchall()
    assert f"1 | {CALLS}\n  |           ^" in str(raised.value)
    plain = rows(con, "SELECT 1;\n SELECT i, kind\nFROM r")
    with pytest.raises(heliumql.HeliumQLError) as raised:
        plain.limit(3).select("i", "wrong(i)")
    assert "1 | wrong(i)\n  | ^" in str(raised.value)
    con.execute("ALTER TABLE r RENAME kind TO k")
    with pytest.raises(heliumql.HeliumQLError) as raised:
        plain.limit(3)
    assert "at line 2\n2 |  SELECT i, kind\n  |            ^" in str(raised.value)


def test_rows_of_other_statements_are_no_query(con: Connection) -> None:
    shown = con.sql("SHOW MODELS")
    assert shown is not None
    with pytest.raises(heliumql.BindError, match="filter takes a query"):
        shown.filter("true")
    with pytest.raises(heliumql.BindError, match="holds a whole statement"):
        rows(con, "FROM r").filter("true); DROP TABLE r; --")
    with pytest.raises(heliumql.BindError, match="limit takes a query"):
        con.sql_many(["CREATE TABLE other AS SELECT 1 AS a"])[0].limit(1)


def test_rows_are_written(con: Connection, tmp_path: Path) -> None:
    relation = rows(con, CALLS).filter("i < ?", [3])
    relation.to_table("The answers")
    assert con.execute('SELECT i, k FROM "The answers"').fetchall() == [(0, 0), (1, 1), (2, 2)]
    relation.insert_into("The answers")
    assert con.execute('SELECT count(*) FROM "The answers"').fetchall() == [(6,)]
    with pytest.raises(heliumql.ExecutionError, match="already exists"):
        relation.to_table("The answers")
    relation.select("i").to_table("The answers", replace=True)
    relation.to_parquet(tmp_path / "it's.parquet", compression="zstd")
    table = pyarrow.parquet.read_table(tmp_path / "it's.parquet")
    assert table.to_pylist() == relation.arrow().to_pylist()
    relation.select("i", "k").to_csv(tmp_path / "a.csv", header=False, delimiter="|")
    assert (tmp_path / "a.csv").read_text() == "0|0\n1|1\n2|2\n"
    assert con.total_stats.calls_run == 3


def test_reading_goes_on_after_fetchone_and_from_the_start_after_close(con: Connection) -> None:
    for text in ("SELECT i FROM r LIMIT 5", "SELECT i, LLM_GENERATE('{k}') FROM r LIMIT 5"):
        relation = rows(con, text)
        first = relation.fetchone()
        assert first is not None
        assert first[0] == 0
        assert [r[0] for r in relation.fetchmany(2)] == [1, 2]
        assert [r[0] for r in relation.fetchall()] == [3, 4]
        relation.fetchone()
        relation.close()
        assert [r[0] for r in relation.fetchall()] == [r[0] for r in relation] == [0, 1, 2, 3, 4]


def test_types_are_those_of_duckdb(con: Connection) -> None:
    typed = "SELECT i, LLM_GENERATE('{i}', returns => 'STRUCT(a INTEGER, b DATE[])') AS s FROM r"
    assert rows(con, typed).types == ["BIGINT", "STRUCT(a INTEGER, b DATE[])"]
    assert rows(con, "SELECT 1.5 AS d").types == ["DECIMAL(2,1)"]
    assert con.sql_many(["SHOW MODELS"])[0].types[0] == "VARCHAR"


def test_explanations_have_formats(con: Connection) -> None:
    relation = rows(con, CALLS).limit(2)
    assert "LLM_GENERATE" in relation.explain()
    assert relation.explain("json").startswith("{")
    with pytest.raises(heliumql.BindError, match="no format 'xml'"):
        relation.explain("xml")


def test_other_libraries_read_relations(con: Connection) -> None:
    for text in ("SELECT i, k FROM r LIMIT 3", f"SELECT i, k FROM ({CALLS} LIMIT 3)"):
        relation = rows(con, text)
        assert pa.table(relation).to_pydict() == {"i": [0, 1, 2], "k": [0, 1, 2]}
        assert pa.schema(relation).names == ["i", "k"]
        assert polars.DataFrame(relation).rows() == [(0, 0), (1, 1), (2, 2)]
        frame = pandas.DataFrame.from_arrow(relation)
        assert frame["i"].tolist() == [0, 1, 2]
        assert nanoarrow.Array(relation).to_pylist() == [{"i": n, "k": n} for n in range(3)]
        with duckdb.connect() as other:
            assert other.sql("SELECT sum(i) FROM relation").fetchall() == [(3,)]
        con.register("copied", relation)
        assert con.execute("SELECT sum(k) FROM copied").fetchall() == [(3,)]


@pytest.mark.parametrize("query", ["SELECT i FROM read", f"SELECT {GENERATE} FROM read"])
def test_a_variable_that_is_a_relation_of_the_connection(con: Connection, query: str) -> None:
    read = rows(con, "SELECT i FROM r WHERE LLM_FILTER('Is {i} odd?')")
    with pytest.raises(heliumql.BindError, match="read is a relation, which a statement") as told:
        con.sql(query)
    assert 'con.register("read", read)' in str(told.value)
    assert read.query("read", query).columns


@pytest.mark.parametrize("params", [1, "Ada", b"Ada"])
def test_parameters_are_a_list_or_a_mapping(con: Connection, params: object) -> None:
    for run in (con.sql, con.execute):
        with pytest.raises(TypeError, match="parameters are a list"):
            run("SELECT ?", params)  # type: ignore[operator]


@pytest.mark.parametrize("text", [1, None, b"SELECT 1"])
def test_a_statement_is_a_text(con: Connection, text: object) -> None:
    for run in (con.sql, con.execute):
        with pytest.raises(TypeError, match="a statement is a text, not"):
            run(text)  # type: ignore[operator]


def test_named_values_go_to_the_statements_that_name_them(con: Connection) -> None:
    text = "CREATE OR REPLACE TABLE a AS SELECT $x AS x; SELECT x, $y, LLM_GENERATE($q) FROM a"
    values = {"x": 1, "Y": 2, "q": "hello"}
    assert [r[:2] for r in rows(con, text, values).fetchall()] == [(1, 2)]
    assert [r[:2] for r in con.execute(text, values).fetchall()] == [(1, 2)]
    last = "CREATE OR REPLACE TABLE a AS SELECT 5 AS x; SELECT x, ? FROM a"
    assert rows(con, last, [7]).fetchall() == con.execute(last, [7]).fetchall() == [(5, 7)]


def test_a_value_that_no_statement_names_is_a_mistake(con: Connection, tmp_path: Path) -> None:
    text = "CREATE TABLE never AS SELECT $x AS x; SELECT $y"
    values = {"x": 1, "y": 2, "z": 3}
    path = tmp_path / "f.hql"
    path.write_text(text)
    for run in (con.sql, con.execute, lambda t, v: con.run_file(path, v)):
        with pytest.raises(BindError, match=r"no statement has \$z") as raised:
            run(text, values)
        assert raised.value.hint == "they have $x, $y"
    with pytest.raises(BindError, match=r"no statement has \$z"):
        con.sql_many(["SELECT $x", "SELECT $y"], values)
    assert rows(con, "FROM duckdb_tables() WHERE table_name = 'never'").fetchall() == []


@pytest.mark.parametrize(
    ("column", "lacking"),
    [
        ("INTERVAL 1 DAY", "INTERVAL"),
        ("[{'a': INTERVAL 1 DAY}]", "INTERVAL"),
        ("MAP {'a': INTERVAL 1 DAY}", "INTERVAL"),
        ("union_value(a := 1)", "UNION"),
    ],
)
def test_polars_names_the_column_whose_type_it_lacks(
    con: Connection, column: str, lacking: str
) -> None:
    relation = rows(con, f"SELECT LLM_GENERATE('x') AS a, {column} AS odd")
    for one in (relation, rows(con, f"SELECT {column} AS odd")):
        with pytest.raises(BindError, match=f"the column odd has values of type {lacking}"):
            one.pl()
    assert con.total_stats.calls_run == 0
    assert rows(con, "SELECT MAP {'a': [1]} AS m, uuid() AS u, NULL AS n").pl().width == 3


def test_arrays_of_numpy_are_tables(con: Connection) -> None:
    named = {"a": numpy.array([1, 2]), "b": numpy.array(["x", "y"], dtype=object)}
    listed = [numpy.array([1, 2]), numpy.array([3, 4])]
    assert len(named) == len(listed)
    for name in ("named", "listed"):
        plain = con.sql(f"FROM {name}")
        asked = con.sql(f"SELECT *, LLM_GENERATE('x') FROM {name}")
        assert plain is not None
        assert asked is not None
        assert [r[:-1] for r in asked.fetchall()] == plain.fetchall()
