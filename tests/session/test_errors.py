"""What a user sees who makes a mistake: the message, the place, and what there is instead."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import heliumql
from heliumql.connection import Connection

MISTAKES = {
    "SELECT LLM_GENERATE('About {bdy}') FROM t": (
        'referenced column "bdy" not found in FROM clause\n'
        "  at line 1\n"
        "1 | SELECT LLM_GENERATE('About {bdy}') FROM t\n"
        "  |                            ^^^^^\n"
        'hint: did you mean "body", "id"?'
    ),
    "SELECT idd, LLM_GENERATE('x {body}') FROM t": (
        'referenced column "idd" not found in FROM clause\n'
        "  at line 1\n"
        "1 | SELECT idd, LLM_GENERATE('x {body}') FROM t\n"
        "  |        ^^^\n"
        'hint: did you mean "id", "body"?'
    ),
    # DuckDB's carets are under the text that the call has become, which is longer
    "SELECT id FROM t WHERE qqqq(LLM_SCORE('a'))": (
        "scalar Function with name qqqq does not exist\n"
        "  at line 1\n"
        "1 | SELECT id FROM t WHERE qqqq(LLM_SCORE('a'))\n"
        "  |                        ^^^^^^^^^^^^^^^^^^\n"
        'hint: Did you mean "sqrt"?'
    ),
    "SELECT LLM_AGG(DISTINCT id, 'x' ORDER BY id) FROM t": (
        "LLM_AGG(DISTINCT ..) is ordered by something else than its texts\n"
        "  at line 1\n"
        "1 | SELECT LLM_AGG(DISTINCT id, 'x' ORDER BY id) FROM t\n"
        "  |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "hint: order by the text itself, as VARCHAR; without ORDER BY it is so ordered"
    ),
    "SELECT LLM_GENERATE('x', model => 'dem') FROM t": (
        "there is no model dem\n"
        "  at line 1\n"
        "1 | SELECT LLM_GENERATE('x', model => 'dem') FROM t\n"
        "  |                                   ^^^^^\n"
        "hint: did you mean demo?"
    ),
    "SELECT LLM_GENERATE('x {body', seed => 1) FROM t": (
        "'{' begins no placeholder here\n"
        "  at line 1\n"
        "1 | SELECT LLM_GENERATE('x {body', seed => 1) FROM t\n"
        "  |                        ^\n"
        'hint: write {{ for a brace; placeholders are {name}, {t.name}, {"Odd Name"}, {0}'
    ),
    "CREATE MODEL z WITH (engine = 'vlm', model = 'x')": (
        "unknown engine 'vlm'\n"
        "  at line 1\n"
        "1 | CREATE MODEL z WITH (engine = 'vlm', model = 'x')\n"
        "  |                               ^^^^^\n"
        "hint: did you mean vllm? engines are openai, simulated, vllm"
    ),
    "SET llm_optimizr = on": (
        "unknown setting llm_optimizr\n"
        "  at line 1\n"
        "1 | SET llm_optimizr = on\n"
        "  |     ^^^^^^^^^^^^\n"
        "hint: did you mean llm_optimizer?"
    ),
    "SET llm_cache = 'sometimes'": (
        "llm_cache cannot be 'sometimes'\n"
        "  at line 1\n"
        "1 | SET llm_cache = 'sometimes'\n"
        "  |     ^^^^^^^^^\n"
        "hint: one of use, refresh, off"
    ),
    "SELECT LLM_GENERATE('Rate {body}', 'INTEGER') FROM t": (
        "the template has no {0} for this value\n"
        "  at line 1\n"
        "1 | SELECT LLM_GENERATE('Rate {body}', 'INTEGER') FROM t\n"
        "  |                                    ^^^^^^^^^\n"
        "hint: other arguments have names, e.g. system => '..', returns => 'INTEGER'"
    ),
    "SELECT LLM_GENRATE('x {body}') FROM t": (
        "Catalog Error: Scalar Function with name llm_genrate does not exist!\n"
        "  at line 1\n"
        "1 | SELECT LLM_GENRATE('x {body}') FROM t\n"
        "  |        ^^^^^^^^^^^^^^^^^^^^^^^\n"
        "hint: did you mean LLM_GENERATE? LLM functions are LLM_GENERATE, LLM_FILTER, "
        "LLM_CLASSIFY, LLM_EXTRACT, LLM_SCORE, LLM_AGG, LLM_EMBED, LLM_SIMILARITY"
    ),
    "SELECT LLM_FILTR('x {body}') FROM t": (
        "Catalog Error: Scalar Function with name llm_filtr does not exist!\n"
        "  at line 1\n"
        "1 | SELECT LLM_FILTR('x {body}') FROM t\n"
        "  |        ^^^^^^^^^^^^^^^^^^^^^\n"
        "hint: did you mean LLM_FILTER? LLM functions are LLM_GENERATE, LLM_FILTER, "
        "LLM_CLASSIFY, LLM_EXTRACT, LLM_SCORE, LLM_AGG, LLM_EMBED, LLM_SIMILARITY"
    ),
    "SELECT LLM_TRANSLATE('x {body}') FROM t": (
        "Catalog Error: Scalar Function with name llm_translate does not exist!\n"
        "  at line 1\n"
        "1 | SELECT LLM_TRANSLATE('x {body}') FROM t\n"
        "  |        ^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "hint: LLM functions are LLM_GENERATE, LLM_FILTER, LLM_CLASSIFY, LLM_EXTRACT, LLM_SCORE, "
        "LLM_AGG, LLM_EMBED, LLM_SIMILARITY"
    ),
    "SELECT AI_FILTER('x {body}') FROM t": (
        "Catalog Error: Scalar Function with name ai_filter does not exist!\n"
        "  at line 1\n"
        "1 | SELECT AI_FILTER('x {body}') FROM t\n"
        "  |        ^^^^^^^^^^^^^^^^^^^^^\n"
        "hint: LLM functions are LLM_GENERATE, LLM_FILTER, LLM_CLASSIFY, LLM_EXTRACT, LLM_SCORE, "
        "LLM_AGG, LLM_EMBED, LLM_SIMILARITY; AI functions of other SQL are brought over by "
        "--dialect snowflake, bigquery .."
    ),
    "SELECT LLM_GENERATE('x {body}') + 1 FROM t": (
        "no function matches the given name and argument types '+(VARCHAR, INTEGER_LITERAL)'. You "
        "might need to add explicit type casts.\n"
        "  at line 1\n"
        "1 | SELECT LLM_GENERATE('x {body}') + 1 FROM t\n"
        "  |                                 ^\n"
        "hint: cast what is of another type; LLM_GENERATE gives VARCHAR unless returns => "
        "'INTEGER' or the like says otherwise"
    ),
    "DROP MODEL nobody": (
        "there is no model nobody\n"
        "  at line 1\n"
        "1 | DROP MODEL nobody\n"
        "  |            ^^^^^^\n"
        "hint: models: m, demo"
    ),
    "CREATE TEMP MODEL m WITH (engine = 'simulated')": (
        "model m exists already\n"
        "  at line 1\n"
        "1 | CREATE TEMP MODEL m WITH (engine = 'simulated')\n"
        "  |                   ^\n"
        "hint: CREATE OR REPLACE MODEL replaces it"
    ),
}


@pytest.fixture
def table(connection: Connection) -> Connection:
    connection.execute("CREATE TABLE t AS SELECT range AS id, 'b' AS body FROM range(3)")
    return connection


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_told_with_its_place_and_a_hint(table: Connection, text: str) -> None:
    with pytest.raises(heliumql.HeliumQLError) as caught:
        table.sql(text)
    assert str(caught.value) == MISTAKES[text]
    assert caught.value.exit_status == 1


def test_an_unknown_option_of_a_model_names_the_known_ones(table: Connection) -> None:
    with pytest.raises(heliumql.CatalogError) as caught:
        table.sql("CREATE MODEL z WITH (engin = 'vllm', model = 'x')")
    assert "unknown option 'engin'" in str(caught.value)
    assert "^^^^^" in str(caught.value)
    assert "base_url" in str(caught.value)
    assert "engine" in str(caught.value)


def test_a_key_is_not_an_option_of_a_model(table: Connection) -> None:
    with pytest.raises(heliumql.CatalogError, match="api_key_env names the environment variable"):
        table.sql("CREATE MODEL z WITH (engine = 'openai', model = 'x', api_key = 'k')")


def test_a_prompt_says_what_it_takes(table: Connection) -> None:
    table.execute("CREATE TEMP PROMPT critic(draft VARCHAR) AS 'Criticize {draft}'")
    with pytest.raises(heliumql.BindError) as caught:
        table.sql("SELECT critic(body, 'x') FROM t")
    assert caught.value.message == "critic does not take these arguments"
    assert caught.value.hint == "it is critic(draft)"


def test_an_option_is_described_as_it_is_written(table: Connection) -> None:
    table.execute("CREATE TEMP MODEL fast WITH (engine = 'simulated', instant = true)")
    assert ("instant", "true") in table.sql("DESCRIBE MODEL fast").fetchall()


def test_several_models_and_no_default_is_a_question(table: Connection) -> None:
    table.execute("CREATE TEMP MODEL other WITH (engine = 'simulated')")
    with pytest.raises(heliumql.CatalogError, match="which model") as caught:
        table.sql("SELECT LLM_GENERATE('x')")
    assert "m, other" in str(caught.value)
    table.execute("SET llm_default_model = 'other'")
    relation = table.sql("SELECT LLM_GENERATE('x')")
    assert relation is not None
    assert len(relation.fetchall()) == 1


def test_an_error_at_run_time_shows_no_sql_but_the_users(table: Connection) -> None:
    relation = table.sql("SELECT LLM_GENERATE('x {body}') FROM t WHERE body::INTEGER = 3")
    assert relation is not None
    with pytest.raises(heliumql.ExecutionError) as caught:
        relation.fetchall()
    assert "Could not convert string 'b' to INT32" in str(caught.value)
    assert "__hql" not in str(caught.value)
    assert "column0" not in str(caught.value)


def test_a_server_that_is_not_there_is_an_engine_error(table: Connection) -> None:
    table.execute(
        "CREATE TEMP MODEL o WITH (engine = 'openai', base_url = 'http://127.0.0.1:9/v1',"
        " model = 'x', retries = 0)"
    )
    relation = table.sql("SELECT id, LLM_GENERATE('x {body}', model => 'o') FROM t")
    assert relation is not None
    with pytest.raises(heliumql.EngineError, match="unreachable") as caught:
        relation.fetchall()
    assert caught.value.exit_status == 5
    # The connection is free again, and its threads are as they were.
    assert table.execute("SELECT count(*) FROM t").fetchall() == [(3,)]


def test_a_model_folder_that_is_not_there_is_an_engine_error(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "heliumql", "run", "-c",
         f"CREATE MODEL x WITH (engine = 'vllm', model = '{tmp_path}/nothing')",
         "-c", "SELECT LLM_GENERATE('x')"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 5
    assert f"there is no folder {tmp_path}/nothing" in done.stderr
    assert "Traceback" not in done.stderr


def test_threads_are_set_back_after_a_failed_pass(table: Connection) -> None:
    table.execute("SET threads = 2")
    relation = table.sql("SELECT LLM_GENERATE('x {body}') FROM t WHERE body::INTEGER = 3")
    assert relation is not None
    with pytest.raises(heliumql.ExecutionError):
        relation.fetchall()
    assert table.execute("SELECT current_setting('threads')").fetchall() == [(2,)]


@pytest.mark.parametrize(
    "what", ["VIEW s.v AS SELECT", 'VIEW "s"."v" AS SELECT', "MACRO s.v(x) AS"]
)
def test_a_view_or_macro_with_calls_in_a_schema_is_refused(table: Connection, what: str) -> None:
    table.execute("CREATE SCHEMA s")
    with pytest.raises(heliumql.BindError, match="cannot stand in a schema") as caught:
        table.sql(f"CREATE {what} LLM_GENERATE('x')")
    assert "without the schema: v" in str(caught.value)
    assert table.execute("SELECT count(*) FROM duckdb_views() WHERE NOT internal").fetchall() == [
        (0,)
    ]


def test_a_default_model_that_is_not_there_is_told_with_the_setting(table: Connection) -> None:
    table.execute("SET llm_default_model = 'nope'")
    with pytest.raises(heliumql.CatalogError, match="there is no model nope") as caught:
        table.sql("SELECT LLM_GENERATE('x')")
    assert "llm_default_model is 'nope'" in str(caught.value)
    assert "^^^" in str(caught.value)


def test_the_built_in_model_stays(table: Connection) -> None:
    with pytest.raises(heliumql.CatalogError, match="demo is built in and stays"):
        table.sql("DROP MODEL demo")


def test_rows_of_a_plain_relation_are_fetched_one_by_one(table: Connection) -> None:
    relation = table.sql("FROM range(4)")
    assert relation is not None
    assert relation.fetchone() == (0,)
    assert relation.fetchmany(2) == [(1,), (2,)]
    assert relation.fetchmany(5) == [(3,)]
    assert relation.fetchone() is None
