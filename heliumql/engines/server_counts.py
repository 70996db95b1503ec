"""What a vLLM server counts of itself, read from the text of its /metrics."""

from __future__ import annotations

import re
from dataclasses import dataclass

from heliumql.cost.speeds import Step

_STEPS = "vllm:iteration_tokens_total_count"
_PROMPTS = "vllm:prompt_tokens_total"
_HITS = "vllm:prefix_cache_hits_total"
_DRAWN = "vllm:generation_tokens_total"
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Cache:
    """The KV cache of a server."""

    tokens: int
    block: int  # tokens


@dataclass(frozen=True)
class Counts:
    """Counts since the server started."""

    steps: float
    prefill: float  # tokens of prompts that were computed, not found
    drawn: float  # tokens of answers

    def step_since(self, before: Counts, seconds: float) -> Step | None:
        """The mean of the steps between two moments, so many seconds of work apart.

        None where there were none, or where the server has begun to count anew.
        """
        steps = self.steps - before.steps
        prefill, drawn = self.prefill - before.prefill, self.drawn - before.drawn
        if steps <= 0 or prefill < 0 or drawn < 0 or seconds <= 0:
            return None
        return Step(seconds / steps, prefill / steps, drawn / steps, 0.0, 0.0, steps)


def read_counts(metrics: str) -> Counts | None:
    """None where vLLM does not say it, or says it of several engines behind one address, whose
    steps overlap."""
    found: dict[str, float] = {}
    for name, _, value in _samples(metrics):
        if name in found:
            return None
        found[name] = value
    if len(found) < len(_NAMES):
        return None
    return Counts(found[_STEPS], found[_PROMPTS] - found[_HITS], found[_DRAWN])


def read_cache(metrics: str) -> Cache | None:
    """The smallest of those that the server tells of."""
    found = []
    for _, labels, _ in _samples(metrics, ("vllm:cache_config_info",)):
        told = dict(_LABEL.findall(labels))
        try:
            blocks, block = int(told["num_gpu_blocks"]), int(told["block_size"])
        except (KeyError, ValueError):
            continue
        if blocks > 1 and block > 0:
            found.append(Cache((blocks - 1) * block, block))  # one is never used
    return min(found, key=lambda cache: cache.tokens, default=None)


_NAMES = (_STEPS, _PROMPTS, _HITS, _DRAWN)


def _samples(metrics: str, names: tuple[str, ...] = _NAMES) -> list[tuple[str, str, float]]:
    """Name, labels and value of each line that has one of the names."""
    found = []
    for line in metrics.splitlines():
        name, brace, rest = line.partition("{")
        if not brace:
            name, _, rest = line.partition(" ")
        if name in names:
            labels, _, value = rest.rpartition(" ")
            try:
                found.append((name, labels, float(value)))
            except ValueError:
                continue
    return found
