"""How much a suite has to keep, and the KV cache that is made for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from suites import engines
from suites.recording import Asked, distinct_tokens
from suites.runs import run, session
from suites.suite import Suite

from bench.chosen import Chosen

_ENDLESS = 1 << 24


@dataclass(frozen=True)
class Size:
    """What a suite has to keep, in tokens."""

    calls: int
    working_set: int  # prompts and answers, common beginnings once
    at_once: int  # what the longest calls need that are computed together
    longest: int  # call

    def kv_cache_tokens(self, choice: str) -> int | None:
        """Of each worker, whole blocks; None where the engine takes what memory is free."""
        match choice:
            case "free":
                return None
            case "quarter":
                tokens = max(self.working_set // 4, self.at_once)
            case "tight":
                tokens = max(self.working_set // 16, 2 * self.longest)
            case "all":
                tokens = 2 * self.working_set
            case _:
                tokens = max(int(choice), self.longest)
        return -(-tokens // engines.BLOCK) * engines.BLOCK

    def on(self, hardware: str, choice: str) -> int | None:
        """The same, at most what the hardware has, unless a number of tokens is chosen."""
        tokens = self.kv_cache_tokens(choice)
        if tokens is None or choice.isdecimal():
            return tokens
        return min(tokens, engines.HARDWARE[hardware].kv_tokens)

    def part(self, part: Fraction) -> int:
        """A KV cache of a part of the working set, whole blocks; the two longest calls fit."""
        tokens = max(int(self.working_set * part), 2 * self.longest)
        return -(-tokens // engines.BLOCK) * engines.BLOCK


def size_of(record: Sequence[Asked], slots: int) -> Size:
    block = engines.BLOCK
    blocks = sorted((-(-len(asked.tokens) // block) for asked in record), reverse=True)
    at_once = sum(blocks[:slots]) * block
    return Size(len(record), distinct_tokens(record), at_once, blocks[0] * block)


def measure(suite: Suite, chosen: Chosen) -> Size:
    """Of the suite as chosen, found in virtual time."""
    planned = engines.simulated(_ENDLESS, 1, chosen.slots)
    rows, scale = chosen.rows_of(suite), chosen.scale_of(suite)
    with session(suite, planned, rows, scale, chosen.seed) as con:
        found = run(con, suite.text(chosen.apart), planned, "fcfs")
    return size_of(found.record, chosen.slots)
