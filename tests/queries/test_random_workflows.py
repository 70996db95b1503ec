"""Random workflows over random tables give, optimized or not, what plain DuckDB gives."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
import workflows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted_model import TEXTS, HashModel
from ways import Ways


@pytest.fixture(scope="module")
def ways() -> Iterator[Ways]:
    with Ways() as made:
        yield made


@settings(
    max_examples=200,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(seed=st.integers(0, 2**32), random=st.randoms(use_true_random=False))
def test_random_workflows_give_the_rows_of_plain_duckdb(
    ways: Ways, seed: int, random: Random
) -> None:
    model = HashModel(
        seed,
        failing=random.choice([0, 11, 17]),
        wild=random.choice([0, 9, 30]),
        texts=tuple(random.sample(TEXTS, random.randrange(3, 6))),
    )
    query = workflows.workflow(random)
    ways.prepare(workflows.tables(random), model)
    if ways.outcome(query, "plain").error is None:  # DuckDB refuses some orders by a constant
        ways.check(query, [random.choice(["on", "small"]), "off"])
