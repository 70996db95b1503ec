"""Options of a model that cannot be: said when it is made, and of a stored one when it is used."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

import heliumql
from heliumql.engines.simulated import SimulatedEngine
from heliumql.errors import CatalogError

WRONG = [
    ("max_tokens", "'abc'", "a whole number from 1"),
    ("max_tokens", "0", "a whole number from 1"),
    ("max_tokens", "-1", "a whole number from 1"),
    ("max_tokens", "1.7", "a whole number from 1"),
    ("max_tokens", "true", "a whole number from 1"),
    ("temperature", "'hot'", "a number from 0"),
    ("temperature", "-1", "a number from 0"),
    ("temperature", "1e999", "a number from 0"),
    ("top_p", "5", "a number from 0 to 1"),
    ("seed", "'x'", "a whole number"),
    ("stop", "3", "a string or a list of strings"),
    ("stop", "['a', 3]", "a string or a list of strings"),
    ("retries", "'x'", "a whole number from 0"),
    ("retries", "-4", "a whole number from 0"),
]
WRONG_OF_MODELS = [
    ("concurrency", "0", "a whole number from 1"),
    ("price_in", "'x'", "a number from 0"),
    ("price_in", "-1", "a number from 0"),
    ("price_out", "1e999", "a number from 0"),
]
RIGHT = (
    "max_tokens = 1, temperature = 0.5, top_p = 1, seed = -3, stop = ['a', 'b'], retries = 0, "
    "concurrency = 1, price_in = 0.15, price_out = 0"
)
NULLS = (
    "max_tokens = NULL, temperature = NULL, top_p = NULL, seed = NULL, stop = NULL, "
    "retries = NULL, concurrency = NULL, price_in = NULL, price_out = NULL"
)


@pytest.mark.parametrize("engine", ["vllm", "openai", "simulated"])
@pytest.mark.parametrize(("key", "value", "expected"), [*WRONG, *WRONG_OF_MODELS])
def test_create_model_points_at_the_value(engine: str, key: str, value: str, expected: str) -> None:
    text = f"CREATE MODEL m WITH (engine = '{engine}', model = 'x', {key} = {value})"
    with heliumql.connect() as con:
        with pytest.raises(heliumql.CatalogError) as caught:
            con.execute(text)
        assert str(caught.value) == (
            f"{key} must be {expected}\n  at line 1\n1 | {text}\n"
            f"  | {' ' * text.rindex(value)}{'^' * len(value)}"
        )
        assert [row[0] for row in con.sql("SHOW MODELS").fetchall()] == ["demo"]


@pytest.mark.parametrize(("key", "value", "expected"), WRONG)
def test_an_argument_of_a_call_gives_the_same_words(key: str, value: str, expected: str) -> None:
    with heliumql.connect() as con, pytest.raises(heliumql.BindError) as caught:
        con.sql(f"SELECT LLM_GENERATE('x', {key} => {value})")
    assert caught.value.message == f"{key} must be {expected}"


def test_an_engines_own_check_points_at_the_value_too() -> None:
    text = "CREATE MODEL m WITH (engine = 'openai', model = 'x', timeout = 'late')"
    with heliumql.connect() as con, pytest.raises(heliumql.CatalogError) as caught:
        con.execute(text)
    assert caught.value.span is not None
    assert text[caught.value.span.start : caught.value.span.end] == "'late'"


@pytest.mark.parametrize("options", [RIGHT, NULLS])
def test_what_can_be_is_taken(options: str) -> None:
    with heliumql.connect() as con:
        con.execute(f"CREATE MODEL m WITH (engine = 'simulated', instant = true, {options})")
        assert len(con.sql("SELECT LLM_GENERATE('x')").fetchall()) == 1


def test_register_model_checks_its_options() -> None:
    engine = SimulatedEngine({"instant": True})
    with heliumql.connect() as con:
        with pytest.raises(heliumql.CatalogError) as caught:
            con.register_model("m", engine, max_tokens="abc")
        assert str(caught.value) == "max_tokens must be a whole number from 1"
        assert [row[0] for row in con.sql("SHOW MODELS").fetchall()] == ["demo"]
        con.register_model("m", engine, stop=("a", "b"), seed=None, temperature=0.0)
        assert len(con.sql("SELECT LLM_GENERATE('x')").fetchall()) == 1


@pytest.mark.parametrize("call", ["LLM_GENERATE('x')", "LLM_GENERATE('x', model => 'm')"])
def test_a_stored_model_shows_its_mistake_when_it_is_used(tmp_path: Path, call: str) -> None:
    path = tmp_path / "a.db"
    with heliumql.connect(path) as con:
        con.execute("CREATE MODEL m WITH (engine = 'simulated', max_tokens = 100)")
    with duckdb.connect(path) as plain:
        plain.execute(
            "UPDATE heliumql.catalog SET statement = replace(statement, '100', '''abc''')"
        )
    with heliumql.connect(path) as con:
        assert con.sql("SELECT 1").fetchall() == [(1,)]
        with pytest.raises(heliumql.CatalogError) as caught:
            con.sql(f"SELECT {call}")
        assert str(caught.value) == (
            "the model m cannot be used: max_tokens must be a whole number from 1\n"
            f"  at line 1\n1 | SELECT {call}\n  |        {'^' * len(call)}\n"
            "hint: CREATE OR REPLACE or DROP the model"
        )
        con.execute("CREATE OR REPLACE MODEL m WITH (engine = 'simulated', max_tokens = 100)")
        assert len(con.sql(f"SELECT {call}").fetchall()) == 1


@pytest.mark.parametrize("engine", ["simulated", "vllm"])
def test_there_may_be_only_so_many_workers(engine: str) -> None:
    with heliumql.connect() as con, pytest.raises(CatalogError, match="at most 256, not 100000"):
        con.execute(f"CREATE MODEL many WITH (engine = '{engine}', model = 'x', workers = 100000)")
