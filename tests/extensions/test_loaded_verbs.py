"""`heliumql.load`: the verbs in plain statements of an unmodified DuckDB connection.

The same calls in HQL are found among the answers: so their messages, types and names are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import duckdb
import pytest

import heliumql
from heliumql.extensions.duckdb import LoadedConnection


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE t AS SELECT i AS id, 'text ' || i AS body FROM range(6) r(i)"
        )
        yield connection


@pytest.fixture
def hq(con: duckdb.DuckDBPyConnection) -> Iterator[LoadedConnection]:
    with heliumql.load(con) as loaded:
        loaded.execute("CREATE TEMP MODEL m WITH (engine = 'simulated')")
        yield loaded


SAME = [
    ("llm_generate('On ' || body)", "LLM_GENERATE('On {body}')"),
    (
        "llm_generate(body, system := 'Be brief ' || id)",
        "LLM_GENERATE(body, system => 'Be brief {id}')",
    ),
    (
        "llm_generate(body, history := [{'role': 'user', 'content': 'x' || id}], max_tokens := 9)",
        "LLM_GENERATE(body, history => [{'role': 'user', 'content': 'x' || id}], max_tokens => 9)",
    ),
    (
        "llm_generate(body, returns := 'DATE', seed := 3, temperature := 0.5, stop := ['a', 'b'])",
        "LLM_GENERATE(body, returns => 'DATE', seed => 3, temperature => 0.5, stop => ['a', 'b'])",
    ),
    (
        "llm_generate(body, returns := 'STRUCT(a ENUM(''x'', ''y''), b INTEGER[], \"C d\" DATE)')",
        "LLM_GENERATE(body, returns => 'STRUCT(a ENUM(''x'', ''y''), b INTEGER[], \"C d\" DATE)')",
    ),
    (
        "llm_generate(body, returns := 'DECIMAL(5,2)')",
        "LLM_GENERATE(body, returns => 'DECIMAL(5,2)')",
    ),
    ("llm_generate(body, returns := 'JSON')", "LLM_GENERATE(body, returns => 'JSON')"),
    ("llm_filter('Is it good? ' || body)", "LLM_FILTER('Is it good? {body}')"),
    ("llm_score(body || '?')", "LLM_SCORE('{body}?')"),
    ("llm_classify(body, ['plot', 'acting'])", "LLM_CLASSIFY(body, ['plot', 'acting'])"),
    (
        "llm_classify(body, {'a': 'it''s', 'b': '{}'}, 'Mind {braces}.', multi := true)",
        "LLM_CLASSIFY(body, {'a': 'it''s', 'b': '{}'}, 'Mind {{braces}}.', multi => true)",
    ),
    (
        "llm_classify(body, [{'label': 'a', 'description': 'x'}, {'label': 'b'}])",
        "LLM_CLASSIFY(body, [{'label': 'a', 'description': 'x'}, {'label': 'b'}])",
    ),
    (
        "llm_extract(body, {'director': 'Who?', 'year': 'When?'})",
        "LLM_EXTRACT(body, {'director': 'Who?', 'year': 'When?'})",
    ),
    ("llm_extract(body, ['Odd name'])", "LLM_EXTRACT(body, ['Odd name'])"),
    (
        "llm_extract(body, {'year': 'When?'}, returns := 'STRUCT(year INTEGER)')",
        "LLM_EXTRACT(body, {'year': 'When?'}, returns => 'STRUCT(year INTEGER)')",
    ),
    ("llm_embed(body)", "LLM_EMBED(body)"),
    ("llm_similarity(body, 'a joke')", "LLM_SIMILARITY(body, 'a joke')"),
]


@pytest.mark.parametrize(("plain", "hql"), SAME, ids=[p for p, _ in SAME])
def test_a_plain_call_is_the_call_of_hql(
    con: duckdb.DuckDBPyConnection, hq: LoadedConnection, plain: str, hql: str
) -> None:
    relation = con.sql(f"SELECT {plain} AS answer FROM t ORDER BY id")
    rows = relation.to_arrow_table()
    assert hq.plain_stats.calls_run >= 6
    full = hq.sql(f"SELECT {hql} AS answer FROM t ORDER BY id")
    assert full is not None
    table = full.arrow()
    assert table.to_pylist() == rows.to_pylist()
    assert table.schema.types == rows.schema.types
    assert full.stats.calls_run == 0


def test_what_hql_has_asked_is_not_asked_again(
    con: duckdb.DuckDBPyConnection, hq: LoadedConnection
) -> None:
    first = hq.sql("SELECT LLM_FILTER('Good? {body}') FROM t ORDER BY id")
    assert first is not None
    rows = first.fetchall()
    assert con.sql("SELECT llm_filter('Good? ' || body) FROM t ORDER BY id").fetchall() == rows
    assert (hq.plain_stats.calls_cached, hq.plain_stats.calls_run) == (6, 0)


def test_the_types_of_values(con: duckdb.DuckDBPyConnection, hq: LoadedConnection) -> None:
    relation = con.sql(
        "SELECT llm_generate(body) AS a, llm_filter(body) AS b, llm_score(body) AS c, "
        "llm_classify(body, ['a', 'b']) AS d, llm_classify(body, ['a', 'b'], multi := true) AS e, "
        "llm_extract(body, {'director': 'Who?'}).director AS f, llm_embed(body) AS g, "
        "llm_similarity(body, body) AS h, llm_generate(body, returns := 'STRUCT(n TINYINT)') AS i, "
        "llm_generate(body, returns := 'DECIMAL(5,2)') AS j FROM t LIMIT 1"
    )
    types = ["VARCHAR", "BOOLEAN", "DOUBLE", "VARCHAR", "VARCHAR[]", "VARCHAR", "FLOAT[]", "DOUBLE"]
    assert [str(t) for t in relation.types] == [*types, "STRUCT(n TINYINT)", "DECIMAL(5,2)"]
    assert hq.plain_stats.calls_run == 0  # binding asks nobody
    (row,) = relation.fetchall()
    assert isinstance(row[-1], Decimal)


def test_groups_are_asked_about_as_in_hql(
    con: duckdb.DuckDBPyConnection, hq: LoadedConnection
) -> None:
    grouped = con.sql("SELECT id % 2 AS k, llm_agg(body, 'Sum {up}.') FROM t GROUP BY k ORDER BY k")
    ordered = con.sql(
        "SELECT llm_agg_list(list(body ORDER BY id DESC) FILTER (id > 2), 'Count.', returns := "
        "'INTEGER') FROM t"
    )
    plain = [grouped.fetchall(), ordered.fetchall()]
    full = [
        hq.sql("SELECT id % 2 AS k, LLM_AGG(body, 'Sum {{up}}.') FROM t GROUP BY k ORDER BY k"),
        hq.sql(
            "SELECT LLM_AGG(body, 'Count.' ORDER BY id DESC, returns => 'INTEGER') "
            "FILTER (WHERE id > 2) FROM t"
        ),
    ]
    assert [r.fetchall() for r in full if r is not None] == plain
    assert sum(r.stats.calls_run for r in full if r is not None) == 0


def test_null_asks_nobody(con: duckdb.DuckDBPyConnection, hq: LoadedConnection) -> None:
    con.execute("CREATE TABLE nulls AS SELECT NULL::VARCHAR AS body FROM range(3)")
    calls = (
        "llm_generate(body), llm_filter(body), llm_classify(body, ['a', 'b']), llm_embed(body),"
        " llm_extract(body, ['a']), llm_similarity(body, body),"
        " llm_generate(body, returns := 'DATE')"
    )
    assert con.sql(f"SELECT {calls} FROM nulls LIMIT 1").fetchall() == [(None,) * 7]
    assert con.sql("SELECT llm_agg(body, 'Sum up.') FROM nulls").fetchall() == [(None,)]
    assert con.sql("SELECT llm_agg_list([], 'Sum up.')").fetchall() == [(None,)]
    assert con.sql("SELECT llm_generate(NULL)").fetchall() == [(None,)]
    assert hq.plain_stats.calls_asked == 0


def test_a_null_system_message_is_none(
    con: duckdb.DuckDBPyConnection, hq: LoadedConnection
) -> None:
    con.sql("SELECT llm_generate(body, system := CASE WHEN id < 3 THEN 'x' END) FROM t").fetchall()
    con.sql("SELECT llm_generate(body) FROM t").fetchall()
    assert hq.plain_stats.calls_run == 9


def test_options_may_differ_by_row(con: duckdb.DuckDBPyConnection, hq: LoadedConnection) -> None:
    hq.execute("CREATE TEMP MODEL other WITH (engine = 'simulated', seed = 7)")
    query = "SELECT id, llm_generate(body, model := CASE WHEN id % 2 = 0 THEN 'm' ELSE 'other' END)"
    rows = con.sql(f"{query} FROM t ORDER BY id").fetchall()
    apart = [
        con.sql(
            f"SELECT id, llm_generate(body, model := '{m}') FROM t WHERE id % 2 = {k}"
        ).fetchall()
        for k, m in enumerate(("m", "other"))
    ]
    assert rows == sorted(apart[0] + apart[1])
    assert hq.plain_stats.calls_run == 6


def test_relations_of_duckdb(con: duckdb.DuckDBPyConnection, hq: LoadedConnection) -> None:
    table = con.table("t")
    chosen = table.filter("llm_filter('Good? ' || body)").select("id")
    assert (
        chosen.fetchall()
        == con.sql("SELECT id FROM t WHERE llm_filter('Good? ' || body)").fetchall()
    )
    assert len(table.select("llm_generate(body) AS g").df()) == 6
    assert len(table.aggregate("llm_agg(body, 'Sum up.')").fetchall()) == 1


def test_where_calls_may_stand(con: duckdb.DuckDBPyConnection, hq: LoadedConnection) -> None:
    def ran(statement: str) -> int:
        before = hq.plain_stats.calls_run
        con.execute(statement).fetchall()
        return hq.plain_stats.calls_run - before

    assert ran("SELECT llm_generate('a' || body) AS g FROM t LIMIT 2") == 2
    assert ran("SELECT llm_generate('b' || body) AS g FROM t WHERE id < 3 AND g <> ''") == 3
    assert ran("SELECT * FROM t JOIN t AS u ON t.id = u.id AND llm_filter('c' || t.body)") == 6
    assert ran("SELECT id, llm_score('d' || body) AS s FROM t ORDER BY s DESC LIMIT 2") == 6
    assert ran("SELECT id, llm_generate('e' || body) AS g FROM t ORDER BY id LIMIT 2") == 2
    assert ran("SELECT CASE WHEN id < 2 THEN llm_generate('f' || body) END FROM t") == 2
    assert ran("SELECT llm_classify('g' || body, ['a', 'b']) AS k, count(*) FROM t GROUP BY k") == 6
    assert ran("SELECT list_transform(['h', 'i'], lambda x: llm_generate(x))") == 2
    assert ran("CREATE TABLE made AS SELECT llm_generate('j' || body) AS g FROM t") == 6
    assert ran("UPDATE made SET g = llm_generate('k' || g)") == 6
    assert ran("INSERT INTO made SELECT llm_generate('l' || body) FROM t") == 6
    assert ran("SELECT llm_generate(llm_generate('m' || body)) FROM t LIMIT 1") == 2
    assert ran("SELECT row_number() OVER (ORDER BY llm_score('n' || body)) FROM t") == 6
    con.execute("PREPARE p AS SELECT llm_generate('o' || body || $1) FROM t LIMIT 1")
    assert ran("EXECUTE p('x')") == 1


def test_explain_asks_nobody_about_rows(
    con: duckdb.DuckDBPyConnection, hq: LoadedConnection
) -> None:
    query = "SELECT llm_generate(body) AS g FROM t WHERE llm_filter(body || '?') AND g LIKE '%a%'"
    con.execute(f"EXPLAIN {query}").fetchall()
    con.sql(query).explain()
    assert hq.plain_stats.calls_asked == 0


MISTAKES: list[tuple[str, str, str]] = [
    ("llm_generate('Gist of {body}')", "{body} is not filled in here", "|| body ||"),
    ("llm_generate(body, system := 'You are {role}')", "{role} is not filled in", "sql()"),
    ("llm_generate(body, model := 'x')", "there is no model x", "models: m"),
    ("llm_generate(body, modl := 'x')", "does not support the supplied arguments", "model := NULL"),
    ("llm_generate(body, temperature := 'hot')", "temperature must be a number from 0", ""),
    ("llm_generate(body, on_error := 'stop')", "on_error must be 'null' or 'fail'", ""),
    ("llm_generate(body, returns := 'NUMBER')", "unknown answer type NUMBER", "mean NUMERIC?"),
    ("llm_generate(body, returns := body)", "must be a constant", ""),
    ("llm_classify(body, ['a'])", "give at least two", ""),
    ("llm_classify(body, ['a', 'a'])", "the label a is there twice", ""),
    ("llm_extract(body, 'who?')", "questions must be constant texts by field", "{'director'"),
    ("llm_extract(body, ['a'], returns := 'STRUCT(b DATE)')", "a has no type", "about a"),
    ("llm_agg(body)", "does not support the supplied arguments", "instruction"),
    ("llm_agg(body, 'x' ORDER BY id)", "is a Macro Function", ""),
]


@pytest.mark.parametrize(("call", "says", "hints"), MISTAKES, ids=[c for c, *_ in MISTAKES])
def test_mistakes_say_what_is_wrong(
    con: duckdb.DuckDBPyConnection, hq: LoadedConnection, call: str, says: str, hints: str
) -> None:
    with pytest.raises(duckdb.Error) as raised:
        con.sql(f"SELECT {call} FROM t").fetchall()
    assert says in str(raised.value)
    assert hints in str(raised.value)
    assert hq.plain_stats.calls_run == 0


def test_texts_with_braces_pass_where_rows_differ_or_when_told_to(
    con: duckdb.DuckDBPyConnection, hq: LoadedConnection
) -> None:
    rows: list[Any] = con.sql("SELECT llm_generate('{x} ' || body) FROM t").fetchall()
    assert len(rows) == 6
    assert heliumql.load(con, placeholders="keep") is hq
    assert con.sql("SELECT llm_generate('{x}')").fetchall() != [(None,)]
