"""Fixtures that several rooms share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import heliumql
from heliumql.connection import Connection


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A database in memory whose one model invents answers."""
    with heliumql.connect() as con:
        con.execute("CREATE TEMP MODEL m WITH (engine = 'simulated')")
        yield con
