"""Random queries that rules look at give what plain DuckDB gives, with and without each rule.

Several thousands of them are run by hand (rule_checks.py), these in every test run.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rule_checks import MEMORIES, SPAN, Report, check
from ways import Ways

NUMBERS = [kind * SPAN + number for kind in range(len(MEMORIES)) for number in range(35)]


@pytest.fixture(scope="module")
def ways() -> Iterator[Ways]:
    with Ways() as made:
        yield made


@pytest.fixture(scope="module")
def report() -> Report:
    return Report()


@pytest.mark.parametrize("number", NUMBERS)
def test_rows_and_calls_with_and_without_rules(number: int, ways: Ways, report: Report) -> None:
    check(ways, number, report, most_rules=1)


def test_rules_fire_in_these_queries(report: Report) -> None:
    """Were it not so, the tests above would prove nothing."""
    often = ("pull_up_llm_predicate", "group_then_ask", "limit_stops_early", "keep_above")
    assert report.queries == len(NUMBERS)
    assert all(report.fired[rule] >= 5 for rule in often), report
    assert len(report.fired) >= 10, report
