"""A budget: what is spent and reserved together never exceeds it, and in the end all is settled."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from heliumql.calls.budget import Budget, Cost, Limits


def costs(most: int) -> st.SearchStrategy[Cost]:
    numbers = st.integers(0, most)
    money = st.decimals(0, most, places=6)
    return st.builds(Cost, st.just(1), numbers, money)


def limits() -> st.SearchStrategy[Limits]:
    bound = st.none() | st.integers(0, 60)
    money = st.none() | st.decimals(0, 60, places=6)
    return st.builds(Limits, calls=bound, tokens=bound, money=money)


@given(limits(), st.lists(st.tuples(costs(20), st.integers(0, 100), st.booleans()), max_size=40))
def test_spent_and_reserved_stay_within_the_limits(
    bounds: Limits, calls: list[tuple[Cost, int, bool]]
) -> None:
    budget = Budget(bounds)
    flying: list[tuple[int, Cost, int]] = []
    for number, (most, share, lands) in enumerate(calls):
        if budget.lacking(most, 0.0) is None:
            budget.reserve(number, most, 0.0)
            flying.append((number, most, share))
        if lands and flying:
            land(budget, *flying.pop(0))
        check(budget)
    while flying:
        land(budget, *flying.pop())
        check(budget)
    assert budget.reserved == Cost()
    assert not budget.awaits


def land(budget: Budget, number: int, most: Cost, share: int) -> None:
    """The call is over; it took a share (percent) of what it might have taken."""
    assert budget.settle(number) == most
    budget.spend(Cost(1, most.tokens * share // 100, most.money * share / 100))


def check(budget: Budget) -> None:
    bounds, total = budget.limits, budget.spent + budget.reserved
    assert bounds.calls is None or total.calls <= bounds.calls
    assert bounds.tokens is None or total.tokens <= bounds.tokens
    assert bounds.money is None or total.money <= bounds.money


def test_what_was_not_used_is_free_again() -> None:
    budget = Budget(Limits(tokens=100))
    budget.reserve("a", Cost(1, 80), 0.0)
    assert budget.lacking(Cost(1, 40), 0.0) == "llm_max_tokens"
    budget.settle("a")
    budget.spend(Cost(1, 30))
    assert budget.lacking(Cost(1, 40), 0.0) is None


def test_the_limit_that_is_reached_is_named() -> None:
    assert Budget(Limits(calls=0)).lacking(Cost(1), 0.0) == "llm_max_calls"
    dear = Cost(1, 10, Decimal("0.2"))
    assert Budget(Limits(money=Decimal("0.1"))).lacking(dear, 0.0) == "llm_max_cost"
    assert Budget(Limits(tokens=10, money=Decimal("0.2"))).lacking(dear, 0.0) is None


def test_time_counts_from_the_first_call() -> None:
    budget = Budget(Limits(seconds=5))
    assert not budget.is_late(1_000.0)
    budget.reserve("a", Cost(1), 1_000.0)
    budget.settle("a")
    assert budget.lacking(Cost(1), 1_004.9) is None
    assert budget.lacking(Cost(1), 1_005.0) == "llm_max_seconds"
    assert budget.is_late(1_005.0)


def test_of_few_calls_any_number_may_fail() -> None:
    bounds = Limits(error_ratio=0.1)
    assert not bounds.too_many_failed(19, 19)
    assert bounds.too_many_failed(3, 20)
    assert not bounds.too_many_failed(2, 20)
    assert not Limits().too_many_failed(20, 20)
