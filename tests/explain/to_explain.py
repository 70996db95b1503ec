"""Tables and engines to explain queries over, and EXPLAIN as tests call it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from heliumql.connection import Connection
from heliumql.engines.engine import CallSpec, Deliver, Task

QUERIES = sorted((Path(__file__).parent / "queries").glob("*.sql"))

TABLES = """
CREATE TEMP MODEL m WITH (engine = 'simulated');
CREATE TABLE reviews AS SELECT i AS id, 'review number ' || i AS body, i % 5 AS stars
FROM range(12) AS t(i);
CREATE TABLE agents AS FROM (VALUES (1, 'strict'), (2, 'kind')) AS agents(agent, role);
"""


class ForbiddenEngine:
    """Explaining never starts it, or asks it."""

    slots = 8
    tasks: frozenset[Task] = frozenset({"generate", "embed"})

    def start(self) -> None:
        raise AssertionError("EXPLAIN started an engine")

    def submit(self, spec: CallSpec, requests: pa.RecordBatch, deliver: Deliver) -> None:
        raise AssertionError("EXPLAIN asked an engine")

    def advance(self) -> None:
        raise AssertionError("EXPLAIN let an engine work")

    def cancel(self, calls: Sequence[bytes]) -> None: ...

    def close(self) -> None: ...


def explained(connection: Connection, query: str, options: str = "") -> str:
    """What EXPLAIN prints."""
    relation = connection.sql(f"EXPLAIN {options} {query}")
    assert relation is not None
    assert relation.columns == ["explain_key", "explain_value"]
    return str(relation.fetchall()[0][1])
