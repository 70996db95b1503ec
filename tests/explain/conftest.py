"""Tables and a model to explain queries over; the queries of tests/queries are explained, too."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pytest

import heliumql
from heliumql.connection import Connection
from heliumql.engines.engine import CallSpec, Deliver

sys.path.append(str(Path(__file__).parents[1] / "queries"))

TABLES = """
CREATE TEMP MODEL m WITH (engine = 'simulated');
CREATE TABLE reviews AS SELECT i AS id, 'review number ' || i AS body, i % 5 AS stars
FROM range(12) AS t(i);
CREATE TABLE agents AS FROM (VALUES (1, 'strict'), (2, 'kind')) AS agents(agent, role);
"""


class ForbiddenEngine:
    """Explaining never starts it, or asks it."""

    slots = 8

    def start(self) -> None:
        raise AssertionError("EXPLAIN started an engine")

    def submit(self, spec: CallSpec, requests: pa.RecordBatch, deliver: Deliver) -> None:
        raise AssertionError("EXPLAIN asked an engine")

    def advance(self) -> None:
        raise AssertionError("EXPLAIN let an engine work")

    def cancel(self, calls: Sequence[bytes]) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def tables() -> Iterator[Connection]:
    """Reviews and agents, and a simulated model."""
    with heliumql.connect() as connection:
        connection.execute(TABLES)
        yield connection


@pytest.fixture
def forbidden(tables: Connection) -> Connection:
    """The same with an engine that must not be used."""
    tables.execute("DROP MODEL m")
    tables.register_model("m", ForbiddenEngine())
    return tables
