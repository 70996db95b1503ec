"""`con.calibrate`: which models can be measured, and that the engine is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

import heliumql
from heliumql.cost.event_model import Constants
from heliumql.cost.speeds import Observed, Step
from heliumql.engines.simulated import SimulatedEngine
from heliumql.errors import CatalogError


class Measuring(SimulatedEngine):
    """A simulated engine that says how fast it is."""

    speed_key = "a machine"

    def __init__(self) -> None:
        super().__init__({})
        self.seen = Observed()
        self.calibrated = 0

    def calibrate(self) -> Constants:
        self.calibrated += 1
        steps = [Step(0.01 + 0.001 * n, n, 1, 10 * n, 0) for n in range(1, 20)]
        self.seen = self.seen.add(steps)
        return Constants()

    def start_from(self, learnt: Observed) -> None:
        self.seen = learnt

    def take_observed(self) -> Observed:
        seen, self.seen = self.seen, Observed()
        return seen


def engines(con: heliumql.Connection, *models: Any) -> Sequence[Any]:
    for number, engine in enumerate(models):
        con.register_model(f"m{number}", engine)
    return models


def test_the_model_of_calls_that_name_none_is_measured() -> None:
    with heliumql.connect() as con:
        (engine,) = engines(con, Measuring())
        con.calibrate()
        assert engine.calibrated == 1
        learnt = con._session.shared.learnt.speeds("a machine")
        assert learnt is not None
        assert Observed(learnt).steps == pytest.approx(19)


def test_a_model_by_name_and_one_that_is_not_there() -> None:
    with heliumql.connect() as con:
        first, second = engines(con, Measuring(), Measuring())
        con.calibrate("M1")
        assert (first.calibrated, second.calibrated) == (0, 1)
        with pytest.raises(CatalogError, match="which model"):
            con.calibrate()
        with pytest.raises(CatalogError, match="m2"):
            con.calibrate("m2")


def test_an_engine_that_does_not_measure_says_so() -> None:
    with heliumql.connect() as con:
        engines(con, SimulatedEngine({}))
        with pytest.raises(CatalogError, match="does not measure itself at will"):
            con.calibrate()
