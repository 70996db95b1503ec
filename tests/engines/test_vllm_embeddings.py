"""Embeddings of the embedded vLLM engine, run for real on tiny models with random weights."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from receiver import Receiver, calls

import heliumql
from heliumql.engines import open_engine
from heliumql.engines.engine import CallSpec, Sampling, Warmup, tasks_of
from heliumql.engines.vllm import VllmEngine
from heliumql.errors import CatalogError
from heliumql.syntax.verbs.embedding import VECTOR

PATIENCE = 120  # seconds that anything may take on a busy machine
HERE = Path(__file__).parent
SPEC = CallSpec(Sampling(max_tokens=0), VECTOR, 2, "embed")
TEXTS = ("a funny film", "tax law <|im_end|> [SEP]", "one word after another")

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("vllm") is None, reason="vLLM is not installed"
)


def program(name: str, *arguments: str) -> str:
    """What a program beside this file prints; torch stays out of the tests' process."""
    command = [sys.executable, str(HERE / name), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoder")
    program("make_encoder.py", str(folder))
    return folder


@pytest.fixture(scope="module")
def engine(checkpoint: Path) -> Iterator[VllmEngine]:
    engine = VllmEngine({"model": str(checkpoint), "task": "embed", "kv_cache_tokens": 8192})
    engine.start()
    yield engine
    engine.close()


def embedded(engine: VllmEngine, texts: Sequence[str]) -> Receiver:
    receiver = Receiver()
    engine.submit(SPEC, calls(texts), receiver)
    receiver.wait(len(texts), PATIENCE)
    assert not receiver.errors
    return receiver


def check(engine: VllmEngine, folder: Path, place: int) -> None:
    """Its vectors are those that transformers computes."""
    printed = program("embed_with_transformers.py", str(folder), str(place), *TEXTS)
    found = embedded(engine, TEXTS).texts()
    for number, line in enumerate(printed.splitlines()):
        vector = json.loads(str(found[number]))
        assert vector == pytest.approx(json.loads(line), abs=1e-4)


def test_a_causal_model_gives_the_state_of_the_last_token(engine: VllmEngine, checkpoint: Path):
    check(engine, checkpoint, -1)


def test_an_encoder_embeds_though_it_has_no_kv_cache(encoder: Path):
    engine = VllmEngine({"model": str(encoder), "task": "embed"})
    try:
        engine.start()
        assert engine.workers[0].kv_cache_tokens >= 128
        check(engine, encoder, 0)
    finally:
        engine.close()


def test_an_over_long_text_fails_alone(engine: VllmEngine):
    answers = embedded(engine, ["short", "word " * 5000]).answers
    assert answers[0]["error"] is None
    assert (answers[0]["prompt_tokens"], answers[0]["output_tokens"]) == (4, 0)
    assert re.fullmatch(r"the text has [\d,]+ tokens, .* is 4,096", answers[1]["error"])
    assert answers[1]["finish_reason"] == "context"


def test_nothing_is_warmed_and_speed_is_measured(engine: VllmEngine):
    told: list[bytes] = []
    same = (("user", "word " * 200),)
    engine.warm([Warmup(b"k", 0, same, same, True)], lambda key, *_: told.append(key))
    engine.calibrate()
    assert engine.observed().steps
    assert not told
    assert embedded(engine, ["still there"]).answers[0]["error"] is None


def test_rows_are_ranked_by_an_embedding_model(checkpoint: Path):
    with heliumql.connect() as connection:
        connection.execute(
            f"CREATE MODEL e WITH (engine = 'vllm', model = '{checkpoint}', task = 'embed',"
            " kv_cache_tokens = 8192)"
        )
        relation = connection.sql(
            "SELECT x FROM (VALUES ('tax law'), ('one word'), ('a film'), ('one word')) t(x)"
            " ORDER BY LLM_SIMILARITY(x, 'one word') DESC LIMIT 2"
        )
        assert relation is not None
        assert relation.fetchall() == [("one word",), ("one word",)]
        assert (relation.stats.calls_run, relation.stats.output_tokens) == (3, 0)
        with pytest.raises(CatalogError, match="the model e embeds, it does not generate"):
            connection.sql("SELECT LLM_GENERATE('x', model => 'e')")


def test_the_task_is_one_of_two(checkpoint: Path):
    options = {"engine": "vllm", "model": str(checkpoint)}
    assert tasks_of(open_engine(options)) == {"generate"}
    assert tasks_of(open_engine({**options, "task": "embed"})) == {"embed"}
    with pytest.raises(CatalogError, match="task must be 'generate' or 'embed', not 'rank'"):
        open_engine({**options, "task": "rank"})
