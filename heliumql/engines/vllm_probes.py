"""Calls with which a vLLM worker measures its speed; vllm_worker.py runs them."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from typing import NamedTuple

_LENGTHS = (64, 256, 1024, 4096)  # tokens of a prompt alone
_BATCHES = (1, 4, 8, 16, 32, 64)  # calls that decode together
_SHORT, _LONG = 32, 512  # tokens of the prompts of calls that decode
_OUTPUT = 12


class Probe(NamedTuple):
    """Calls that are run together."""

    calls: int
    prompt: int  # tokens of each
    output: int

    @property
    def tokens(self) -> int:
        return self.calls * (self.prompt + self.output)


def probes(longest: int, together: int, room: int) -> list[Probe]:
    """Probes for a context of `longest` tokens, `together` calls at once and `room` tokens in the
    KV cache: those that are soon done first, so that one may stop at any time."""
    alone = [Probe(1, length, 1) for length in _LENGTHS]
    batches = [Probe(calls, _SHORT, _OUTPUT) for calls in _BATCHES]
    found = [*alone, *batches, Probe(4, _LONG, _OUTPUT)]
    return sorted(
        (
            probe
            for probe in found
            if probe.prompt + probe.output <= longest
            and probe.calls <= together
            and 2 * probe.tokens <= room
        ),
        key=lambda probe: probe.tokens,
    )


def texts(seed: int) -> Iterator[str]:
    """Words of random letters, so that no two prompts share a block."""
    draw = random.Random(seed)
    while True:
        yield "".join(draw.choices(string.ascii_lowercase, k=draw.randrange(2, 9))) + " "
