"""Statements that only HQL has, and SQL statements with LLM parts, are read right."""

from __future__ import annotations

import pytest

from heliumql.syntax import (
    ClearCache,
    CreateMacro,
    CreateModel,
    CreatePrompt,
    CreateView,
    Deallocate,
    Describe,
    DropModel,
    DropNamed,
    DropPrompt,
    Execute,
    Explain,
    LlmSql,
    Prepare,
    Profile,
    ResetOption,
    SetOption,
    Show,
    Sql,
    Statement,
    parse,
)
from heliumql.syntax.tokens import tokenize
from heliumql.types import parse_type

CALL = "SELECT LLM_GENERATE('x')"


def one(text: str, *names: str) -> Statement:
    (statement,) = parse(text, llm_names=frozenset(names))
    assert statement.text == text
    return statement


def test_create_model_keeps_options_and_their_places() -> None:
    text = (
        "create or replace temp model Qwen with (ENGINE = 'vllm', workers => 2, temperature = -0.5,"
        " thinking = false, seed = NULL, stop = ['a', 'b''c'], engine_mode = fast,"
        " chat_template_args = {'enable_thinking': true, depth: {'x': 1}})"
    )
    model = one(text)
    assert isinstance(model, CreateModel)
    assert (model.name, model.or_replace, model.temp) == ("Qwen", True, True)
    assert not model.if_not_exists
    assert model.options == {
        "engine": "vllm",
        "workers": 2,
        "temperature": -0.5,
        "thinking": False,
        "seed": None,
        "stop": ["a", "b'c"],
        "engine_mode": "fast",
        "chat_template_args": {"enable_thinking": True, "depth": {"x": 1}},
    }
    places = {key: text[s.start : s.end] for key, s in model.value_spans.items()}
    assert places["engine"] == "'vllm'"
    assert places["temperature"] == "-0.5"
    assert places["stop"] == "['a', 'b''c']"
    span = model.option_spans["engine"]
    assert text[span.start : span.end] == "ENGINE"


def test_a_model_may_be_called_anything() -> None:
    for name, meant in (("with", "with"), ("model", "model"), ('"My ""Model"""', 'My "Model"')):
        model = one(f"CREATE MODEL IF NOT EXISTS {name} WITH ()")
        assert isinstance(model, CreateModel)
        assert (model.name, model.if_not_exists) == (meant, True)
    assert isinstance(one("CREATE MODEL bare"), CreateModel)


def test_create_prompt_keeps_its_parts() -> None:
    text = (
        "CREATE PROMPT critic(draft VARCHAR, s STRUCT(a DECIMAL(10, 2))[], free)"
        " RETURNS STRUCT(verdict VARCHAR, score INTEGER)[] WITH (model = 'q') AS $$See: {draft}$$"
    )
    prompt = one(text)
    assert isinstance(prompt, CreatePrompt)
    assert prompt.name == "critic"
    assert prompt.parameters == (
        ("draft", "VARCHAR"),
        ("s", "STRUCT(a DECIMAL(10, 2))[]"),
        ("free", ""),
    )
    assert prompt.returns == parse_type("STRUCT(verdict VARCHAR, score INTEGER)[]")
    assert prompt.options == {"model": "q"}
    assert prompt.body == "$$See: {draft}$$"
    assert text[prompt.body_span.start : prompt.body_span.end] == prompt.body


def test_a_prompt_needs_neither_parameters_nor_type() -> None:
    prompt = one("CREATE TEMP PROMPT p() AS 'Hello'")
    assert isinstance(prompt, CreatePrompt)
    assert (prompt.parameters, prompt.returns, prompt.temp) == ((), None, True)


def test_catalog_statements() -> None:
    drop = one("DROP MODEL IF EXISTS m")
    assert isinstance(drop, DropModel)
    assert (drop.name, drop.if_exists) == ("m", True)
    drop_prompt = one("drop prompt p")
    assert isinstance(drop_prompt, DropPrompt)
    assert not drop_prompt.if_exists
    for what in ("models", "prompts", "cache"):
        show = one(f"SHOW {what.upper()}")
        assert isinstance(show, Show)
        assert show.what == what
    describe = one('DESCRIBE PROMPT "p q"')
    assert isinstance(describe, Describe)
    assert (describe.what, describe.name) == ("prompt", "p q")


def test_clear_cache_keeps_the_condition_as_written() -> None:
    clear = one("CLEAR CACHE WHERE model = 'q' AND (a > 1)")
    assert isinstance(clear, ClearCache)
    assert clear.where == "model = 'q' AND (a > 1)"
    whole = one("clear cache")
    assert isinstance(whole, ClearCache)
    assert whole.where is None


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("SET llm_optimizer = 'off'", "llm_optimizer", "off"),
        ("SET LLM_Optimizer TO off", "llm_optimizer", "off"),
        ("SET SESSION llm_max_calls = 1_000", "llm_max_calls", 1000),
        ("SET GLOBAL llm_verify = true", "llm_verify", True),
        ("SET llm_max_cost = -1.5", "llm_max_cost", -1.5),
        ("SET llm_cache_path = NULL", "llm_cache_path", None),
    ],
)
def test_settings_of_ours(text: str, name: str, value: object) -> None:
    setting = one(text)
    assert isinstance(setting, SetOption)
    assert (setting.name, setting.value) == (name, value)


def test_reset_of_our_settings() -> None:
    reset = one("RESET llm_cache")
    assert isinstance(reset, ResetOption)
    assert reset.name == "llm_cache"


def test_explain_with_calls_is_ours_and_without_is_duckdbs() -> None:
    assert type(one("EXPLAIN ANALYZE SELECT 1")) is Sql
    explain = one(f"EXPLAIN {CALL}")
    assert isinstance(explain, Explain)
    assert (explain.analyze, explain.format) == (False, "text")
    assert isinstance(explain.statement, LlmSql)
    assert explain.statement.text == CALL
    assert explain.statement.span.start == len("EXPLAIN ")
    both = one(f"EXPLAIN (ANALYZE, FORMAT Json) {CALL}")
    assert isinstance(both, Explain)
    assert (both.analyze, both.format) == (True, "json")
    spoken = one(f"EXPLAIN ANALYZE (FORMAT mermaid) ({CALL})")
    assert isinstance(spoken, Explain)
    assert (spoken.analyze, spoken.format, spoken.statement.text) == (True, "mermaid", f"({CALL})")


def test_explain_of_a_known_view_is_ours() -> None:
    assert isinstance(one("EXPLAIN SELECT * FROM v", "v"), Explain)


def test_profile_holds_its_statement() -> None:
    profile = one(f"PROFILE {CALL}")
    assert isinstance(profile, Profile)
    assert profile.statement.text == CALL


def test_prepared_statements_with_calls() -> None:
    prepare = one("PREPARE ask(VARCHAR) AS SELECT LLM_GENERATE($1)")
    assert isinstance(prepare, Prepare)
    assert (prepare.name, prepare.statement.text) == ("ask", "SELECT LLM_GENERATE($1)")
    execute = one("EXECUTE ask('a;b', 2)", "ask")
    assert isinstance(execute, Execute)
    assert execute.arguments == "'a;b', 2"
    bare = one("EXECUTE ask", "ask")
    assert isinstance(bare, Execute)
    assert bare.arguments == ""
    assert isinstance(one("DEALLOCATE PREPARE ask", "ask"), Deallocate)
    assert type(one("EXECUTE other(1)", "ask")) is Sql


def test_create_view_with_calls() -> None:
    text = f'CREATE OR REPLACE TEMP VIEW main."my v" (a, b) AS {CALL}'
    view = one(text)
    assert isinstance(view, CreateView)
    assert (view.name, view.columns, view.body) == ("my v", "(a, b)", CALL)
    assert (view.or_replace, view.temp, view.if_not_exists) == (True, True, False)
    assert text[view.body_span.start : view.body_span.end] == CALL


@pytest.mark.parametrize("word", ["MACRO", "FUNCTION"])
def test_create_macro_with_calls(word: str) -> None:
    scalar = one(f"CREATE {word} IF NOT EXISTS m(a, b := 'AS') AS LLM_GENERATE('{{a}}')")
    assert isinstance(scalar, CreateMacro)
    assert (scalar.name, scalar.kind, scalar.parameters) == ("m", "scalar", "(a, b := 'AS')")
    assert scalar.body == "LLM_GENERATE('{a}')"
    assert scalar.if_not_exists
    table = one(f"CREATE {word} m(a) AS TABLE {CALL}")
    assert isinstance(table, CreateMacro)
    assert (table.kind, table.body) == ("table", CALL)


def test_a_view_over_a_known_view_has_llm_parts() -> None:
    view = one("CREATE VIEW w AS SELECT * FROM v", "v")
    assert isinstance(view, CreateView)
    dropped = one("DROP VIEW IF EXISTS v", "v")
    assert isinstance(dropped, DropNamed)
    assert (dropped.what, dropped.name, dropped.if_exists) == ("view", "v", True)


def test_words_of_ours_are_not_reserved() -> None:
    for text in (
        "SELECT model, prompt, profile FROM models JOIN prompts USING (cache)",
        "DESCRIBE model",
        "CREATE TABLE prompt (cache INTEGER)",
        "SELECT * FROM profile",
    ):
        assert type(one(text)) is Sql


ALIAS = "FROM (VALUES ('a'), ('b')) AS llm_score (c)"


def test_an_alias_with_columns_is_no_call() -> None:
    for text in (ALIAS, f"CREATE MACRO f(x) AS TABLE {ALIAS}", f"CREATE MACRO f(x) AS ({ALIAS})"):
        assert isinstance(one(text), Sql)
    assert isinstance(one("CREATE MACRO f(x) AS LLM_SCORE(x)"), CreateMacro)
    assert isinstance(one(f"{CALL} {ALIAS}"), LlmSql)


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        (f"SELECT 1; {ALIAS}", 0),
        ("CREATE OR REPLACE TEMP FUNCTION f(x) AS LLM_SCORE(x)", 1),
        ("CREATE MACRO f(x) AS LLM_SCORE(x), (x, y) AS LLM_FILTER(x)", 2),
        (f"CREATE MACRO f(x) AS LLM_SCORE(x) + (SELECT count(*) {ALIAS})", 1),
        (f"CREATE MACRO f(x) AS 1; {ALIAS}", 0),
    ],
)
def test_the_body_of_a_macro_is_a_call_and_an_alias_in_it_is_none(text: str, calls: int) -> None:
    assert sum(token.type == "VERB" for token in tokenize(text)) == calls
