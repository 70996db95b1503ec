"""SHOW MODELS and SHOW PROMPTS, and what is told when a model or prompt is made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import heliumql
from heliumql.connection import Connection


@pytest.fixture
def con() -> Iterator[Connection]:
    with heliumql.connect() as connection:
        yield connection


def shown(con: Connection, sql: str) -> list[tuple[object, ...]]:
    return con.execute(sql).fetchall()


def test_prompts_are_shown_with_arguments_type_model_and_first_line(con: Connection) -> None:
    con.execute("CREATE MODEL small WITH (engine = 'simulated')")
    con.execute("CREATE PROMPT hello(name) AS 'It''s {name}'")
    con.execute(
        "CREATE TEMP PROMPT critic(draft VARCHAR, strict BOOLEAN) RETURNS STRUCT(ok BOOLEAN) "
        "WITH (model = 'small') AS $$\nCriticize {draft}.\nStrict: {strict}$$"
    )
    relation = con.sql("SHOW PROMPTS")
    assert relation is not None
    assert relation.columns == ["name", "arguments", "type", "model", "text"]
    assert relation.fetchall() == [
        ("hello", "name", "VARCHAR", None, "It's {name}"),
        (
            "critic",
            "draft VARCHAR, strict BOOLEAN",
            'STRUCT("ok" BOOLEAN)',
            "small",
            "Criticize {draft}. ..",
        ),
    ]


def test_prompts_of_an_earlier_session_are_shown_alike(tmp_path: Path) -> None:
    path = tmp_path / "p.duckdb"
    with heliumql.connect(path) as con:
        con.execute("CREATE PROMPT hello(name) AS 'Hello {name}'")
        before = shown(con, "SHOW PROMPTS")
    with heliumql.connect(path) as con:
        assert shown(con, "SHOW PROMPTS") == before


def test_where_there_are_no_prompts_none_is_shown(con: Connection) -> None:
    assert shown(con, "SHOW PROMPTS") == []


def test_the_built_in_model_is_shown_without_a_path(con: Connection) -> None:
    assert shown(con, "SHOW MODELS") == [("demo", "vllm", "built in", True)]
    con.execute("CREATE MODEL m WITH (engine = 'openai', base_url = 'http://h/v1', model = 'x')")
    assert shown(con, "SHOW MODELS") == [
        ("demo", "vllm", "built in", False),
        ("m", "openai", "x", True),
    ]


@pytest.mark.parametrize(
    ("engine", "hint"),
    [
        ("ollama", "engine = 'openai', base_url = 'http://localhost:11434/v1'"),
        ("Ollama", "engine = 'openai', base_url = 'http://localhost:11434/v1'"),
        ("lmstudio", "engine = 'openai', base_url = 'http://localhost:1234/v1'"),
        ("LM Studio", "engine = 'openai', base_url = 'http://localhost:1234/v1'"),
        ("llama.cpp", "engine = 'openai', base_url = 'http://localhost:8080/v1'"),
        ("anthropic", "https://api.anthropic.com/v1', api_key_env = 'ANTHROPIC_API_KEY'"),
        ("opnai", "did you mean openai?"),
        ("quantum", "engines are openai, simulated, vllm"),
    ],
)
def test_an_engine_that_there_is_not_says_what_to_write(
    con: Connection, engine: str, hint: str
) -> None:
    text = f"CREATE MODEL m WITH (engine = '{engine}', model = 'x')"
    with pytest.raises(heliumql.CatalogError) as caught:
        con.execute(text)
    assert caught.value.message == f"unknown engine {engine!r}"
    assert hint in (caught.value.hint or "")
    assert caught.value.span is not None
    assert text[caught.value.span.start : caught.value.span.end] == f"'{engine}'"


def test_a_prompt_of_a_model_that_is_not_there_is_told_when_it_is_made(con: Connection) -> None:
    text = "CREATE PROMPT p(x) WITH (model = 'dem') AS 'Say {x}'"
    with pytest.raises(heliumql.CatalogError) as caught:
        con.execute(text)
    assert (caught.value.message, caught.value.hint) == (
        "there is no model dem",
        "did you mean demo?",
    )
    assert caught.value.span is not None
    assert text[caught.value.span.start : caught.value.span.end] == "'dem'"
    assert shown(con, "SHOW PROMPTS") == []


def test_a_prompt_outlives_its_model_and_says_so_when_it_is_used(tmp_path: Path) -> None:
    path = tmp_path / "p.duckdb"
    with heliumql.connect(path) as con:
        con.execute("CREATE MODEL m WITH (engine = 'simulated')")
        con.execute("CREATE PROMPT p(x) WITH (model = 'm') AS 'Say {x}'")
        con.execute("DROP MODEL m")
    with heliumql.connect(path) as con:
        assert [row[0] for row in shown(con, "SHOW PROMPTS")] == ["p"]
        with pytest.raises(heliumql.CatalogError, match="there is no model m"):
            con.sql("SELECT p('hello')")
