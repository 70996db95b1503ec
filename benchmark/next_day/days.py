"""A day of trading and the next one: in one database that keeps answers, and without any."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.chosen import DEFAULT_POLICY
from bench.in_process import InProcess
from suites.runs import Run, run, session
from suites.suite import SUITES, Suite

from heliumql.connection import Connection

FIRST, SECOND = SUITES["trading"], SUITES["trading_next_day"]


@dataclass(frozen=True)
class Days:
    """The runs of one turn."""

    first: Run
    second: Run  # in the database of the first
    without: Run  # the second day in a database of its own, where nothing is kept

    @property
    def equal(self) -> bool:
        return list(self.second.rows) == list(self.without.rows)


def turns(on: InProcess) -> Iterator[Days]:
    """Each run begins with empty prefix caches, each turn with an empty store.

    Every other turn begins with the day without a store.
    """
    if on.chosen.engine != "simulated":
        _day(on, SECOND, None, rows=1)  # the first calls of a process take longer
    for turn in range(on.chosen.repeat):
        without = _day(on, SECOND, None) if turn % 2 else None
        with tempfile.TemporaryDirectory() as folder:
            database = Path(folder) / "trading.duckdb"
            first = _day(on, FIRST, database)
            second = _day(on, SECOND, database)
        yield Days(first, second, without or _day(on, SECOND, None))


def _day(on: InProcess, suite: Suite, database: Path | None, rows: int | None = None) -> Run:
    """In a session of its own, as a new process would have it."""
    chosen = on.chosen
    rows, scale = rows or chosen.rows_of(suite), chosen.scale_of(suite)
    store = database is not None
    made = session(suite, on.engine, rows, scale, chosen.seed, store=store, database=database)
    with made as con:
        return on.fresh(partial(_asked, on=on, suite=suite), con)


def _asked(con: Connection, on: InProcess, suite: Suite) -> Run:
    return run(con, suite.text(), on.engine, DEFAULT_POLICY)
