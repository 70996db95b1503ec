"""Calls become SQL that DuckDB binds and that means what the language says."""

from __future__ import annotations

from typing import Any

import pytest
from desugaring import FORMS, Stub, context, core_of

from heliumql.errors import BindError
from heliumql.syntax import (
    CreateMacro,
    CreatePrompt,
    CreateView,
    desugar,
    desugar_macro,
    desugar_prompt,
    desugar_view,
    parse,
)
from heliumql.types import parse_type

TYPES = [
    "VARCHAR",
    "BOOLEAN",
    "INTEGER",
    "DOUBLE",
    "JSON",
    "ENUM('a','b')",
    "VARCHAR[]",
    "INTEGER[][]",
    'STRUCT(a INTEGER, "b c" VARCHAR[])',
    "STRUCT(a ENUM('x','y'))[]",
]


@pytest.mark.parametrize("text", FORMS)
def test_duckdb_binds_every_form(stub: Stub, text: str) -> None:
    stub.con.execute(f"EXPLAIN {core_of(text).text}").fetchall()


@pytest.mark.parametrize("text", FORMS)
def test_duckdb_prints_the_bound_plan_of_every_form(stub: Stub, text: str) -> None:
    stub.con.execute(f"EXPLAIN (SQL) {core_of(text).text}").fetchall()


@pytest.mark.parametrize("type_text", TYPES)
@pytest.mark.parametrize("columns", ["g.*", "g.messages", "g.llm.source", "g.*, g.messages, g.llm"])
def test_every_type_binds_as_a_table_and_as_a_value(
    stub: Stub, type_text: str, columns: str
) -> None:
    call = f"LLM_GENERATE('{{body}}' RETURNS {type_text})"
    table = core_of(f"SELECT {columns} FROM reviews, LATERAL {call} AS g")
    stub.con.execute(f"EXPLAIN (SQL) {table.text}").fetchall()
    value = core_of(f"SELECT {call} FROM reviews")
    stub.con.execute(f"EXPLAIN (SQL) {value.text}").fetchall()
    assert table.sites[0].returns == value.sites[0].returns == parse_type(type_text)


def test_a_placeholder_renders_as_the_column_cast_to_text(stub: Stub) -> None:
    stub.rows(
        "SELECT LLM_GENERATE('{r.id}, {\"Odd Name\"}, {author.name}, {r.author.name}')"
        " FROM reviews r"
    )
    assert [asked[1] for asked in stub.asked] == ["1, 7, Ann, Ann", "2, 8, Bob, Bob"]


def test_values_fill_numbered_placeholders(stub: Stub) -> None:
    stub.rows(
        "SELECT LLM_GENERATE('{1}-{0}-{1}', id + 1, upper(title), system => 'S{0}') FROM reviews"
    )
    assert [asked[1:3] for asked in stub.asked] == [("UP-2-UP", "S2"), ("DOWN-3-DOWN", "S3")]


def test_braces_are_only_placeholders_in_a_literal(stub: Stub) -> None:
    stub.rows("SELECT LLM_GENERATE('{{id}} {id}'), LLM_GENERATE('{id}' || '') FROM reviews LIMIT 1")
    assert {asked[1] for asked in stub.asked} >= {"{id} 1", "{id}"}


def test_a_null_placeholder_makes_the_prompt_null(stub: Stub) -> None:
    rows = stub.rows("SELECT LLM_GENERATE('See {text}') FROM reviews ORDER BY id")
    assert rows == [("<See T1>",), (None,)]


def test_a_lateral_template_reads_outer_columns_that_share_a_name_with_the_answer(
    stub: Stub,
) -> None:
    rows = stub.rows("SELECT g.text FROM reviews, LATERAL LLM_GENERATE('{text}') AS g ORDER BY id")
    assert rows == [("<T1>",), (None,)]


def test_system_and_history_reach_the_call(stub: Stub) -> None:
    stub.rows(
        "SELECT LLM_GENERATE('p', system => a.role,"
        " history => [{'role': 'user', 'content': agent}]) FROM agents a ORDER BY agent"
    )
    assert stub.asked == [
        (1, "p", "critic", [{"role": "user", "content": "a"}]),
        (1, "p", None, [{"role": "user", "content": "b"}]),
    ]


def test_typed_answers_are_values_of_their_type(stub: Stub) -> None:
    stub.answer = lambda prompt: '{"score": 3, "tags": ["x"]}'
    rows = stub.rows(
        "SELECT g.score + 1, g.tags[1] FROM reviews,"
        " LLM_GENERATE('{body}', returns => 'STRUCT(score INTEGER, tags VARCHAR[])') g"
    )
    assert rows == [(4, "x"), (4, "x")]


def test_a_typed_prompt_ends_with_the_form_of_the_answer(stub: Stub) -> None:
    stub.answer = lambda prompt: "true"
    assert stub.rows("SELECT LLM_FILTER('Good? {body}') FROM reviews WHERE id = 1") == [(True,)]
    assert stub.asked[0][1] == "Good? good\nAnswer true or false."


def test_a_list_gives_a_row_per_element_null_one_row_and_empty_none(stub: Stub) -> None:
    answers = {"good": '[{"q": "a"}, {"q": "b"}]', "bad": "[]"}
    stub.answer = lambda prompt: answers.get((prompt or "").split("\n")[0])
    call = "LLM_GENERATE('{body}', returns => 'STRUCT(q VARCHAR)[]') AS g"
    assert stub.rows(f"SELECT id, g.q FROM reviews, {call}") == [(1, "a"), (1, "b")]
    del answers["bad"]
    assert stub.rows(f"SELECT id, g.q FROM reviews, {call}") == [(1, "a"), (1, "b"), (2, None)]


@pytest.mark.parametrize("answer", ["[]", None])
@pytest.mark.parametrize(
    "join",
    [
        "LEFT JOIN LATERAL {} AS g ON TRUE",
        "LEFT OUTER JOIN {} g(q) ON TRUE",
        "LEFT JOIN {} AS g ON TRUE WHERE id > 0",
        "LEFT JOIN {} AS g ON TRUE CROSS JOIN (SELECT 1)",
        "LEFT JOIN {} AS g ON TRUE AND 1 = 1",
        "LEFT JOIN {} AS g ON id > 0",
    ],
)
def test_left_join_keeps_rows_without_elements(stub: Stub, join: str, answer: str | None) -> None:
    stub.answer = lambda prompt: answer if (prompt or "")[:3] == "bad" else '[{"q": "a"}]'
    call = "LLM_GENERATE('{body}', returns => 'STRUCT(q VARCHAR)[]')"
    core = core_of(f"SELECT id, g.q FROM reviews {join.format(call)}")
    rows = stub.con.execute(core.text).fetchall()
    assert sorted(rows) == [(1, "a"), (2, None)]
    plan = str(stub.con.execute(f"EXPLAIN (SQL) {core.text}").fetchall())
    simple = "ON TRUE" in join and "AND" not in join
    assert ("__duckdb_delim" in plan) is not simple


def test_a_left_join_that_tells_rows_apart_is_kept(stub: Stub) -> None:
    rows = stub.rows("SELECT id, g.text FROM reviews LEFT JOIN LLM_GENERATE('{id}') g ON id > 1")
    assert sorted(rows) == [(1, None), (2, "<2>")]
    none = "(SELECT body FROM reviews WHERE FALSE)"
    over = f"FROM reviews LEFT JOIN LLM_GENERATE({none}, prompt => '{{body}}') g ON TRUE"
    assert sorted(stub.rows(f"SELECT id, g.text {over}")) == [(1, None), (2, None)]


@pytest.mark.parametrize("type_text", TYPES)
def test_duckdb_keeps_a_lateral_call_once_and_without_a_join(stub: Stub, type_text: str) -> None:
    call = f"LLM_GENERATE('{{body}}' RETURNS {type_text})"
    for join in (f", LATERAL {call} g", f"LEFT JOIN {call} g ON TRUE"):
        core = core_of(f"SELECT id, g.* FROM reviews {join}")
        ((_, plan),) = stub.con.execute(f"EXPLAIN (SQL) {core.text}").fetchall()
        assert "__duckdb_delim" not in plan
        assert plan.count("__hql_llm") == 1


def test_a_list_with_messages_keeps_its_order(stub: Stub) -> None:
    stub.answer = lambda prompt: '["a", "b", "c"]'
    call = "LLM_GENERATE(LLM_GENERATE('{body}') RETURNS VARCHAR[])"
    core = core_of(f"SELECT id, g.text, len(g.messages) FROM reviews, {call} AS g")
    rows = stub.con.execute(core.text).fetchall()
    assert rows == [(i, text, 2) for i in (1, 2) for text in "abc"]
    assert [site.number for site in core.sites] == [1, 2]


def test_messages_are_what_was_sent_and_the_reply(stub: Stub) -> None:
    ((messages,),) = stub.rows(
        "SELECT g.messages FROM LLM_GENERATE('p', system => 'new', history =>"
        " [{'role': 'system', 'content': 'old'}, {'role': 'user', 'content': 'before'}]) g"
    )
    assert messages == [
        {"role": "system", "content": "new"},
        {"role": "user", "content": "before"},
        {"role": "user", "content": "p"},
        {"role": "assistant", "content": "<p>"},
    ]


@pytest.mark.parametrize(
    ("arguments", "roles"),
    [
        ("'p'", ["user", "assistant"]),
        ("'p', system => 's'", ["system", "user", "assistant"]),
        ("'p', system => lower(NULL)", ["user", "assistant"]),
        ("'p', history => NULL", ["user", "assistant"]),
        (
            "'p', history => CAST(NULL AS STRUCT(role VARCHAR, content VARCHAR)[])",
            ["user", "assistant"],
        ),
        ("'p', history => [{'role': 'system', 'content': 'h'}]", ["system", "user", "assistant"]),
        (
            "'p', system => lower(NULL), history => [{'role': 'system', 'content': 'h'}]",
            ["system", "user", "assistant"],
        ),
    ],
)
def test_messages_without_system_or_history(stub: Stub, arguments: str, roles: list[str]) -> None:
    rows: Any = stub.rows(f"SELECT g.messages FROM LLM_GENERATE({arguments}) g")
    assert [message["role"] for message in rows[0][0]] == roles


def test_the_reply_of_a_failed_call_is_null_in_its_messages(stub: Stub) -> None:
    stub.answer = lambda prompt: None
    rows: Any = stub.rows("SELECT g.messages FROM LLM_GENERATE('p') g")
    assert rows[0][0][-1] == {"role": "assistant", "content": None}


def test_diagnostics_come_as_a_struct(stub: Stub) -> None:
    core = core_of("SELECT g.llm.source, g.llm.output_tokens, g.text FROM LLM_GENERATE('p') g")
    assert core.sites[0].diagnostics
    assert stub.con.execute(core.text).fetchall() == [("engine", 7, "<p>")]
    assert not core_of("SELECT g.text FROM LLM_GENERATE('p') g").sites[0].diagnostics


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("SELECT * FROM reviews, LLM_GENERATE('x') g", False),
        ("SELECT g.MESSAGES FROM LLM_GENERATE('x') AS g", True),
        ("SELECT messages FROM LLM_GENERATE('x')", True),
        ("SELECT 1 AS messages FROM LLM_GENERATE('x') g", False),
        ("SELECT other.messages FROM other, LLM_GENERATE('x') g", False),
        ("FROM a, LLM_GENERATE('x', history => messages) g", False),
        ("FROM LLM_GENERATE('x') g, LLM_GENERATE('y', history => g.messages) h", True),
        ("FROM LLM_GENERATE('x') g, LLM_GENERATE('{g.messages}') h", True),
        ("SELECT (SELECT g.messages) FROM LLM_GENERATE('x') g", True),
        ("WITH a AS (SELECT messages FROM t) SELECT * FROM LLM_GENERATE('x') g", False),
        ("SELECT * FROM LLM_GENERATE('x') g UNION ALL BY NAME SELECT 'messages'", False),
    ],
)
def test_messages_are_a_column_only_where_they_are_named(text: str, named: bool) -> None:
    first = core_of(text).text
    assert ("__messages AS messages" in first) is named


def test_a_renamed_answer(stub: Stub) -> None:
    rows = stub.rows("SELECT g.said FROM LLM_GENERATE('p') AS g(said)")
    assert rows == [("<p>",)]


def test_table_in_table_out_keeps_the_columns_of_the_input(stub: Stub) -> None:
    core = core_of(
        "SELECT * FROM LLM_GENERATE((SELECT id, body AS b FROM reviews), prompt => '{b}')"
    )
    cursor = stub.con.execute(core.text)
    assert [column[0] for column in cursor.description or ()] == ["id", "b", "text"]
    assert cursor.fetchall() == [(1, "good", "<good>"), (2, "bad", "<bad>")]


def test_text_outside_of_calls_is_kept_character_for_character() -> None:
    before, after = "SELECT /* é; */ 'a''b' ,\n\t", " -- {x}\n FROM reviews /* end */ WHERE  1=1"
    core = core_of(before + "LLM_GENERATE('x')" + after)
    assert core.text.startswith(before)
    assert core.text.endswith(after)


def test_options_of_a_call_are_kept_as_given() -> None:
    (site,) = core_of(
        "SELECT LLM_GENERATE('A {x}', model => 'Qwen', MAX_TOKENS => 5, temperature := 0.5,"
        " top_p => 1, seed => -7, stop => ['a', 'b'], n => 1,"
        " retries => 0, on_error => 'FAIL', cache => 'off')"
    ).sites
    assert (site.model, site.max_tokens, site.temperature, site.top_p) == ("Qwen", 5, 0.5, 1.0)
    assert (site.seed, site.stop, site.sample, site.retries) == (-7, ("a", "b"), 0, 0)
    assert (site.on_error, site.cache, site.template) == ("fail", "off", "A {x}")


def test_options_that_are_not_given_or_null_stay_open() -> None:
    (site,) = core_of(
        "SELECT LLM_GENERATE(upper('x'), seed => NULL, stop => NULL, model => NULL)"
    ).sites
    assert (site.model, site.max_tokens, site.temperature, site.seed, site.stop) == (None,) * 5
    assert (site.retries, site.on_error, site.cache, site.template) == (None,) * 4


def test_sites_are_numbered_in_order_and_named_for_display() -> None:
    core = core_of(
        "SELECT LLM_GENERATE(LLM_GENERATE('a')), LLM_FILTER('b') FROM LLM_GENERATE('c') AS Gist"
    )
    assert [site.number for site in core.sites] == [1, 2, 3, 4]
    assert [site.name for site in core.sites] == [
        "LLM_GENERATE#1",
        "LLM_GENERATE#2",
        "LLM_FILTER#3",
        "Gist",
    ]


def test_spans_of_sites_point_into_the_file() -> None:
    file = "SELECT 1;\n  SELECT LLM_GENERATE('x', model => 'm')"
    core = desugar(parse(file)[1].text, context(parse(file)[1]))
    site = core.sites[0]
    assert file[site.span.start : site.span.end] == "LLM_GENERATE('x', model => 'm')"
    assert site.model_span is not None
    assert file[site.model_span.start : site.model_span.end] == "'m'"


def test_a_prompt_is_a_value_and_a_table(stub: Stub) -> None:
    stub.answer = lambda prompt: '{"verdict": "ok", "score": 3}'
    (create,) = parse(
        "CREATE PROMPT critic(draft VARCHAR, depth INTEGER)"
        " RETURNS STRUCT(verdict VARCHAR, score INTEGER)"
        " WITH (model = 'q', system = 'Depth {depth}', max_tokens = 9) AS $$Criticize: {draft}$$"
    )
    assert isinstance(create, CreatePrompt)
    core = desugar_prompt(create, context())
    stub.con.execute(core.scalar)
    stub.con.execute(core.table)
    (site,) = core.sites
    assert (site.name, site.model, site.max_tokens) == ("critic", "q", 9)
    run = stub.con.execute
    assert run("SELECT critic(body, id).score FROM reviews").fetchall() == [(3,), (3,)]
    lateral = "SELECT id, c.verdict FROM reviews r, LATERAL critic(r.body, r.id) c"
    assert run(lateral).fetchall() == [(1, "ok"), (2, "ok")]
    left = "SELECT id, c.score FROM reviews r LEFT JOIN critic(r.body || '!', 1) c ON TRUE"
    assert run(left).fetchall() == [(1, 3), (2, 3)]
    assert run("SELECT * FROM critic('x', 0)").fetchall() == [("ok", 3)]
    prompt = (stub.asked[0][1] or "").split("\n")[0]
    assert (prompt, stub.asked[0][2]) == ("Criticize: good", "Depth 1")


@pytest.mark.parametrize("type_text", TYPES)
def test_a_prompt_of_every_type_binds_over_columns(stub: Stub, type_text: str) -> None:
    (create,) = parse(
        f'CREATE PROMPT p(a, "o p" STRUCT(name VARCHAR)) RETURNS {type_text}'
        " AS '{a} {\"o p\".name}'"
    )
    assert isinstance(create, CreatePrompt)
    core = desugar_prompt(create, context())
    stub.con.execute(core.scalar)
    stub.con.execute(core.table)
    stub.con.execute("EXPLAIN (SQL) SELECT * FROM reviews r, p(r.text, r.author) AS g").fetchall()
    stub.con.execute("EXPLAIN (SQL) SELECT p(text, author) FROM reviews").fetchall()


def test_views_and_macros_with_calls(stub: Stub) -> None:
    view, macro, table, overloaded = parse(
        """CREATE VIEW main.v(x) AS SELECT LLM_GENERATE('{body}') FROM reviews;
        CREATE MACRO m(a, b := 2) AS LLM_GENERATE('{a}/{b}');
        CREATE MACRO t(a) AS TABLE SELECT * FROM LLM_GENERATE('{a}');
        CREATE MACRO o(a) AS LLM_GENERATE('one {a}'), (a, b) AS LLM_GENERATE('two {a} {b}')"""
    )
    assert isinstance(view, CreateView)
    stub.con.execute(desugar_view(view, context()).text)
    assert stub.con.execute("SELECT x FROM v").fetchall() == [("<good>",), ("<bad>",)]
    for create in (macro, table, overloaded):
        assert isinstance(create, CreateMacro)
        stub.con.execute(desugar_macro(create, context()).text)
    one = "SELECT m(id, b := 3), o(1), o(1, 2) FROM reviews WHERE id = 1"
    assert stub.con.execute(one).fetchall() == [("<1/3>", "<one 1>", "<two 1 2>")]
    lateral = "SELECT text_1 FROM (SELECT g.text AS text_1 FROM reviews r, t(r.body) g)"
    assert stub.con.execute(lateral).fetchall() == [("<good>",), ("<bad>",)]


def test_a_recursive_view_stays_recursive(stub: Stub) -> None:
    (view,) = parse(
        "CREATE RECURSIVE VIEW r(n, t) AS SELECT 1, 'a' UNION ALL"
        " SELECT n + 1, LLM_GENERATE('{t}') FROM r WHERE n < 3"
    )
    assert isinstance(view, CreateView)
    stub.con.execute(desugar_view(view, context()).text)
    assert stub.con.execute("SELECT t FROM r").fetchall() == [("a",), ("<a>",), ("<<a>>",)]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("CREATE TABLE t (a VARCHAR CHECK (LLM_FILTER('{a}')))", "CHECK"),
        ("CREATE TABLE t (a INT, b VARCHAR DEFAULT LLM_GENERATE('x'))", "DEFAULT"),
        (
            "CREATE TABLE t (a VARCHAR, b VARCHAR GENERATED ALWAYS AS (LLM_GENERATE('{a}')))",
            "generated",
        ),
        ("CREATE TABLE t (a VARCHAR, b VARCHAR AS (LLM_GENERATE('{a}')))", "generated"),
        ("CREATE OR REPLACE TEMP TABLE t (a VARCHAR CHECK (LLM_FILTER('{a}')))", "CHECK"),
        ("CREATE INDEX i ON t (LLM_GENERATE('{a}'))", "index"),
        ("CREATE UNIQUE INDEX i ON t (LLM_GENERATE('{a}'))", "index"),
        ("ALTER TABLE t ADD COLUMN b VARCHAR DEFAULT LLM_GENERATE('x')", "DEFAULT"),
        ("ALTER TABLE t ALTER a TYPE INT USING LLM_GENERATE('{a}')", "definition"),
    ],
)
def test_definitions_refuse_calls(text: str, where: str) -> None:
    with pytest.raises(BindError, match=where) as raised:
        core_of(text)
    span = raised.value.span
    assert span is not None
    assert text[span.start : span.end].startswith("LLM_")
