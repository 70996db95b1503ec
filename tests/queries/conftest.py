"""The fixture that makes connections with a scripted model."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from scripted_connection import Made, Scripted

import heliumql
from heliumql.engines.simulated import Script, SimulatedEngine


@pytest.fixture
def scripted() -> Iterator[Made]:
    """Makes a connection (in memory, or to `database`) from a script."""
    made: list[Scripted] = []

    def make(
        script: Script | None = None, *, database: str = ":memory:", **options: object
    ) -> Scripted:
        engine = SimulatedEngine({"engine": "simulated", **options}, script)
        con = heliumql.connect(database)
        con.register_model("m", engine)
        made.append(Scripted(con, engine))
        return made[-1]

    yield make
    for one in made:
        one.con.close()
