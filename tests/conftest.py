"""Fixtures that several rooms share: connections whose model answers from a script."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

import heliumql
from heliumql.connection import Connection
from heliumql.engines.simulated import Script, SimulatedEngine
from heliumql.stats import Stats


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record", action="store_true", help="rewrite expected results")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("record") and os.environ.get("CI"):
        raise pytest.UsageError("expected results are recorded and reviewed before CI sees them")


MODES: dict[str, dict[str, object]] = {
    "on": {"llm_verify": "on"},
    "small batches": {"llm_verify": "on", "llm_batch_rows": 2, "llm_window_bytes": 1},
    "off": {"llm_optimizer": "off"},
}


@dataclass
class Outcome:
    """What a query gave in one mode."""

    rows: list[tuple[Any, ...]] | None
    error: str | None
    stats: Stats
    log: list[Any] = field(repr=False, default_factory=list)


def run_in(
    mode: str,
    query: str,
    setup: Callable[[Connection], None],
    script: Script | None = None,
    options: dict[str, object] | None = None,
) -> Outcome:
    """Runs the query on a database of its own."""
    engine = SimulatedEngine({"engine": "simulated", "log": True, **(options or {})}, script)
    with heliumql.connect() as con:
        con.register_model("m", engine)
        setup(con)
        for name, value in MODES[mode].items():
            con.set(name, value)
        try:
            relation = con.sql(query)
            rows = None if relation is None else relation.fetchall()
            stats = con.last_stats or Stats()
            return Outcome(rows, None, stats, engine.log)
        except heliumql.HeliumQLError as error:
            return Outcome(None, error.message.split("\n")[0], Stats(), engine.log)


def same_in_all_modes(
    query: str,
    setup: Callable[[Connection], None],
    script: Script | None = None,
    *,
    ordered: bool = False,
) -> Outcome:
    """Runs the query in every mode, demands equal rows, and returns what `on` gave."""
    outcomes = {mode: run_in(mode, query, setup, script) for mode in MODES}
    reference = outcomes["off"]
    for mode, outcome in outcomes.items():
        assert (outcome.error is None) == (reference.error is None), (mode, outcome, reference)
        mine, theirs = outcome.rows or [], reference.rows or []
        if not ordered:
            mine, theirs = sorted(mine, key=repr), sorted(theirs, key=repr)
        assert mine == theirs, f"{mode} differs from call by call\n{query}"
        stats = outcome.stats
        assert stats.calls_asked == (
            stats.calls_shared + stats.calls_cached + stats.calls_run - stats.calls_wasted
        )
    return outcomes["on"]


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A database in memory whose one model invents answers."""
    with heliumql.connect() as con:
        con.execute("CREATE TEMP MODEL m WITH (engine = 'simulated')")
        yield con
