"""Statements for DuckDB with Flock, and MotherDuck's prompt: the HQL written for them, and rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from ways import ALL, MODES

import heliumql
from heliumql.connection import Connection
from heliumql.dialects import translated
from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import ScriptedAnswer, SimulatedEngine
from heliumql.errors import BindError, ParseError
from heliumql.formatting import formatted
from heliumql.syntax import LlmSql, parse

M = "{'model_name': 'm'}"
SCHEMA = '{"type": "object", "properties": {"a": {"type": "string"}}}'
STRUCT = SCHEMA.replace('"', "'")
FORMAT = (
    '{"response_format": {"type": "json_schema", "json_schema": {"name": "x", "strict": true,'
    f' "schema": {SCHEMA}}}}}}}'
)
TWO = "[{'data': title}, {'data': n}]"
BOTH = (
    "coalesce(CAST(title AS VARCHAR), CASE WHEN n IS NOT NULL THEN 'NULL' END)",
    "coalesce(CAST(n AS VARCHAR), 'NULL')",
)

# Expressions: how they stand in the text, and in HQL.
FLOCK = {
    f"llm_complete({M}, {{'prompt': 'Say {{hi}}'}})": "LLM_GENERATE('Say {{hi}}', model => 'm')",
    f"LLM_Complete({M}, {{'prompt': 'It''s', 'context_columns': [{{'data': body}}]}})": (
        "LLM_GENERATE('It''s\n\nbody: {body}', model => 'm')"
    ),
    f"llm_complete({M}, {{'prompt': 'Gist', 'context_columns': [{{'data': t.body, 'name': 'x',"
    " 'type': 'tabular'}]})": "LLM_GENERATE('Gist\n\nx: {t.body}', model => 'm')",
    f"llm_complete({M}, {{'prompt': 'About {{{{ x }}}}, {{x}} and {{y}}', 'context_columns':"
    " [{'data': body, 'name': 'x'}]})": (
        "LLM_GENERATE('About {body}, {body} and {{y}}', model => 'm')"
    ),
    f"llm_complete({M}, {{'prompt': 'P', 'context_columns': [{{'data': upper(body)}}]}})": (
        "LLM_GENERATE('P\n\ncolumn 1: {0}', upper(body), model => 'm')"
    ),
    f"llm_complete({M}, {{'prompt': 'P', 'context_columns': [{{'data': \"My Text\"}}]}})": (
        "LLM_GENERATE('P\n\nMy Text: {0}', \"My Text\", model => 'm')"
    ),
    f"llm_complete({M}, {{'prompt': 'P', 'context_columns': [{{'data': current_date}}]}})": (
        "LLM_GENERATE('P\n\ncolumn 1: {0}', current_date, model => 'm')"
    ),
    f"llm_complete({M}, {{'prompt': 'P {{n}}', 'context_columns': {TWO}}})": (
        f"LLM_GENERATE('P {{1}}\n\ntitle: {{0}}', {BOTH[0]}, {BOTH[1]}, model => 'm')"
    ),
    f"llm_complete({M}, {{'prompt': 'P', 'context_columns': [{{'data': n}}, {{'data': f(x)}}]}})": (
        "LLM_GENERATE('P\n\nn: {0}\ncolumn 2: {1}', coalesce(CAST(n AS VARCHAR), 'NULL'),"
        " coalesce(CAST(f(x) AS VARCHAR), CASE WHEN n IS NOT NULL THEN 'NULL' END), model => 'm')"
    ),
    f"llm_complete({M}, {{'prompt': 'P'}}, {{'title': title, 'kind': 'a {{b}}'}})": (
        "LLM_GENERATE('P\n\ntitle: {0}\nkind: {1}', coalesce(CAST(title AS VARCHAR), 'NULL'),"
        " 'a {b}', model => 'm')"
    ),
    "llm_complete({'model_name': 'gpt-4o', 'secret_name': 's', 'max_batch_size': 4, 'is_async':"
    " false, 'tuple_format': 'XML', 'model_parameters': '{\"temperature\": 0.5, \"num_predict\":"
    " 9, \"stop\": [\"a\"]}'}, {'prompt': 'P'})": (
        "LLM_GENERATE('P', model => 'gpt-4o', temperature => 0.5, max_tokens => 9, stop => ['a'])"
    ),
    f"llm_complete({{'model_name': 'm', 'model_parameters': '{FORMAT}'}}, {{'prompt': 'P'}})": (
        "CAST(LLM_GENERATE('P', model => 'm', returns => 'STRUCT(a VARCHAR)') AS JSON)"
    ),
    f"llm_complete({{'model_name': 'm', 'model_parameters': {{'format': {STRUCT}}}}},"
    " {'prompt': 'P'}).a": (
        "CAST(LLM_GENERATE('P', model => 'm', returns => 'STRUCT(a VARCHAR)') AS JSON).a"
    ),
    f"llm_complete_json({M}, {{'prompt': 'P'}})": (
        "LLM_GENERATE('P', model => 'm', returns => 'JSON')"
    ),
    f"llm_embedding({M}, {{'context_columns': [{{'data': a.x}}, {{'data': 'k'}}]}})": (
        "LLM_EMBED(coalesce(CAST(a.x AS VARCHAR), 'NULL') || ' ' || 'k', model => 'm')"
    ),
    f"llm_complete({M}, {{'prompt': 'P {{x}}', 'context_columns': [{{'data': a.x}}, {{'data': b.x}}"
    "]})": (
        "LLM_GENERATE('P {0}\n\nb.x: {1}', coalesce(CAST(a.x AS VARCHAR), CASE WHEN b.x IS NOT NULL"
        " THEN 'NULL' END), coalesce(CAST(b.x AS VARCHAR), 'NULL'), model => 'm')"
    ),
    f"llm_filter({M}, {{'prompt': 'Red?', 'context_columns': [{{'data': c}}]}})": (
        "LLM_FILTER('Red?\n\nc: {c}', model => 'm')"
    ),
    f"llm_embedding({M}, {{'context_columns': [{{'data': body}}]}})": (
        "LLM_EMBED(body, model => 'm')"
    ),
    f"llm_embedding({M}, {{'context_columns': [{{'data': 'a {{b}}'}}]}})": (
        "LLM_EMBED('a {{b}}', model => 'm')"
    ),
    f"llm_embedding({M}, {{'context_columns': {TWO}}})": (
        f"LLM_EMBED({BOTH[0]} || ' ' || {BOTH[1]}, model => 'm')"
    ),
    f"llm_reduce({M}, {{'prompt': 'Sum {{up}}', 'context_columns': [{{'data': body}}]}})": (
        "LLM_AGG(body, 'Sum {{up}}', model => 'm')"
    ),
    f"llm_reduce({M}, {{'prompt': 'Sum {{x}}', 'context_columns':"
    " [{'data': b, 'name': 'x'}]})": (
        "LLM_AGG('x: ' || CAST(b AS VARCHAR), 'Sum {{x}}', model => 'm')"
    ),
    f"llm_reduce({M}, {{'prompt': 'S', 'context_columns': {TWO}}} ORDER BY id, n DESC)"
    " FILTER (WHERE id > 1)": (
        f"LLM_AGG('title: ' || {BOTH[0]} || '\nn: ' || {BOTH[1]}, 'S', model => 'm'"
        " ORDER BY id, n DESC) FILTER (WHERE id > 1)"
    ),
    f"llm_complete({M}, {{'prompt': 'P', 'context_columns': [{{'data': "
    f"llm_complete({M}, {{'prompt': 'Q'}}), 'name': 'q'}}]}})": (
        "LLM_GENERATE('P\n\nq: {0}', LLM_GENERATE('Q', model => 'm'), model => 'm')"
    ),
    f"CASE WHEN llm_filter({M}, {{'prompt': 'P'}}) THEN [abs(llm_embedding({M},"
    " {'context_columns': [{'data': b}]})[1])] END": (
        "CASE WHEN LLM_FILTER('P', model => 'm') THEN [abs(LLM_EMBED(b, model => 'm')[1])] END"
    ),
    "LLM_FILTER('Is {x} red?')": "LLM_FILTER('Is {x} red?')",
}
MOTHERDUCK = {
    "prompt('Say {hi}')": "LLM_GENERATE('Say {{hi}}')",
    "prompt(body || '{x}', model := 'gpt-4o', temperature => 0.1)": (
        "LLM_GENERATE(body || '{x}', model => 'gpt-4o', temperature => 0.1)"
    ),
    "prompt('P', return_type := 'INTEGER')": "LLM_GENERATE('P', returns => 'INTEGER')",
    "prompt('P', struct := {a: 'VARCHAR', 'My b': 'INTEGER[]'})": (
        "LLM_GENERATE('P', returns => 'STRUCT(a VARCHAR, \"my b\" INTEGER[])')"
    ),
    "prompt(body, struct := {a: 'VARCHAR'}, struct_descr := {a: 'one {a}'}).a": (
        "LLM_GENERATE('{0}\n\na: one {{a}}', body, returns => 'STRUCT(a VARCHAR)').a"
    ),
    f'prompt(\'P\', json_schema := \'{{"name": "x", "schema": {SCHEMA}}}\')': (
        "CAST(LLM_GENERATE('P', returns => 'STRUCT(a VARCHAR)') AS JSON)"
    ),
}
CALLS = FLOCK | MOTHERDUCK


@pytest.mark.parametrize("source", CALLS)
def test_calls_become_verbs(source: str) -> None:
    around = "select /* of {0} */ x,\n  {0} AS y -- as\nfrom   T"
    made = translated(around.replace("{0}", source, 2), "flock")
    assert made == around.replace("{0}", source, 1).replace("{0}", CALLS[source])
    (statement,) = parse(made)
    assert isinstance(statement, LlmSql)
    assert formatted(made)


STATEMENTS = {
    "CREATE MODEL('gpt', 'gpt-4o', 'openai')": (
        "CREATE MODEL gpt WITH (engine = 'openai', model = 'gpt-4o')"
    ),
    "create local model('Big', 'llama3', 'ollama', {\"tuple_format\": \"JSON\", \"batch_size\": 8,"
    ' "rate_limit": 30, "model_parameters": {"temperature": 0.2, "max_tokens": 7}})': (
        "CREATE MODEL \"Big\" WITH (engine = 'openai', base_url = 'http://localhost:11434/v1',"
        " model = 'llama3', requests_per_minute = 30, temperature = 0.2, max_tokens = 7)"
    ),
    "UPDATE MODEL('m', 'gpt-4o', 'openai')": (
        "CREATE OR REPLACE MODEL m WITH (engine = 'openai', model = 'gpt-4o')"
    ),
    "GET MODELS": "SHOW MODELS",
    "GET MODEL 'm'": "DESCRIBE MODEL m",
    "DELETE MODEL 'my-m'": 'DROP MODEL IF EXISTS "my-m"',
    "CREATE PROMPT('p', 'Say {it}')": "CREATE PROMPT p() AS 'Say {{it}}'",
    "UPDATE PROMPT('p', 'Say')": "CREATE OR REPLACE PROMPT p() AS 'Say'",
    "GET PROMPTS": "SHOW PROMPTS",
    "GET PROMPT 'p'": "DESCRIBE PROMPT p",
    "DELETE PROMPT 'p'": "DROP PROMPT IF EXISTS p",
}


@pytest.mark.parametrize("source", STATEMENTS)
def test_statements_become_those_of_hql(source: str) -> None:
    made = translated(f"-- first\n{source} ; select 1", "flock")
    assert made == f"-- first\n{STATEMENTS[source]} ; select 1"
    assert not isinstance(parse(made)[0], LlmSql)
    assert type(parse(made)[0]).__name__ != "Sql"


KEPT = [
    "SELECT 'llm_complete(' AS a, 7 // 2, [1, 2][1], {'a': 1}.a, $$GET MODELS$$; ; SELECT 2",
    "CREATE TABLE prompt (a INTEGER); INSERT INTO prompt (a) VALUES (1)",
    "WITH a AS (SELECT 1), prompt (x) AS (SELECT 2) FROM prompt AS prompt (y)",
    "CREATE INDEX i ON prompt (a); SELECT s.prompt('a'), prompt FROM s.prompt (a)",
    "CREATE MACRO llm_complete(a, b) AS a || b; UPDATE model SET a = 1; LOAD json",
    "CREATE MODEL m WITH (engine = 'simulated'); CREATE PROMPT p(x VARCHAR) AS 'Say {x}'",
    "SELECT LLM_GENERATE('{x}', returns => 'INTEGER') FROM t; SHOW MODELS",
    "CREATE SECRET s (TYPE s3, KEY_ID 'openai')",
]


@pytest.mark.parametrize("text", KEPT)
def test_all_else_stays_character_by_character(text: str) -> None:
    assert translated(text, "flock") == text


def test_the_extension_itself_is_not_needed() -> None:
    text = "INSTALL flock FROM community;\nLOAD flock;\nSELECT 1;\n"
    assert translated(text, "flock") == "\n\nSELECT 1;\n"
    assert translated("load flockmtl", "flock") == ""


def test_prompts_that_the_text_has_made_stand_in_their_calls() -> None:
    def call(which: str) -> str:
        return f"SELECT llm_complete({M}, {{{which}, 'context_columns': [{{'data': x}}]}})"

    made = "CREATE PROMPT('p-1', 'One {x}'); UPDATE PROMPT('p-1', 'Two');"
    newest = call("'prompt_name': 'p-1'")
    latest = translated(made + newest, "flock")
    assert latest.endswith("SELECT LLM_GENERATE('Two\n\nx: {x}', model => 'm')")
    first = translated(made + call("'prompt_name': 'p-1', 'version': 1"), "flock")
    assert first.endswith("SELECT LLM_GENERATE('One {x}', model => 'm')")
    for text, message, hint in [
        (made + call("'prompt_name': 'p-1', 'version': 3"), "no such version", "1 to 2"),
        (made + call("'prompt_name': 'p-2'"), "made no prompt p-2", "did you mean p-1"),
        (f"{made} DELETE PROMPT 'p-1'; {newest}", "made no prompt p-1", "CREATE PROMPT('p-1'"),
        (newest, "made no prompt p-1", "CREATE PROMPT('p-1', '..') before"),
    ]:
        with pytest.raises(BindError, match=message) as caught:
            translated(text, "flock")
        assert hint in (caught.value.hint or "")


# What is wrong, the part of it that the caret stands under, the message, the hint.
C = "'context_columns': [{'data': x}]"
REFUSED = [
    (f"SELECT llm_complete({M})", "llm_complete", "takes a model and a prompt", "'prompt'"),
    ("SELECT llm_complete('m', {'prompt': 'P'})", "'m'", "written out as a struct", "{'key'"),
    ("SELECT llm_complete({'model': 'm'}, {'prompt': 'P'})", "{'model'", "needs model_name", ""),
    (f"SELECT llm_complete({{'model_name': x}}, {{{C}}})", "x}", "model_name must be a con", ""),
    (f"SELECT llm_complete({M}, {{'promt': 'P'}})", "{'promt'", "needs prompt or prompt_name", ""),
    (f"SELECT llm_complete({M}, {{'prompt': x}})", "x}", "prompt must be a constant", ""),
    (f"SELECT llm_complete({M}, {{'prompt': ''}})", "''", "the prompt is empty", ""),
    (f"SELECT llm_complete({M}, {{'prompt': 'P', 'conttext_columns': []}})", "'conttext",
     "has no conttext_columns", "did you mean context_columns"),
    (f"SELECT llm_complete({M}, {{'prompt': 'P', 'prompt': 'Q'}})", "'prompt': 'Q'", "twice", ""),
    (f"SELECT llm_complete({M}, {{'prompt': 'P', 'context_columns': x}})", "x}", "as a list", "["),
    (f"SELECT llm_complete({M}, {{'prompt': 'P', 'context_columns': [{{'dat': x}}]}})", "{'dat'",
     "needs data", ""),
    (f"SELECT llm_filter({M}, {{'prompt': 'P', 'context_columns': [{{'data': x, 'typ': 'a'}}]}})",
     "'typ'", "has no typ", "did you mean type"),
    (f"SELECT llm_filter({M}, {{'prompt': 'P', 'context_columns': [{{'data': x, 'type': 'image'}}"
     "]})", "'image'", "image in a context column", "texts"),
    (f"SELECT llm_complete({M}, {{'prompt': 'P', 'context_columns': [{{'data': x, 'type': 'audio',"
     " 'transcription_model': 'w'}]})", "'audio'", "audio in a context column", "texts"),
    ("SELECT llm_complete({'model_name': 'm', 'rate_limit': 3}, {'prompt': 'P'})", "'rate_limit'",
     "rate_limit", "requests_per_minute"),
    ("SELECT llm_complete({'model_name': 'm', 'usage_limit': {'a': 3}}, {'prompt': 'P'})",
     "'usage_limit'", "usage_limit", "llm_max_tokens"),
    ("SELECT llm_complete({'model_name': 'm', 'model_parameters': '{\"top_k\": 3}'},"
     " {'prompt': 'P'})", "'{\"top_k", "the parameter top_k", "top_p"),
    ("SELECT llm_complete({'model_name': 'm', 'model_parameters': '{'}, {'prompt': 'P'})", "'{'",
     "not JSON", ""),
    (f"SELECT llm_filter({M}, {{'prompt': 'P', 'threshold': 0.5}})", "'threshold'", "threshold",
     "LLM_SCORE"),
    (f"SELECT llm_filter({M}, {{'prompt': 'P', 'context_columns': [{{'data': x, 'name': 'a'}},"
     " {'data': y + 1, 'name': 'a'}]})", "{'data': y", "two context columns are named a", "'name'"),
    (f"SELECT llm_embedding({M}, {{'context_columns': []}})", "{'context", "needs context_col", ""),
    (f"SELECT llm_reduce({M}, {{'prompt': 'P'}})", "{'prompt'", "needs context_columns", ""),
    (f"SELECT llm_rerank({M}, {{'prompt': 'P', {C}}})", "llm_rerank", "llm_rerank of", "list("),
    (f"SELECT llm_first({M}, {{'prompt': 'P', {C}}})", "llm_first", "llm_first of", "arg_max("),
    (f"SELECT llm_last({M}, {{'prompt': 'P', {C}}})", "llm_last", "llm_last of", "arg_min("),
    (f"SELECT ai_classify({M}, {{'prompt': 'P', {C}}})", "ai_cl", "ai_classify", "LLM_CLASSIFY"),
    ("SELECT fusion_rrf(a, b) FROM t", "fusion_rrf", "fusion_rrf of Flock", "60"),
    ("SELECT fusion_combsum(a, b) FROM t", "fusion_combsum", "fusion_combsum", "row_number()"),
    ("SELECT flock_get_metrics()", "flock_get", "flock_get_metrics", "--stats"),
    ("CREATE MODEL('m', 'x')", "('m'", "a name, a model and a provider", "CREATE MODEL("),
    ("CREATE MODEL('m', 'x', 'anthropic')", "'anthropic'", "provider anthropic", "ollama, openai"),
    ("CREATE MODEL('m', 'x', 'openai', {\"batch\": 8})", '"batch"', "has no batch", "batch_size"),
    ("CREATE MODEL('m', 'x', 'openai', {\"usage_limit\": {}})", '"usage_l', "usage_limit", "SET"),
    ("CREATE MODEL(m, 'x', 'openai')", "m,", "a text in quotes", ""),
    ("CREATE GLOBAL MODEL('m', 'x', 'openai')", "GLOBAL", "GLOBAL", "leave it out"),
    ("UPDATE PROMPT 'p' TO GLOBAL", "GLOBAL", "GLOBAL", "leave it out"),
    ("CREATE PROMPT('p')", "('p'", "a name and a text", "CREATE PROMPT("),
    ("GET MODEL m", "m", "a name in quotes", "GET .. 'name'"),
    ("GET MODELS now", "now", "ends before now", ""),
    ("CREATE PERSISTENT SECRET (TYPE OPENAI, API_KEY 'k')", "OPENAI", "secret", "api_key_env"),
    ("SELECT prompt()", "prompt", "needs a text", ""),
    ("SELECT prompt('a', 'b')", "'b'", "takes one text", "model := 'm'"),
    ("SELECT prompt('a', modl := 'b')", "modl", "has no modl", "did you mean model"),
    ("SELECT prompt('a', reasoning_effort := 'low')", "reasoning", "reasoning_effort", "thinking"),
    ("SELECT prompt('a', return_type := 'INTEGER', struct := {a: 'INT'})", "struct", "twice", ""),
    ("SELECT prompt('a', struct := {a: 'VARCHAR'}, struct_descr := {b: ''})", "b: ''", "no b", "a"),
    ("SELECT prompt('a', json_schema := '{')", "'{'", "not JSON", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "message", "hint"), REFUSED)
def test_what_cannot_be_carried_over_is_said_with_its_place(
    text: str, place: str, message: str, hint: str
) -> None:
    before = "-- a comment\nSELECT 1;\n"
    with pytest.raises(BindError) as caught:
        translated(before + text, "flock")
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")
    assert caught.value.span is not None
    assert (before + text)[caught.value.span.start :].startswith(place)
    assert "line 3" in str(caught.value)


def test_a_bracket_that_is_never_closed_is_told() -> None:
    with pytest.raises(ParseError, match="never closed") as caught:
        translated("SELECT llm_complete({'model_name': 'm'}", "flock")
    assert "line 1" in str(caught.value)


# Rows ---------------------------------------------------------------------------------------------

SETUP = """
CREATE TABLE t (id INTEGER, k VARCHAR, title VARCHAR, body VARCHAR);
INSERT INTO t VALUES (1, 'a', 'A', 'good'), (2, 'a', 'B', NULL), (3, 'b', NULL, NULL),
  (4, 'b', 'D', 'bad');
"""
COLUMNS = "'context_columns': [{'data': title}, {'data': body}]"
ROWS: dict[str, list[tuple[object, ...]]] = {
    f"SELECT id, llm_complete({M}, {{'prompt': 'Hi', {COLUMNS}}}) AS x FROM t ORDER BY id": [
        (1, "<Hi\n\ntitle: A\nbody: good>"),
        (2, "<Hi\n\ntitle: B\nbody: NULL>"),
        (3, None),
        (4, "<Hi\n\ntitle: D\nbody: bad>"),
    ],
    f"SELECT id FROM t WHERE llm_filter({M}, {{'prompt': '{{{{body}}}}?', {COLUMNS}}})"
    " ORDER BY id": [(1,)],
    f"SELECT k, llm_reduce({M}, {{'prompt': 'Sum', {COLUMNS}}} ORDER BY id DESC) FROM t"
    " GROUP BY k ORDER BY k": [
        ("a", "<Sum\n---\ntitle: B\nbody: NULL\n---\ntitle: A\nbody: good>"),
        ("b", "<Sum\n---\ntitle: D\nbody: bad>"),
    ],
    f"SELECT x.a::VARCHAR FROM (SELECT llm_complete({{'model_name': 'm', 'model_parameters':"
    f" '{FORMAT}'}}, {{'prompt': 'Hi {{title}}', {COLUMNS}}}) AS x FROM t WHERE id < 2)": [
        ('"it\'s"',)
    ],
    f"SELECT llm_embedding({M}, {{{COLUMNS}}})::DOUBLE[1] AS e FROM t ORDER BY id LIMIT 1": [
        ((6.0,),)
    ],
    f"SELECT llm_complete({M}, {{'prompt': 'B', 'context_columns': [{{'data': llm_complete({M},"
    " {'prompt': 'A', 'context_columns': [{'data': title}]}), 'name': 'a'}, {'data': body}]})"
    " FROM t WHERE id <> 4 ORDER BY id": [
        ("<B\n\na: <A\n\ntitle: A>\nbody: good>",),
        ("<B\n\na: <A\n\ntitle: B>\nbody: NULL>",),
        (None,),
    ],
    "SELECT id, prompt('Say ' || title, model := 'm') FROM t ORDER BY id DESC LIMIT 2": [
        (4, "<Say D>"),
        (3, None),
    ],
    "SELECT prompt(title, model := 'm', struct := {a: 'VARCHAR'}).a FROM t WHERE id = 1": [
        ("it's",)
    ],
    # what the errors of llm_rerank and llm_first say to write
    "SELECT list(title ORDER BY LLM_SCORE('{title}{body}', model => 'm') DESC) FROM t"
    " WHERE id IN (1, 4)": [(["A", "D"],)],
    "SELECT arg_max(title, LLM_SCORE('{title}{body}', model => 'm')),"
    " arg_min(title, LLM_SCORE('{title}{body}', model => 'm')) FROM t WHERE id IN (1, 4)": [
        ("A", "D")
    ],
}


def script(messages: Sequence[tuple[str, str]], spec: CallSpec) -> ScriptedAnswer:
    said = messages[-1][1]
    match spec.returns.sql():
        case "BOOLEAN":
            return ScriptedAnswer(str(said.startswith("good")).lower())
        case "DOUBLE":
            return ScriptedAnswer(str(len(said)))
        case "FLOAT[]":
            return ScriptedAnswer(f"[{len(said)}]")
        case "VARCHAR":
            return ScriptedAnswer(f"<{said}>")
        case _:
            return ScriptedAnswer('{"a": "it\'s"}')


@pytest.fixture(scope="module")
def scripted() -> Iterator[Connection]:
    with heliumql.connect() as con:
        engine = SimulatedEngine({"engine": "simulated", "instant": True}, script)
        con.register_model("m", engine)
        con.sql(SETUP)
        yield con


@pytest.mark.parametrize("way", ALL)
@pytest.mark.parametrize("query", ROWS)
def test_rows(scripted: Connection, query: str, way: str) -> None:
    scripted.execute("CLEAR CACHE")
    for name, value in MODES[way].items():
        scripted.set(name, value)
    relation = scripted.sql(query, dialect="flock")
    assert relation is not None
    assert relation.fetchall() == ROWS[query]


def test_models_and_prompts_are_in_the_catalog() -> None:
    text = """
        CREATE MODEL('Mine', 'gpt-4o', 'openai', {"model_parameters": {"temperature": 0.2}});
        CREATE PROMPT('of-mine', 'Say {it}');
        GET PROMPT 'of-mine'; DELETE PROMPT 'of-mine'; GET MODEL 'Mine';
    """
    with heliumql.connect() as con:
        relation = con.sql(text, dialect="flock")
        assert relation is not None
        assert "gpt-4o" in str(relation.fetchall())
        con.sql("DELETE MODEL 'Mine'; DELETE MODEL 'Mine'", dialect="flock")
        shown = con.sql("GET MODELS", dialect="flock")
        assert shown is not None
        assert "Mine" not in str(shown.fetchall())
