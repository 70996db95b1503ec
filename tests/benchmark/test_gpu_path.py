"""What runs on a GPU, without one: a model without weights, drawn answers, the script of all."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from started_program import ROOT, heliumql, python

TINY = "--layers=2 --hidden=128 --heads=4 --kv-heads=2 --head-dim=32 --intermediate=256"
needs_vllm = pytest.mark.skipif(
    importlib.util.find_spec("vllm") is None, reason="vLLM is not installed"
)


def script(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The script of all parts, in virtual time and small."""
    small = {"ENGINE": "simulated", "SCALE": "0.1", "ROWS": "2", "REPEAT": "1", "SLOTS": "8"}
    small["ABLATION"] = ""
    return subprocess.run(
        ["bash", ROOT / "benchmark" / "gpu" / "run.sh", folder],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHON": sys.executable} | small | variables,
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("tiny")
    made = python("benchmark/gpu/model.py", folder, *TINY.split(), "--vocabulary=5000")
    assert made.returncode == 0, made.stderr
    return folder


def test_a_model_has_the_shape_that_is_asked_for_and_says_what_answers_are_of(model: Path) -> None:
    from suites.vocabulary import invented, vocabulary

    config = json.loads((model / "config.json").read_text("utf-8"))
    assert (config["num_hidden_layers"], config["vocab_size"]) == (2, 5000)
    assert [vocabulary()[n] for n in config["answer_token_ids"]] == list(invented())
    assert not list(model.glob("*.safetensors"))


def test_the_shape_is_that_of_qwen3_8b_by_default() -> None:
    from gpu.model import Shape

    shape = Shape()
    query, keys = shape.heads * shape.head_dim, 2 * shape.kv_heads * shape.head_dim
    layer = shape.hidden * (2 * query + keys + 3 * shape.intermediate)
    weights = shape.layers * layer + 2 * shape.vocabulary * shape.hidden
    assert round(weights / 1e9, 1) == 8.2
    assert 2 * keys * shape.layers == 144 << 10  # bytes of a token in the KV cache, in bfloat16


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("--vocabulary 100", "the vocabulary needs"),
        ("--heads 6 --kv-heads 4", "6 heads cannot share 4"),
        ("--layers 0", "'0' is not a whole number above zero"),
    ],
)
def test_a_shape_that_is_none_is_told(tmp_path: Path, arguments: str, told: str) -> None:
    done = python("benchmark/gpu/model.py", tmp_path / "m", *arguments.split())
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("--engine simulated --model docs", "--model is not for the engine simulated"),
        ("--engine simulated --kv-tokens free", "--kv-tokens free is for the engine vllm"),
        ("--engine simulated --eager", "--dtype, --attention and --eager are for a --model"),
        ("--model docs", "docs has no config.json"),
        ("--model catalog/models/demo", "does not say what answers are of"),
    ],
)
@needs_vllm
def test_wrong_usage_of_a_model_is_told(arguments: str, told: str) -> None:
    done = heliumql("bench", "mixed", *arguments.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@needs_vllm
def test_answers_are_drawn_by_their_prompts_in_any_batch(model: Path) -> None:
    """Two orders in bfloat16 on one engine: calls that wait for others, and a small KV cache."""
    from suites import engines, runs
    from suites.form import Form
    from suites.suite import SUITES
    from suites.vocabulary import invented, tokens

    suite, words = SUITES["debate"], set(invented())
    before = dict(os.environ)
    with engines.vllm(model, 4096, 1, 6, Form("bfloat16", weightless=True)) as engine:
        found = []
        for policy in ("fcfs", "random"):
            engines.forget(engine, 4096, 1)
            with runs.session(suite, engine, 1, 0.1) as con:
                found.append(runs.run(con, suite.text(), engine, policy))
    assert os.environ == before
    first, second = found
    assert first.rows == second.rows
    assert first.calls == second.calls == 36
    assert len({asked.text for asked in first.record}) == 36  # none is another's by accident
    for asked in first.record:  # as long as it may be, and cut as it was drawn
        assert words.issuperset(tokens(asked.text))
        assert len(asked.tokens) == asked.prompt_tokens + asked.output_tokens
    assert first.hit_tokens > 0  # a conversation that goes on finds the answer in the cache


@needs_vllm
def test_a_suite_runs_on_a_model_without_weights(model: Path, tmp_path: Path) -> None:
    arguments = ("mixed", "--quick", "--model", model, "--kv-tokens", "free", "--slots", "16")
    systems = ("--systems", "heliumql,random,oracle", "--output", tmp_path)
    done = heliumql("bench", *arguments, *systems)
    assert done.returncode == 0, done.stderr
    from measured.files import read

    rows = read(tmp_path)
    assert [row.system for row in rows] == ["heliumql", "heliumql:random", "oracle"]
    assert {row.model for row in rows} == {f"{model.name}, bfloat16"}
    assert {row.output_tokens for row in rows} == {64 * 8}
    assert all(row.equal and row.kv_tokens > 1000 for row in rows)
    assert f"KV cache {rows[0].kv_tokens:,} tokens" in done.stdout


def test_what_the_engine_refuses_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from bench.chosen import Chosen

    from heliumql.errors import EngineError

    def refuse(*_: object) -> None:
        raise EngineError("Unknown attention backend: 'NONE_SUCH'")

    from bench import running

    command = import_module("bench.command")  # the package has a function of that name
    monkeypatch.setattr(running, "engine", refuse)
    chosen = Chosen(("mixed",), ("heliumql",), "simulated", quick=True)
    assert command.command(chosen, None, sys.stdout) == 1
    assert "error: Unknown attention backend: 'NONE_SUCH'" in capsys.readouterr().err


def test_the_script_goes_on_after_a_failure_and_skips_what_is_done(tmp_path: Path) -> None:
    first = script(tmp_path, SUITES="mixed debat next_day", ABLATION="tables")
    assert first.returncode == 1
    assert "did you mean debate?" in first.stdout
    assert "not done: debat-simulated-rows2" in first.stderr
    report = (tmp_path / "report.md").read_text()
    found = re.findall(r"(?m)^## (\w+): scale 0.1", report)
    assert set(found) == {"mixed", "next_day", "tables"}
    again = script(tmp_path, SUITES="mixed next_day", ABLATION="tables")
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("done before") == 3
    assert len(list((tmp_path / "results").glob("*.parquet"))) == 3


def test_the_script_ends_a_part_that_takes_too_long(tmp_path: Path) -> None:
    done = script(tmp_path, SUITES="mixed", ROWS="2000", LIMIT="3")
    assert done.returncode == 1
    assert "no end within 3 s" in done.stdout
    assert not list((tmp_path / "done").iterdir())
