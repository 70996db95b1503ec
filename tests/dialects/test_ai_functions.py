"""AI functions of other dialects: the HQL that is written for them, and what is refused."""

from __future__ import annotations

import json

import pytest

from heliumql.connection import Connection
from heliumql.dialects import translated
from heliumql.errors import BindError, HeliumQLError, ParseError
from heliumql.syntax import LlmSql, parse

# Expressions: how they stand in the dialect, and in HQL.
SNOWFLAKE = {
    "AI_COMPLETE('m', 'Hello {you}')": "LLM_GENERATE('Hello {{you}}', model => 'm')",
    "AI_COMPLETE('m', 'About ' || body)": "LLM_GENERATE('About ' || body, model => 'm')",
    "AI_COMPLETE(model => 'm', prompt => PROMPT('Is {0} like {1}?', t.a, upper(b)))": (
        "LLM_GENERATE('Is {t.a} like {0}?', UPPER(b), model => 'm')"
    ),
    "AI_COMPLETE('m', x, {'temperature': 0.5, 'max_tokens': 9})": (
        "LLM_GENERATE(x, model => 'm', temperature => 0.5, max_tokens => 9)"
    ),
    "AI_COMPLETE('m', x, NULL, TYPE OBJECT(a VARCHAR, n NUMBER))": (
        "CAST(LLM_GENERATE(x, model => 'm', returns => 'STRUCT(a VARCHAR, n BIGINT)') AS JSON)"
    ),
    "AI_COMPLETE('m', x, response_format => {'type': 'json', 'schema': {'type': 'object',"
    " 'properties': {'s': {'enum': ['x', 'y']}}}}):s::string": (
        "CAST(LLM_GENERATE(x, model => 'm', returns => 'STRUCT(s ENUM(''x'', ''y''))') AS JSON)"
        " ->> '$.s'"
    ),
    "SNOWFLAKE.CORTEX.COMPLETE('m', x)": "LLM_GENERATE(x, model => 'm')",
    "snowflake.cortex.try_complete('m', x)": "LLM_GENERATE(x, model => 'm')",
    "AI_FILTER(PROMPT('Is {0} red?', c))": "LLM_FILTER('Is {c} red?')",
    "AI_FILTER(concat('Is it red? ', c))": "LLM_FILTER('Is it red? ' || c)",
    "AI_CLASSIFY(x, ['a', 'b']):labels[0]": "LLM_CLASSIFY(x, ['a', 'b'])",
    "AI_CLASSIFY(x, ['a', 'b']):labels[0]::string": "CAST(LLM_CLASSIFY(x, ['a', 'b']) AS TEXT)",
    "AI_CLASSIFY(x, [{'label': 'a', 'description': 'one'}, {'label': 'b'}],"
    " {'task_description': 'Of {tone}.'}):labels[0]": (
        "LLM_CLASSIFY(x, {'a': 'one', 'b': ''}, 'Of {{tone}}.')"
    ),
    "AI_CLASSIFY(x, ['a', 'b'], {'output_mode': 'multi'}):labels": (
        "CAST(LLM_CLASSIFY(x, ['a', 'b'], multi => TRUE) AS JSON)"
    ),
    "AI_CLASSIFY(x, ['a', 'b'])": (
        "NULLIF(CAST({'labels': [LLM_CLASSIFY(x, ['a', 'b'])]} AS JSON), '{\"labels\":[null]}')"
    ),
    "AI_EXTRACT(x, {'who': 'Who is it?'}):response.who": (
        "LLM_EXTRACT(x, {'who': 'Who is it?'}).who"
    ),
    "AI_EXTRACT(text => x, responseFormat => [['who', 'Who?']]):response": (
        "CAST(LLM_EXTRACT(x, {'who': 'Who?'}) AS JSON)"
    ),
    "AI_AGG(x, 'Sum up')": "LLM_AGG(x, 'Sum up')",
    "AI_AGG(x, 'As {json}')": "LLM_AGG(x, 'As {{json}}')",
    "AI_SUMMARIZE_AGG(x)": "LLM_AGG(x, 'Summarize the texts.')",
    "AI_SIMILARITY(a, b)": "LLM_SIMILARITY(a, b)",
    "AI_SIMILARITY(a, 'b', {'model': 'e'})": "LLM_SIMILARITY(a, 'b', model => 'e')",
    "AI_EMBED('e', x)": "LLM_EMBED(x, model => 'e')",
    "AI_SENTIMENT(x):categories[0]:sentiment::string": (
        "CAST(LLM_CLASSIFY(x, ['positive', 'negative', 'neutral', 'mixed', 'unknown'],"
        " 'What is the overall sentiment?') AS TEXT)"
    ),
    "AI_TRANSLATE(x, '', 'de')": (
        "LLM_GENERATE('Translate this text to de. Answer with the translation only.\n\n{x}')"
    ),
    "AI_COMPLETE('m', AI_SUMMARIZE_AGG(x))": (
        "LLM_GENERATE(LLM_AGG(x, 'Summarize the texts.'), model => 'm')"
    ),
}
BIGQUERY = {
    "AI.GENERATE('Hi').result": "LLM_GENERATE('Hi')",
    "AI.GENERATE(('About ', t.x, ' and {', y + 1), connection_id => 'c', endpoint => 'g').result": (
        "LLM_GENERATE('About {t.x} and {{{0}', y + 1, model => 'g')"
    ),
    "AI.GENERATE(('a', x), output_schema => 'n INT64, b ARRAY<STRING>').n": (
        "LLM_GENERATE('a{x}', returns => 'STRUCT(n BIGINT, b VARCHAR[])').n"
    ),
    'AI.GENERATE(x, model_params => JSON \'{"generationConfig": {"maxOutputTokens": 5}}\')'
    ".result": "LLM_GENERATE(x, max_tokens => 5)",
    "AI.GENERATE_BOOL(x).result": "LLM_GENERATE(x, returns => 'BOOLEAN')",
    "AI.GENERATE_INT(x).result": "LLM_GENERATE(x, returns => 'BIGINT')",
    "AI.GENERATE_DOUBLE(x).result": "LLM_GENERATE(x, returns => 'DOUBLE')",
    "AI.IF(('Is it red? ', x))": "LLM_FILTER('Is it red? {x}')",
    "AI.CLASSIFY(x, categories => [('a', 'one'), ('b', 'two')])": (
        "LLM_CLASSIFY(x, {'a': 'one', 'b': 'two'})"
    ),
    "AI.CLASSIFY(x, ['a', 'b'], output_mode => 'multi')": (
        "LLM_CLASSIFY(x, ['a', 'b'], multi => TRUE)"
    ),
    "AI.SCORE(('How red? ', x))": "LLM_SCORE('How red? {x}')",
    "AI.SIMILARITY(content1 => a, content2 => b, endpoint => 'e')": (
        "LLM_SIMILARITY(a, b, model => 'e')"
    ),
    "AI.EMBED(x, endpoint => 'e').result": "LLM_EMBED(x, model => 'e')",
}
DATABRICKS = {
    "ai_query('m', concat('a ', x))": "LLM_GENERATE('a ' || x, model => 'm', on_error => 'fail')",
    "ai_query('m', x, failOnError => false).result": "LLM_GENERATE(x, model => 'm')",
    "ai_query('m', x, returnType => 'STRUCT<a: INT, b: ARRAY<STRING>>').a": (
        "LLM_GENERATE(x, model => 'm', returns => 'STRUCT(a BIGINT, b VARCHAR[])',"
        " on_error => 'fail').a"
    ),
    "ai_query('m', x, modelParameters => named_struct('max_tokens', 7))": (
        "LLM_GENERATE(x, model => 'm', max_tokens => 7, on_error => 'fail')"
    ),
    "ai_query('m', x, responseFormat => 'STRUCT<top: STRUCT<a: STRING>>')": (
        "CAST(CAST(LLM_GENERATE(x, model => 'm', returns => 'STRUCT(a VARCHAR)',"
        " on_error => 'fail') AS JSON) AS TEXT)"
    ),
    "ai_gen('Say {hi}')": "LLM_GENERATE('Say {{hi}}')",
    "ai_classify(x, array('a', 'b'))": "LLM_CLASSIFY(x, ['a', 'b'])",
    "ai_extract(x, array('who', 'when')).who": "LLM_EXTRACT(x, ['who', 'when']).who",
    "ai_summarize(x, 20)": "LLM_GENERATE('Summarize this text in at most 20 words.\n\n{x}')",
    "ai_similarity(a, b)": "LLM_SIMILARITY(a, b)",
    "ai_fix_grammar(x)": "LLM_GENERATE('Correct the grammar of this text.\n\n{x}')",
}
CASES = [
    (dialect, source, hql)
    for dialect, cases in [
        ("snowflake", SNOWFLAKE),
        ("bigquery", BIGQUERY),
        ("databricks", DATABRICKS),
        ("spark", DATABRICKS),
    ]
    for source, hql in cases.items()
]


def words(text: str) -> str:
    """The text without what layout puts in."""
    return " ".join(text.split()).replace("( ", "(").replace(" )", ")")


@pytest.mark.parametrize(("dialect", "source", "hql"), CASES)
def test_calls_become_verbs(dialect: str, source: str, hql: str) -> None:
    made = translated(f"SELECT {source} FROM t", dialect)
    assert words(made) == words(f"SELECT {hql} FROM t;")
    (statement,) = parse(made)
    assert isinstance(statement, LlmSql)


REFUSED = {
    ("snowflake", "AI_COMPLETE('m', x, {'guardrails': TRUE})"): ("guardrails", "max_tokens"),
    ("snowflake", "AI_COMPLETE('m', x, show_details => TRUE)"): ("show_details", "g.llm"),
    ("snowflake", "AI_COMPLETE('m', x, whatever => 1)"): ("whatever", "leave it out"),
    ("snowflake", "AI_COMPLETE('m', [{'role': 'user', 'content': x}])"): ("history", "history"),
    ("snowflake", "AI_CLASSIFY(x, ['a'], {'examples': []}):labels[0]"): ("examples", "output_mode"),
    ("snowflake", "AI_CLASSIFY(x, labels):labels[0]"): ("must be a constant", ""),
    ("snowflake", "AI_EXTRACT(x, {'schema': {}}):response"): ("JSON schema", "question"),
    ("snowflake", "AI_EXTRACT(x, {'a': 'b'})"): ("the object that AI_EXTRACT", ":response"),
    ("snowflake", "AI_COUNT_TOKENS('m', x)"): ("AI_COUNT_TOKENS", "prompt_tokens"),
    ("snowflake", "PROMPT('a {0}', x)"): ("PROMPT cannot stand here", ""),
    ("snowflake", "AI_COMPLETE('m', PROMPT('{1}', x))"): ("no value {1}", ""),
    ("snowflake", "AI_COMPLETE('m', v:body)"): ("VARIANT", "cast it"),
    ("snowflake", "SNOWFLAKE.CORTEX.SENTIMENT(x)"): ("SENTIMENT", "LLM_SCORE"),
    ("bigquery", "AI.GENERATE('a')"): ("the object that AI.GENERATE gives", ".result"),
    ("bigquery", "AI.GENERATE('a').status"): ("status", "g.llm"),
    ("bigquery", "AI.GENERATE('a', output_schema => 'n INT64').m"): ("m of", "output_schema"),
    ("bigquery", "AI.IF('a', max_error_ratio => 0.5)"): ("max_error_ratio", "llm_max_error_ratio"),
    ("bigquery", "AI.IF('a', optimization_mode => 'MINIMIZE_COST')"): (
        "optimization_mode",
        "model",
    ),
    ("databricks", "ai_query('m', x, failOnError => false)"): (
        "the object that AI_QUERY",
        ".result",
    ),
    ("databricks", "ai_query('m', x, responseFormat => '{\"type\": \"json_object\"}')"): (
        "JSON schema",
        "STRUCT<",
    ),
    ("databricks", "ai_mask(x, array('a'))"): ("AI_MASK", "LLM_GENERATE"),
}


@pytest.mark.parametrize(("dialect", "source"), REFUSED)
def test_what_cannot_be_carried_over_is_said_with_its_place(dialect: str, source: str) -> None:
    text = f"-- a comment\nSELECT 1;\nSELECT y,\n  {source} FROM t"
    with pytest.raises(BindError) as caught:
        translated(text, dialect)
    message, hint = REFUSED[dialect, source]
    assert message in caught.value.message or message in (caught.value.hint or "")
    assert hint in (caught.value.hint or "")
    assert caught.value.span is not None
    assert text.index(source) <= caught.value.span.start < len(text)
    assert "line 4" in str(caught.value)


def test_table_functions_say_what_to_use() -> None:
    for name in ("AI.GENERATE_TABLE", "ML.GENERATE_TEXT"):
        with pytest.raises(BindError, match=f"{name} cannot be carried over") as caught:
            translated(f"SELECT * FROM {name}(MODEL `d.m`, TABLE t, STRUCT(1 AS a))", "bigquery")
        assert "AI.GENERATE(prompt).result" in (caught.value.hint or "")


def test_a_query_with_calls_in_every_place() -> None:
    text = """
        -- complaints by product
        SELECT p.name, COUNT(*) AS n, AI_AGG(r.body, 'What do they complain about?') AS about
        FROM reviews r JOIN products p
          ON r.pid = p.id AND AI_FILTER(PROMPT('Is {0} about {1}?', r.body, p.name))
        WHERE AI_CLASSIFY(r.body, ['praise', 'complaint']):labels[0] = 'complaint'
        GROUP BY p.name ORDER BY n DESC LIMIT 3
    """
    assert translated(text, "snowflake") == (
        "-- complaints by product\n"
        "SELECT p.name, COUNT(*) AS n, LLM_AGG(r.body, 'What do they complain about?') AS about\n"
        "FROM reviews AS r\n"
        "JOIN products AS p ON r.pid = p.id AND LLM_FILTER('Is {r.body} about {p.name}?')\n"
        "WHERE LLM_CLASSIFY(r.body, ['praise', 'complaint']) = 'complaint'\n"
        "GROUP BY p.name\n"
        "ORDER BY n DESC NULLS FIRST\n"
        "LIMIT 3;\n"
    )


def test_a_connection_takes_them(connection: Connection) -> None:
    connection.execute("CREATE TABLE t AS SELECT 'a' AS body UNION ALL SELECT NULL")
    text = "SELECT body, AI_COMPLETE('m', PROMPT('About {0}', body)) AS a FROM t ORDER BY body"
    relation = connection.sql(text, dialect="snowflake")
    hql = "SELECT body, LLM_GENERATE('About {body}', model => 'm') AS a FROM t ORDER BY body"
    expected = connection.sql(hql)
    assert relation is not None
    assert expected is not None
    rows = relation.fetchall()
    assert rows == expected.fetchall()
    assert rows[1] == (None, None)
    with pytest.raises(BindError, match="cannot be carried over"):
        connection.sql("SELECT soundex(body) FROM t", dialect="snowflake")


def test_what_a_text_says_is_extracted(connection: Connection) -> None:
    for dialect, call in [
        ("databricks", "ai_extract(x, array('who', 'when'))"),
        ("snowflake", "AI_EXTRACT(x, {'who': 'Who?', 'when': 'When?'}):response"),
    ]:
        who = f"{call}.who" if dialect == "databricks" else f"{call}.who::string"
        text = f"SELECT {who} AS a, {call} AS b FROM (SELECT 'Ada, at noon' AS x) AS t"
        connection.execute("SET llm_default_model = 'm'")
        relation = connection.sql(text, dialect=dialect)
        assert relation is not None
        ((who, whole),) = relation.fetchall()
        read = json.loads(whole) if dialect == "snowflake" else whole
        assert list(read) == ["who", "when"]
        assert read["who"] == who


def test_statements_of_hql_stay_as_they_are() -> None:
    text = "CREATE MODEL m WITH (engine = 'simulated');\nSET llm_default_model = 'm';\nselect 1"
    assert translated(text, "postgres") == (
        "CREATE MODEL m WITH (engine = 'simulated');\n\nSET llm_default_model = 'm';\n\nSELECT 1;\n"
    )


@pytest.mark.parametrize(
    ("dialect", "text"),
    [("snowflake", "SELECT (1"), ("bigquery", "SELECT FROM WHERE"), ("postgres", "SELECT 'a")],
)
def test_a_syntax_error_is_one_of_the_dialect(dialect: str, text: str) -> None:
    with pytest.raises(ParseError, match=f"this is not {dialect}: "):
        translated(text, dialect)


def test_an_unknown_dialect_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(HeliumQLError) as caught:
        translated("SELECT 1", "oracle")
    assert "snowflake, bigquery" in str(caught.value)
