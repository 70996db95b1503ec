"""A schedule: where each call runs, and which of the ready ones goes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

ANY = -1  # a call that may run on any worker of its engine

Choice = Literal["rank", "longest_prefix"]


@dataclass(frozen=True)
class Pin:
    """A prefix that is computed before the calls that share it, and kept until they are done."""

    node: int  # of the tree
    worker: int
    tokens: int
    calls: Sequence[int]  # that begin with it, on this worker


@dataclass(frozen=True)
class Schedule:
    """A soft schedule: calls that are not ready are overtaken, never waited for.

    Exceptions are stages, for the policies that have barriers (a call may start when all calls of
    earlier stages are done), and `strict` ones.
    """

    policy: str
    rank: Sequence[int]  # of each call; among ready calls the smallest goes first
    worker: Sequence[int]  # number in the list of workers, or ANY
    stage: Sequence[int] = ()
    group: Sequence[int] = ()
    """Calls with a number in common share a heavy prefix: a worker that runs dry takes them over
    together. Empty: nothing is taken over."""
    choice: Choice = "rank"
    """`longest_prefix`: the ready call of which most is in the worker's prefix cache goes first,
    ties by rank (LSPF)."""
    strict: bool = False  # calls go exactly in this order: one that is not ready is waited for
    pins: Sequence[Pin] = ()
    at_once: int = 0  # calls in flight on a worker at most; 0: as many as it has room for
    order: str = ""  # in words, where the policy chose it among others
    looked_at: Sequence[tuple[str, float]] = ()
    """The orders that were compared, and the seconds that each is expected to take."""
    seconds: float | None = None  # expected until the last answer
    hit_tokens: int | None = None  # prompt tokens expected in prefix caches
