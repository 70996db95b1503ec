"""The Trading workflow: how many calls it makes as written, how many are run, and on the next day.

Its tables come from benchmark/trading/tables.py; its model is simulated.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import heliumql
from heliumql.connection import Connection
from heliumql.engines.simulated import ScriptedAnswer, SimulatedEngine
from heliumql.relations.relation import Relation
from heliumql.stats import Stats

ROOT = Path(__file__).parents[2]
FILE = ROOT / "queries" / "trading.hql"
STOCKS = 3
AS_WRITTEN = {
    "notes": 14,
    "reports": 4,
    "bull, bear": 4,
    "research manager": 1,
    "traders": 8,
    "risk analysts": 48,
    "judge": 8,
    "fund manager": 1,
}
STEPS = {  # how the system message of each begins
    "You are a bull": "bull, bear",
    "You are a bear": "bull, bear",
    "You are the manager of": "research manager",
    "You are a risk analyst": "risk analysts",
    "You are the judge": "judge",
    "You are the fund": "fund manager",
}


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "trading_tables", ROOT / "benchmark" / "trading" / "tables.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


TABLES = _generator()


def query(con: Connection) -> str:
    """The one query of the file; its views give way to tables."""
    return con.statements(FILE.read_text("utf-8"))[-1].statement.text


def rows_of(con: Connection) -> tuple[list[tuple[Any, ...]], Stats]:
    relation = con.sql(query(con))
    assert isinstance(relation, Relation)
    return relation.fetchall(), relation.stats


def load(con: Connection, *, day: int) -> None:
    TABLES.generate(STOCKS, scale=0.02, day=day).create_in(con.duckdb)


@pytest.fixture
def trading() -> Iterator[tuple[Connection, SimulatedEngine]]:
    engine = SimulatedEngine({"instant": True})
    with heliumql.connect() as con:
        con.register_model("m", engine)
        load(con, day=1)
        yield con, engine


def step(system: str, prompt: str) -> str:
    for beginning, name in STEPS.items():
        if system.startswith(beginning):
            return name
    if "analyst" not in system:
        return "traders"
    return "reports" if "from your notes" in prompt else "notes"


def asked(engine: SimulatedEngine) -> Counter[str]:
    """What the engine was asked, by the step of the workflow."""
    return Counter(step(call.messages[0][1], call.prompt) for call in engine.log)


def test_it_is_88_calls_a_stock_as_written(trading: tuple[Connection, SimulatedEngine]) -> None:
    con, engine = trading
    con.set("llm_optimizer", "off")
    _, stats = rows_of(con)
    assert sum(AS_WRITTEN.values()) == 88
    assert asked(engine) == {name: calls * STOCKS for name, calls in AS_WRITTEN.items()}
    assert stats.calls_run == stats.calls_asked == 88 * STOCKS


def test_56_of_them_are_run(trading: tuple[Connection, SimulatedEngine]) -> None:
    con, engine = trading
    rows, stats = rows_of(con)
    once = AS_WRITTEN | {"traders": 4, "risk analysts": 24, "judge": 4}
    assert asked(engine) == {name: calls * STOCKS for name, calls in once.items()}
    assert stats.calls_run == 56 * STOCKS
    assert stats.calls_cached == 0
    con.set("llm_optimizer", "off")
    assert rows_of(con)[0] == rows


def test_nothing_in_it_inspects_an_answer(trading: tuple[Connection, SimulatedEngine]) -> None:
    con, _ = trading
    planned = con._session.planned(query(con), None, 0)
    assert planned.carried is not None, planned.reason
    assert planned.carried.cuts == ()
    assert rows_of(con)[1].passes == 1


def test_a_stock_waits_for_no_other() -> None:
    """Its fund manager may speak while analysts of a slow stock are still reading."""

    def slow_for_one(messages: Any, spec: Any) -> Any:
        slow = "profile of HQ01" in messages[-1][1]
        answer = hashlib.md5(repr(messages).encode()).hexdigest()
        return ScriptedAnswer(answer, seconds=1000.0 if slow else 0.0)

    engine = SimulatedEngine({}, slow_for_one)
    with heliumql.connect() as con:
        con.register_model("m", engine)
        load(con, day=1)
        relation = con.sql(query(con))
        assert relation is not None
        assert len(relation.fetchall()) == STOCKS
    decided = [c.finished for c in engine.log if c.messages[0][1] == "You are the fund manager."]
    read = max(c.finished or 0 for c in engine.log if "profile of" in c.prompt)
    assert len(decided) == STOCKS
    assert sorted(time is not None and time < read for time in decided) == [False, True, True]


NEXT_DAY = AS_WRITTEN | {
    "notes": 14 - 5,
    "reports": 4 - 1,
    "traders": 4,
    "risk analysts": 24,
    "judge": 4,
}


def test_the_next_day_asks_for_what_is_new(trading: tuple[Connection, SimulatedEngine]) -> None:
    """Fundamentals and the posts of one platform in three are those of the day before.

    Of the 56 calls of a stock 50 are run: the other 9 notes are on new texts, and all that follows
    reads at least one of these. The note on one platform's posts and the report on fundamentals
    come from the store, below calls that are not answered yet; the 4 notes that this report was
    made of are not even asked for.
    """
    con, engine = trading
    _, first = rows_of(con)
    engine.log.clear()
    load(con, day=2)
    rows, stats = rows_of(con)
    assert stats.calls_run == 50 * STOCKS
    assert asked(engine) == {name: calls * STOCKS for name, calls in NEXT_DAY.items()}
    assert stats.calls_asked == first.calls_asked - 4 * STOCKS
    con.set("llm_optimizer", "off")
    assert rows_of(con)[0] == rows


def test_a_report_is_found_without_its_notes(trading: tuple[Connection, SimulatedEngine]) -> None:
    """It has a name before they are answered, so they need not be kept for it to be found."""
    con, engine = trading
    rows_of(con)
    notes = [c.call for c in engine.log if step(c.messages[0][1], c.prompt) == "notes"]
    assert len(notes) == 14 * STOCKS
    with con._session.shared.store.storage.writing() as db:
        db.executemany("DELETE FROM answers WHERE identity = ?", [(call,) for call in notes])
    engine.log.clear()
    load(con, day=2)
    rows, stats = rows_of(con)
    new = NEXT_DAY | {"notes": 14 - 4}  # that on the posts is asked for again
    assert asked(engine) == {name: calls * STOCKS for name, calls in new.items()}
    assert stats.calls_run == 51 * STOCKS
    con.set("llm_optimizer", "off")
    assert rows_of(con)[0] == rows


def test_the_same_day_again_looks_up_the_last_calls(
    trading: tuple[Connection, SimulatedEngine],
) -> None:
    con, _ = trading
    rows, _ = rows_of(con)
    again, stats = rows_of(con)
    assert again == rows
    assert (stats.calls_asked, stats.calls_cached, stats.calls_run) == (STOCKS, STOCKS, 0)
