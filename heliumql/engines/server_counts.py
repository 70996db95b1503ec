"""What a vLLM server counts of itself, read from the text of its /metrics."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from heliumql.cost.speeds import Step

_STEPS = "vllm:iteration_tokens_total_count"
_PROMPTS = "vllm:prompt_tokens_total"
_CACHED = "vllm:prompt_tokens_cached_total"  # counted together with the prompts
_HITS = "vllm:prefix_cache_hits_total"  # of older versions: counted when a prompt is begun
_DRAWN = "vllm:generation_tokens_total"
_CREATED = "vllm:prompt_tokens_created"
_CACHE = "vllm:cache_config_info"
_SEVERAL_A_STEP = "vllm:spec_decode_"  # a step may draw several tokens of an answer then
_SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? +(\S+)")  # a time may follow
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_FASTEST = 0.0001  # seconds a step: no engine is faster, so the counts are not of one server
# Steps that only begin long prompts are not counted: so many tokens a step are several steps'.
_LARGEST = 8192


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
    created: float = 0.0  # when it started, if it says so

    def follows(self, before: Counts) -> bool:
        """They are of the same server, later."""
        return (
            self.created == before.created
            and self.steps >= before.steps
            and self.drawn >= before.drawn
        )

    def lacks_prompts(self, before: Counts) -> bool:
        """Tokens were counted as found of prompts that will be counted later."""
        return self.prefill < before.prefill

    def step_since(self, before: Counts, seconds: float) -> Step | None:
        """The mean of the steps of so many seconds of work; None where there is none to tell of."""
        steps = self.steps - before.steps
        prefill, drawn = self.prefill - before.prefill, self.drawn - before.drawn
        if steps <= 0 or min(prefill, drawn) < 0:
            return None
        if seconds / steps < _FASTEST or prefill / steps > _LARGEST:
            return None
        return Step(seconds / steps, prefill / steps, drawn / steps, 0.0, 0.0, steps)


def read_counts(metrics: str) -> Counts | None:
    """None where vLLM does not say it, or says it of several engines behind one address, whose
    steps overlap, or where a step may draw several tokens of an answer."""
    found: dict[str, float] = {}
    for name, _, value in _samples(metrics):
        if name.startswith(_SEVERAL_A_STEP) or (name in found and name in _NEEDED):
            return None
        found[name] = value
    hits = found.get(_CACHED, found.get(_HITS))
    if hits is None or not all(name in found for name in _NEEDED):
        return None
    created = found.get(_CREATED, 0.0)
    return Counts(found[_STEPS], found[_PROMPTS] - hits, found[_DRAWN], created)


def read_cache(metrics: str) -> Cache | None:
    """The smallest of those that the server tells of."""
    found = []
    for name, labels, _ in _samples(metrics):
        if name != _CACHE:
            continue
        told = dict(_LABEL.findall(labels))
        try:
            blocks, block = int(told["num_gpu_blocks"]), int(told["block_size"])
        except (KeyError, ValueError):
            continue
        if blocks > 1 and block > 0:
            found.append(Cache((blocks - 1) * block, block))  # one is never used
    return min(found, key=lambda cache: cache.tokens, default=None)


_NEEDED = (_STEPS, _PROMPTS, _DRAWN)
_READ = {*_NEEDED, _CACHED, _HITS, _CREATED, _CACHE}


def _samples(metrics: str) -> list[tuple[str, str, float]]:
    """Name, labels and value of each line that says one of what is read."""
    found = []
    for line in metrics.splitlines():
        sample = _SAMPLE.match(line)
        if sample is None:
            continue
        name, labels, value = sample.groups()
        if name in _READ or name.startswith(_SEVERAL_A_STEP):
            try:
                number = float(value)
            except ValueError:
                continue
            if math.isfinite(number):
                found.append((name, labels or "", number))
    return found
