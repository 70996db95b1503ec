"""Tables and a model to explain queries over; the queries of tests/queries are explained, too."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from to_explain import TABLES, ForbiddenEngine

import heliumql
from heliumql.connection import Connection

sys.path.append(str(Path(__file__).parents[1] / "queries"))


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
