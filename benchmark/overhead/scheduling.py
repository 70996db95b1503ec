"""How long a schedule takes to make, from the call graph on: the tree, orders, the search.

The engine is one worker, an 8B model on a large GPU (`event_model/hardware.py`). Nothing is known
of answers from earlier runs, so they are taken to be a quarter of max_tokens long.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from silent_engine import Planned, SilentEngine

import heliumql
from heliumql.connection import Connection
from heliumql.physical.scheduler import Scheduler
from heliumql.scheduling.workload import Worker
from overhead.queries import queries
from overhead.rows import Scheduling

_TEXT_BYTES = 1000  # of a document of the large tables
_RUNS = 9

# The conditions on answers let no row out before all calls are known, so all are planned together.
_MAP_REDUCE = """
WITH opinions AS (
  SELECT d.id, e.n, g.text AS opinion
  FROM   texts AS d CROSS JOIN range(7) AS e(n),
         LATERAL LLM_GENERATE('{d.body} What does expert {e.n} say?', system => 'Be brief.') AS g
), collected AS (
  SELECT id, string_agg(opinion, ' ' ORDER BY n) AS opinions FROM opinions GROUP BY id
)
SELECT c.id, g.text
FROM   collected AS c, LATERAL LLM_GENERATE('Most of them say: {c.opinions}') AS g
WHERE  g.text <> ''
"""
_SHARED = """
SELECT d.id, q.n, g.text
FROM   range(1000) AS q(n) CROSS JOIN texts AS d,
       LATERAL LLM_GENERATE('{d.body} Question {q.n}?') AS g
WHERE  g.text <> ''
"""


@dataclass(frozen=True)
class Workflow:
    """A query, what makes its tables, and the seconds in which it should be planned."""

    name: str
    prepare: Callable[[Connection], str]
    target: float


def _texts(query: str, documents: int) -> Callable[[Connection], str]:
    def prepare(con: Connection) -> str:
        con.duckdb.execute(
            "CREATE TABLE texts AS SELECT i AS id, i || repeat(' some words', "
            f"{_TEXT_BYTES // 11}) AS body FROM range({documents}) AS r(i)"
        )
        return query

    return prepare


def workflows(calls: int) -> tuple[Workflow, ...]:
    """Trading, and two of about so many calls each."""
    documents, shared = max(1, calls // 8), max(1, calls // 1000)
    return (
        Workflow("queries/trading.hql, 16 stocks", queries(1)["trading_16"].prepare, 0.1),
        Workflow(
            f"map-reduce, {documents:,} texts x 7 experts", _texts(_MAP_REDUCE, documents), 2.0
        ),
        Workflow(f"1,000 questions x {shared:,} texts", _texts(_SHARED, shared), 2.0),
    )


def scheduling(workflow: Workflow, runs: int = _RUNS) -> Scheduling:
    """Plans the calls of the workflow so many times, all that are open at once."""
    taken: list[list[tuple[float, float]]] = []
    sizes: list[int] = []
    plan_once = Scheduler._plan

    def plan(scheduler: Scheduler, engines: Mapping[int, Sequence[Worker]]) -> None:
        taken.append([])
        for _ in range(runs):
            began, cpu = time.perf_counter(), time.process_time()
            plan_once(scheduler, engines)
            taken[-1].append((time.perf_counter() - began, time.process_time() - cpu))
        assert scheduler.plan is not None
        sizes.append(len(scheduler.plan.workload))

    setattr(Scheduler, "_plan", plan)  # noqa: B010
    try:
        with heliumql.connect() as con:
            con.duckdb.execute("SET enable_progress_bar = false")  # on with `python -m`, to stdout
            con.register_model("silent", SilentEngine(), model="silent")
            relation = con.sql(workflow.prepare(con))
            assert relation is not None
            with suppress(Planned):
                next(relation.batches())
    finally:
        setattr(Scheduler, "_plan", plan_once)  # noqa: B010
    largest = max(range(len(sizes)), key=sizes.__getitem__)
    seconds, cpu = (statistics.median(values) for values in zip(*taken[largest], strict=True))
    return Scheduling(workflow.name, sizes[largest], seconds, cpu, workflow.target)
