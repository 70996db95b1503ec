"""Runs of a suite in sessions of HeliumQL, and the replay of their calls without dependencies."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

import heliumql
from heliumql.connection import Connection
from heliumql.physical import scheduler
from heliumql.physical.scheduler import PlannedCalls
from heliumql.scheduling.simulation import simulate
from suites.recording import Asked, RecordingEngine
from suites.suite import Suite
from suites.tables import Generator

N = TypeVar("N", int, float)
_MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))


@dataclass(frozen=True)
class Run:
    """One run of a suite under a policy. Times in seconds, virtual ones on a simulated engine."""

    policy: str
    seconds: float
    cpu: float  # of the engine's processes; 0 on a simulated engine
    client_cpu: float  # of this process
    planning: float | None  # None where a system does not tell, as below
    asked: int  # calls that the result demanded
    calls: int  # that were run
    prompt_tokens: int
    hit_tokens: int  # of the prompt tokens, found in the prefix cache
    output_tokens: int
    foretold: float | None  # seconds, by the event model of the schedule
    rows: Sequence[tuple[Any, ...]]
    record: Sequence[Asked]
    cold: float | None = None  # seconds from the start of its process, where it has one
    steps: int | None = None  # of the engine, where it counts them

    @property
    def hit_rate(self) -> float:
        return self.hit_tokens / self.prompt_tokens

    @property
    def computed(self) -> int:
        """Prompt tokens that were not found."""
        return self.prompt_tokens - self.hit_tokens


@contextmanager
def session(
    suite: Suite,
    engine: RecordingEngine,
    rows: int,
    scale: float,
    seed: int = 0,
    *,
    store: bool = False,
    database: Path | None = None,
) -> Iterator[Connection]:
    """A session with the tables of the suite; answers are kept in it with `store`.

    It is in memory, or in the file of a database: then they are found by later sessions too.
    """
    with heliumql.connect(database or ":memory:") as con:
        kept = {} if database is None else {"model": "benchmark"}  # the name answers go by
        con.register_model("benchmark", engine, max_tokens=suite.max_tokens(scale), **kept)
        con.set("llm_cache", "use" if store else "off")
        con.set("llm_on_error", "fail")
        register(con, suite.tables, rows, scale, seed)
        yield con


def register(con: Connection, made: Generator, rows: int, scale: float, seed: int) -> None:
    """Makes the tables what the query reads, instead of those that it has read."""
    for name, table in made(rows, scale, seed).items():
        con.register(name, table)


def run(con: Connection, query: str, engine: RecordingEngine, policy: str, off: str = "") -> Run:
    """Runs the query, without the rules and techniques that are off.

    Raises RuntimeError where an answer was cut short or a call failed.
    """
    con.set("llm_scheduler", policy)
    con.set("llm_disabled_rules", off)
    engine.take()
    clock = _clock(engine)
    began, worked, client = clock(), _cpu(engine), time.process_time()
    stepped: int | None = getattr(engine.inner, "steps", None)
    with _watched() as plans:
        relation = con.sql(query)
        assert relation is not None
        rows = relation.fetchall()
    client_cpu = time.process_time() - client
    seconds, cpu = clock() - began, _cpu(engine) - worked
    stats = relation.stats
    record = engine.take()
    short = [asked for asked in record if asked.output_tokens != asked.max_tokens]
    if short or stats.calls_failed:
        raise RuntimeError(
            f"{len(short)} answers ended early, {stats.calls_failed} calls failed: "
            f"{stats.failures or short[0]}"
        )
    return Run(
        policy,
        seconds,
        cpu,
        client_cpu,
        stats.planning_seconds,
        stats.calls_asked,
        stats.calls_run,
        stats.prompt_tokens,
        stats.prefix_hit_tokens,
        stats.output_tokens,
        _foretold(plans),
        rows,
        record,
        steps=None if stepped is None else engine.inner.steps - stepped,
    )


def together(first: Run, second: Run) -> Run:
    """Two runs, one after the other, as one; the rows of both."""
    return Run(
        second.policy,
        first.seconds + second.seconds,
        first.cpu + second.cpu,
        first.client_cpu + second.client_cpu,
        _sum(first.planning, second.planning),
        first.asked + second.asked,
        first.calls + second.calls,
        first.prompt_tokens + second.prompt_tokens,
        first.hit_tokens + second.hit_tokens,
        first.output_tokens + second.output_tokens,
        _sum(first.foretold, second.foretold),
        (*first.rows, *second.rows),
        (*first.record, *second.record),
        steps=_sum(first.steps, second.steps),
    )


def _sum(one: N | None, other: N | None) -> N | None:
    return None if one is None or other is None else one + other


@contextmanager
def _watched() -> Iterator[list[PlannedCalls]]:
    """The schedules that are made meanwhile."""
    plans: list[PlannedCalls] = []
    planned = scheduler.planned

    def kept(*arguments: Any) -> PlannedCalls:
        plans.append(planned(*arguments))
        return plans[-1]

    scheduler.planned = kept
    try:
        yield plans
    finally:
        scheduler.planned = planned


def _foretold(plans: Sequence[PlannedCalls]) -> float | None:
    """Passes come one after the other, each with calls of its own; None without any schedule."""
    return sum(simulate(p.workload, p.workers, p.schedule).seconds for p in plans) or None


def replay(con: Connection, engine: RecordingEngine, record: Sequence[Asked], policy: str) -> Run:
    """The same calls with all answers known, so none waits for another: the oracle.

    One operator for each max_tokens. Raises RuntimeError where the answers are others.
    """
    calls = list({(a.messages, a.max_tokens): a for a in record}.values())
    con.register("replayed", _table(sorted(calls, key=lambda a: a.messages)))
    query = " UNION ALL ".join(
        "SELECT r.number, g.text FROM replayed AS r, "
        f"LATERAL LLM_GENERATE(r.prompt, history => r.history, max_tokens => {most}) AS g "
        f"WHERE r.max_tokens = {most}"
        for most in sorted({a.max_tokens for a in calls})
    )
    found = run(con, query, engine, policy)
    known = {a.messages: a.text for a in record}
    if any(known[a.messages] != a.text for a in found.record):
        raise RuntimeError("the replayed calls have other answers")
    return found


def _table(calls: Sequence[Asked]) -> pa.Table:
    conversations = [[{"role": r, "content": c} for r, c in a.messages] for a in calls]
    return pa.table(
        {
            "number": pa.array(range(len(calls)), pa.int64()),
            "max_tokens": pa.array([a.max_tokens for a in calls], pa.int64()),
            "history": pa.array([c[:-1] for c in conversations], _MESSAGES),
            "prompt": pa.array([c[-1]["content"] for c in conversations], pa.string()),
        }
    )


def _clock(engine: RecordingEngine) -> Any:
    """Virtual time where the engine has it."""
    if hasattr(engine.inner, "now"):
        return lambda: engine.inner.now
    return time.perf_counter


def _cpu(engine: RecordingEngine) -> float:
    """CPU seconds of the engine's processes so far; they do not depend on what else is running."""
    seconds = 0.0
    for pid in getattr(engine.inner, "pids", ()):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds
