"""How long a schedule takes to make, from the call graph on: the tree, orders, the search.

`python benchmark/planning.py --schedule` prints these figures. The engine is one worker, an 8B
model on a large GPU (`event_model/hardware.py`). Nothing is known of answers from earlier runs, so
they are taken to be a quarter of max_tokens long.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from silent_engine import Planned, SilentEngine
from trading.tables import generate
from trading.written_out import written_out

import heliumql
from heliumql.connection import Connection
from heliumql.logical import Generate
from heliumql.physical.scheduler import PlannedCalls, Scheduler
from heliumql.prompts import RadixTree
from heliumql.scheduling.workload import Worker
from heliumql.statements.explaining import look_at

_TRADING = Path(__file__).parents[1] / "queries" / "trading.hql"
_STOCKS = 16
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
    """A query, what makes its tables, and the milliseconds in which it should be planned."""

    name: str
    prepare: Callable[[Connection], str]
    target: float


@dataclass(frozen=True)
class Taken:
    """Milliseconds of each run, and what was planned."""

    wall: Sequence[float]
    cpu: Sequence[float]
    plan: PlannedCalls


def _trading(con: Connection) -> str:
    generate(_STOCKS).create_in(con.duckdb)
    text = _TRADING.read_text("utf-8")
    return text[text.index("\nWITH ") + 1 :]


def _texts(query: str, documents: int) -> Callable[[Connection], str]:
    def prepare(con: Connection) -> str:
        con.duckdb.execute(
            "CREATE TABLE texts AS SELECT i AS id, i || repeat(' some words', "
            f"{_TEXT_BYTES // 11}) AS body FROM range({documents}) AS r(i)"
        )
        return query

    return prepare


WORKFLOWS = (
    Workflow(f"queries/trading.hql, {_STOCKS} stocks", _trading, 100),
    Workflow("map-reduce, 12,500 texts x 7 experts", _texts(_MAP_REDUCE, 12_500), 2000),
    Workflow("1,000 questions x 100 texts", _texts(_SHARED, 100), 2000),
)


def scheduled(workflow: Workflow, runs: int = _RUNS) -> Taken:
    """Plans the calls of the workflow so many times, all that are open at once."""
    wall, cpu, plans = list[float](), list[float](), list[PlannedCalls]()
    plan_once = Scheduler._plan

    def plan(scheduler: Scheduler, engines: Mapping[int, Sequence[Worker]]) -> None:
        for _ in range(runs):
            began, cpu_began = time.perf_counter(), time.process_time()
            plan_once(scheduler, engines)
            wall.append((time.perf_counter() - began) * 1000)
            cpu.append((time.process_time() - cpu_began) * 1000)
        assert scheduler.plan is not None
        plans.append(scheduler.plan)

    Scheduler._plan = plan  # type: ignore[method-assign]
    try:
        with heliumql.connect() as con:
            con.register_model("silent", SilentEngine(), model="silent")
            relation = con.sql(workflow.prepare(con))
            assert relation is not None
            with suppress(Planned):
                next(relation.batches())
    finally:
        Scheduler._plan = plan_once  # type: ignore[method-assign]
    largest = max(range(len(plans)), key=lambda n: len(plans[n].workload))
    inside = slice(largest * runs, (largest + 1) * runs)
    return Taken(wall[inside], cpu[inside], plans[largest])


def operator_tree() -> RadixTree:
    """The tree over operators that EXPLAIN draws, of Trading with its 88 operators written out."""
    with heliumql.connect() as con:
        con.register_model("silent", SilentEngine(), model="silent")
        generate(1, scale=0.02).create_in(con.duckdb)
        bound = look_at(con._session, written_out(), None, 0).explanation.bound
    assert bound is not None
    tree = RadixTree()
    for node in {n.site: n for n in bound.nodes if isinstance(n, Generate)}.values():
        tree = tree.inserted(node.name, node.template)
    return tree


def deep_size(value: object, seen: set[int] | None = None) -> int:
    """Bytes of a value and of all that it holds, each object once."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return 0
    seen.add(id(value))
    held: Iterable[object]
    match value:
        case dict():
            held = (*value, *value.values())
        case tuple() | list() | set() | frozenset():
            held = value
        case _:
            slots = (
                name for kind in type(value).__mro__ for name in vars(kind).get("__slots__", ())
            )
            held = [getattr(value, name) for name in slots if hasattr(value, name)]
            held += [value.__dict__] if hasattr(value, "__dict__") else []
    return sys.getsizeof(value) + sum(deep_size(one, seen) for one in held)


def print_figures() -> None:
    """A line for each workflow, and one for the tree over operators."""
    print(f"{f'ms (medians of {_RUNS})':40} {'calls':>8} {'wall':>8} {'CPU':>8} {'target':>8}")
    for workflow in WORKFLOWS:
        taken = scheduled(workflow)
        wall, cpu = statistics.median(taken.wall), statistics.median(taken.cpu)
        calls = len(taken.plan.workload)
        print(f"{workflow.name:40} {calls:8,} {wall:8.0f} {cpu:8.0f} {workflow.target:8.0f}")
    tree = operator_tree()
    size = deep_size(tree) / 1024
    print(f"\ntree of {len(tree.templates())} operators: {size:.0f} KiB (target 552)")
