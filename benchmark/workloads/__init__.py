"""The suites once more, as plain programs over the same tables: what other systems are given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from suites.suite import SUITES
from suites.tables import MIXES, Tables

from workloads import debate, map_reduce, mixed, reflection, reviews, tables, trading
from workloads.workload import Item, Workload

WORKFLOWS: Mapping[str, Callable[[Tables], Iterator[Item]]] = {
    "mixed": mixed.mixed,
    "map_reduce_questions": map_reduce.about_questions,
    "map_reduce": map_reduce.about_reports,
    "debate": debate.debate,
    "reflection": reflection.reflection,
    "iterative": reviews.iterative,
    "parallel": reviews.parallel,
    "trading": trading.trading,
    "trading_next_day": trading.trading,
    "debate_questions": debate.about_questions,
    "tables": tables.tables,
    **{f"prefix_{number}_map_reduce": map_reduce.of_mix for number in MIXES},
    **{f"prefix_{number}_debate": debate.of_mix for number in MIXES},
}


def workload(
    name: str, rows: int | None = None, scale: float | None = None, seed: int = 0
) -> Workload:
    """The calls of a suite, none of them shared; without a size, that of the suite."""
    suite = SUITES[name]
    rows, scale = rows or suite.rows, scale or suite.scale
    items = tuple(WORKFLOWS[name](suite.tables(rows, scale, seed)))
    return Workload(name, rows, scale, seed, suite.max_tokens(scale), items)
