"""What the evaluation of one statement works with, whichever way it is evaluated."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field

import duckdb

from heliumql.calls.answers import AnswerStore
from heliumql.calls.budget import Limits
from heliumql.calls.learnt import Learnt
from heliumql.frames import Names
from heliumql.physical.flights import Flights
from heliumql.physical.kept import KeptPrefixes
from heliumql.physical.output import Caster
from heliumql.physical.site import Site
from heliumql.physical.snapshot import OneThread
from heliumql.stats import Progress
from heliumql.trace import Track


@dataclass(frozen=True)
class Context:
    """The session's parts that an evaluation needs."""

    connection: duckdb.DuckDBPyConnection
    sites: Mapping[int, Site]
    store: AnswerStore
    learnt: Learnt
    flights: Flights
    caster: Caster
    one_thread: OneThread
    kept: KeptPrefixes = field(default_factory=KeptPrefixes)
    limits: Limits = field(default_factory=Limits)  # of what the statement may spend
    batch_rows: int = 1024
    window_bytes: int = 128_000_000  # of waiting rows, and of named calls, held in memory
    scheduler: str = "cache_aware"  # the policy
    off: Set[str] = frozenset()  # techniques that are not used
    timed: bool = False  # the times of calls are noted in the account
    track: Track | None = None  # of the statement, where a trace is written
    traced: bool = False  # a trace is written
    verify: bool = False
    lossless: bool = False  # arrow_lossless_conversion of the connection
    names: Names = field(default_factory=dict)  # of the caller's Python variables
    progress: Callable[[Progress], None] | None = None
    interrupted: threading.Event = field(default_factory=threading.Event)
