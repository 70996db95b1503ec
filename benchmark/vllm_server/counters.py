"""What a vLLM server counts of itself, read from the text of its /metrics."""

from __future__ import annotations

from dataclasses import astuple, dataclass

_NAMES = {
    "requests": "vllm:request_success_total",
    "prompt_tokens": "vllm:prompt_tokens_total",
    "hit_tokens": "vllm:prefix_cache_hits_total",
    "output_tokens": "vllm:generation_tokens_total",
    "preemptions": "vllm:num_preemptions_total",
    "steps": "vllm:iteration_tokens_total_count",
}


@dataclass(frozen=True)
class Counters:
    """Counts since a server started, or their difference between two moments."""

    requests: int = 0
    prompt_tokens: int = 0
    hit_tokens: int = 0
    output_tokens: int = 0
    preemptions: int = 0
    cpu_seconds: float = 0.0
    steps: int = 0

    def __add__(self, other: Counters) -> Counters:
        return Counters(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __sub__(self, other: Counters) -> Counters:
        return Counters(*(a - b for a, b in zip(astuple(self), astuple(other), strict=True)))


def parse(metrics: str, cpu_seconds: float = 0.0) -> Counters:
    """The counters of a /metrics text, summed over their labels."""
    sums: dict[str, float] = {}
    for line in metrics.splitlines():
        if line and not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            name = name.split("{", 1)[0]
            sums[name] = sums.get(name, 0.0) + float(value)
    counts = {field: int(sums.get(name, 0)) for field, name in _NAMES.items()}
    return Counters(**counts, cpu_seconds=cpu_seconds)
