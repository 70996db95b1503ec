"""The ways to evaluate a query that must all give the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import duckdb
import plain_sql
from scripted_model import HashModel

import heliumql
from heliumql.engines.simulated import SimulatedEngine
from heliumql.stats import Stats

MODES: dict[str, dict[str, object]] = {
    "on": {"llm_optimizer": "on", "llm_verify": "on", "llm_batch_rows": 1024},
    "small": {"llm_optimizer": "on", "llm_verify": "on", "llm_batch_rows": 2},
    "unverified": {"llm_optimizer": "on", "llm_verify": "off", "llm_batch_rows": 1024},
    "off": {"llm_optimizer": "off"},
}
ALL = ("on", "small", "off")


@dataclass
class Outcome:
    """Rows in an order of their own, or an error."""

    rows: list[str] | None
    error: str | None = None
    stats: Stats | None = None


class Ways:
    """Tables, a model, and every way to evaluate queries over them."""

    def __init__(self) -> None:
        self.connection = heliumql.connect()
        self.setup: Sequence[str] = ()
        self.model: HashModel | None = None

    def prepare(self, setup: Sequence[str], model: HashModel) -> None:
        """Makes the tables (the statements replace what is there) and the model.

        An equal model stays the one it was: what it answered counts as remembered.
        """
        self.setup = setup
        for statement in setup:
            self.connection.execute(statement)
        if model == self.model:
            return
        self.model = model
        engine = SimulatedEngine({"engine": "simulated", "instant": True}, model.script)
        self.connection.register_model("m", engine)

    def outcome(self, query: str, way: str, forget: str = "CLEAR CACHE") -> Outcome:
        """Evaluates; `forget` is run before, as nothing of earlier queries is to be known."""
        if way == "plain":
            assert self.model is not None
            try:
                return Outcome(_sorted(plain_sql.evaluated(query, self.setup, self.model)))
            except duckdb.Error as error:
                return Outcome(None, str(error))
        self.connection.execute(forget)
        for name, value in MODES[way].items():
            self.connection.set(name, value)
        self.connection.set("llm_window_bytes", 1 if way == "small" else 128_000_000)
        try:
            relation = self.connection.sql(query)
            assert relation is not None
            return Outcome(_sorted(relation.fetchall()), stats=relation.stats)
        except heliumql.HeliumQLError as error:
            return Outcome(None, error.message)

    def fired(self, query: str) -> list[str]:
        """The rules that would change the plan of the query now, in order."""
        planned = self.connection._session.planned(query, None, 0)
        return [f.rule for f in planned.optimized.firings] if planned.optimized else []

    def check(self, query: str, ways: Sequence[str] = ALL, *, plain: str | None = None) -> Outcome:
        """Demands that every way gives what plain DuckDB gives; how the first way went.

        `plain` is what DuckDB is to run, where that is not the query translated.
        """
        expected = self.outcome(plain or query, "plain")
        outcomes = {way: self.outcome(query, way) for way in ways}
        for way, outcome in outcomes.items():
            assert (outcome.error is None) == (expected.error is None), (way, outcome, expected)
            assert outcome.rows == expected.rows, f"{way} differs from plain DuckDB\n{query}"
            stats = outcome.stats
            assert stats is None or stats.calls_asked == (
                stats.calls_shared + stats.calls_cached + stats.calls_run - stats.calls_wasted
            ), (way, stats)
        return outcomes[ways[0]]

    def __enter__(self) -> Ways:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.connection.close()


def _sorted(rows: Sequence[tuple[Any, ...]]) -> list[str]:
    return sorted(map(repr, rows))
