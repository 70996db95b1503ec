"""Where the tests of benchmarks find these, and the server that stands in for a model."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

BENCHMARK = str(Path(__file__).parents[2] / "benchmark")

sys.path.append(str(Path(__file__).parents[1] / "engines"))  # stub_server.py


@pytest.fixture(scope="module", autouse=True)
def _benchmark_on_the_path() -> Iterator[None]:
    sys.path.insert(0, BENCHMARK)
    yield
    sys.path.remove(BENCHMARK)


@pytest.fixture
def vllm_seems_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what starts nothing: it is chosen, or refused."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: find("json", *a))
