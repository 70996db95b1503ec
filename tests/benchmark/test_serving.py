"""What a vLLM server counts of itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

BENCHMARK = str(Path(__file__).parents[2] / "benchmark")
METRICS = """\
# HELP vllm:prompt_tokens_total Number of prefill tokens processed.
# TYPE vllm:prompt_tokens_total counter
vllm:prompt_tokens_total{engine="0",model_name="m"} 640.0
vllm:prefix_cache_hits_total{engine="0",model_name="m"} 320.0
vllm:generation_tokens_total{engine="0",model_name="m"} 16.0
vllm:num_preemptions_total{engine="0",model_name="m"} 1.0
vllm:request_success_total{engine="0",finished_reason="stop",model_name="m"} 1.0
vllm:request_success_total{engine="0",finished_reason="length",model_name="m"} 2.0
vllm:request_success_created{engine="0",finished_reason="length",model_name="m"} 1.7e+09
"""


@pytest.fixture(scope="module", autouse=True)
def _benchmark_on_the_path() -> Iterator[None]:
    sys.path.insert(0, BENCHMARK)
    yield
    sys.path.remove(BENCHMARK)


def test_metrics_are_summed_over_their_labels() -> None:
    from serving.counters import Counters, parse

    assert parse(METRICS, 2.5) == Counters(3, 640, 320, 16, 1, 2.5)


def test_two_moments_have_a_difference() -> None:
    from serving.counters import Counters, parse

    later = parse(METRICS, 2.5)
    assert later - later == Counters()
    assert later + Counters(1, 2, 3, 4, 5, 0.5) - later == Counters(1, 2, 3, 4, 5, 0.5)
