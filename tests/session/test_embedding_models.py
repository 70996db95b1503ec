"""Which models embed, and what is said of those that do not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import heliumql
from heliumql.connection import Connection
from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import ScriptedAnswer, SimulatedEngine
from heliumql.errors import CatalogError, ExecutionError, HeliumQLError


def said(messages: tuple[tuple[str, str], ...], spec: CallSpec) -> str | None:
    """A vector as the text itself says, where it says one."""
    text = messages[-1][1]
    return text if spec.task == "embed" and text.startswith("[") else None


@pytest.fixture
def connection() -> Iterator[Connection]:
    with heliumql.connect() as made:
        made.register_model("m", SimulatedEngine({"instant": True}, said), temperature=0.7)
        yield made


def rows(connection: Connection, query: str) -> list[tuple[object, ...]]:
    relation = connection.sql(query)
    assert relation is not None
    return relation.fetchall()


class Generator(SimulatedEngine):
    """An engine that does not say what it can do."""

    def __getattribute__(self, name: str) -> object:
        if name == "tasks":
            raise AttributeError(name)
        return super().__getattribute__(name)


def test_a_model_that_does_not_embed_is_named(connection: Connection):
    with pytest.raises(CatalogError) as error:
        connection.sql("SELECT LLM_EMBED('x', model => 'demo')")
    assert error.value.message == "the model demo does not embed"
    assert "openai and simulated" in str(error.value.hint)
    assert "task = 'embed'" in str(error.value.hint)
    connection.register_model("g", Generator({"instant": True}))
    with pytest.raises(CatalogError, match="the model g does not embed"):
        connection.sql("SELECT LLM_SIMILARITY('x', 'y', model => 'g')")


@pytest.mark.parametrize("engine", ["simulated", "openai"])
def test_the_task_of_a_model_is_any_but_where_it_says_one(connection: Connection, engine: str):
    made = f"CREATE OR REPLACE MODEL e WITH (engine = '{engine}', model = 'e', task = "
    connection.execute(made + "'generate')")
    with pytest.raises(CatalogError, match="the model e does not embed"):
        connection.sql("SELECT LLM_EMBED('x', model => 'e')")
    connection.execute(made + "'embed')")
    with pytest.raises(CatalogError, match="the model e embeds, it does not generate"):
        connection.sql("SELECT LLM_FILTER('x', model => 'e')")
    with pytest.raises(CatalogError, match="task must be 'generate' or 'embed', not 'rank'"):
        connection.execute(made + "'rank')")


def test_the_sampling_of_a_model_is_not_that_of_embeddings(connection: Connection):
    query = "SELECT LLM_EMBED('a {x}') FROM (VALUES ('b'), ('b')) t(x)"
    relation = connection.sql(query)
    assert relation is not None
    (one,), (other,) = relation.fetchall()
    assert one == other
    assert (relation.stats.calls_run, relation.stats.output_tokens) == (1, 0)


@pytest.mark.parametrize(
    ("vector", "reason"),
    [
        ("[]", "the embedding is empty"),
        ("[1, NaN]", "the embedding is not finite"),
        ("[1e39]", "the embedding is not finite"),
        ("[0, 0.0]", "the embedding is zero"),
        ("[1, null]", "not a list of numbers"),
        ("[true]", "not a list of numbers"),
        ("[1", "is not an embedding"),
    ],
)
def test_what_is_no_direction_is_a_row_error(connection: Connection, vector: str, reason: str):
    assert rows(connection, f"SELECT LLM_EMBED('{vector}')") == [(None,)]
    with pytest.raises(ExecutionError, match=reason):
        rows(connection, f"SELECT LLM_EMBED('{vector}', on_error => 'fail', retries => 0)")


def test_vectors_are_floats_to_the_last_bit(connection: Connection):
    numbers = [0.1, -1e-30, 16777217, 3.4028234663852886e38, 1 / 3]
    text = str(numbers)
    for _ in "asked", "remembered":
        assert rows(connection, f"SELECT LLM_EMBED('{text}') = {text}::FLOAT[]") == [(True,)]


@pytest.mark.parametrize("optimizer", ["on", "off"])
def test_vectors_of_different_lengths_are_an_error_of_ours(connection: Connection, optimizer: str):
    connection.set("llm_optimizer", optimizer)
    with pytest.raises(HeliumQLError) as error:
        rows(connection, "SELECT LLM_SIMILARITY('[1, 2]', '[1, 2, 3]')")
    assert error.value.message == "vectors of 2 and 3 dimensions cannot be compared"
    assert rows(connection, "SELECT LLM_SIMILARITY('[1, 2]', '[2, 4]')") == [(1.0,)]


def test_an_over_long_text_is_a_row_error(connection: Connection):
    connection.execute(
        "CREATE MODEL s WITH (engine = 'simulated', instant = true, max_model_len = 40)"
    )
    query = (
        "SELECT LLM_EMBED(repeat('word ', n), model => 's') IS NULL FROM (VALUES (3), (90)) t(n)"
    )
    assert rows(connection, query) == [(False,), (True,)]


def test_a_script_may_fail_an_embedding():
    def fails(messages: object, spec: CallSpec) -> ScriptedAnswer:
        return ScriptedAnswer(error="down")

    with heliumql.connect() as connection:
        connection.register_model("m", SimulatedEngine({"instant": True}, fails))
        with pytest.raises(ExecutionError, match=r"a call of LLM_EMBED#1 failed: down"):
            rows(connection, "SELECT LLM_SIMILARITY('a', 'b', on_error => 'fail')")
