"""The examples of docs/language.md run from top to bottom in one session, on a scripted model."""

from __future__ import annotations

import re
from pathlib import Path

import heliumql
from heliumql.catalog.settings import SETTINGS
from heliumql.connection import Connection
from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import SimulatedEngine
from heliumql.syntax import Explain, Show
from heliumql.syntax.options import OPTIONS

DOCUMENT = (Path(__file__).parents[2] / "docs" / "language.md").read_text("utf-8")
BLOCKS = [
    (DOCUMENT.count("\n", 0, block.start()) + 1, block[1])
    for block in re.finditer(r"(?ms)^```sql\n(.*?)^```$", DOCUMENT)
]


def answer(messages: tuple[tuple[str, str], ...], spec: CallSpec) -> str | None:
    """Yes to what is asked yes or no, 7 to what asks for a number; else something that fits."""
    match spec.returns.sql():
        case "BOOLEAN":
            return "true"
        case "INTEGER" | "DOUBLE":
            return "7"
        case "VARCHAR":
            return f"to {len(messages[-1][1])} characters"
        case _:
            return None  # invented


def run(connection: Connection) -> list[tuple[int, int]]:
    """The line of each block, and how many rows its statements gave."""
    found = []
    for line, text in BLOCKS:
        rows = 0
        for statement in connection.statements(text, f"language.md:{line}"):
            relation = connection.run(statement, {})
            told = isinstance(statement.statement, Explain | Show)  # other plans, other texts
            rows += 1 if told or relation is None else len(relation.fetchall())
            stats = connection.last_stats
            assert stats is None or not stats.calls_failed, (line, stats.failures)
        found.append((line, rows))
    return found


def test_every_example_runs_alike_with_and_without_the_optimizer() -> None:
    found = []
    for optimizer in ("on", "off"):
        with heliumql.connect() as connection:
            engine = SimulatedEngine({"instant": True, "log": False}, answer)
            connection.register_model("scripted", engine)
            connection.set("llm_default_model", "scripted")
            connection.set("llm_optimizer", optimizer)
            found.append(run(connection))
    assert found[0] == found[1]
    assert all(rows > 0 for _, rows in found[0]), found[0]


def test_every_option_and_setting_is_named() -> None:
    missing = [name for name in (*OPTIONS, *SETTINGS) if f"`{name}`" not in DOCUMENT]
    assert not missing
