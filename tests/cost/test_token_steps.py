"""The token-step model against cases worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliumql.cost.token_steps import TokenSteps, completions, makespan, order_cost

# A system prompt of 100 tokens (node 1) with two roles below it, 20 and 30 tokens; the third call
# has a prompt of its own and reads the answers of both; the fourth goes on from the first one's.
A, B, C, D = range(4)
CALLS = TokenSteps(
    parent=[0, 0, 1, 1, 0, 2],
    end=[0, 100, 130, 150, 50, 137],
    leaf=[2, 3, 4, 5],
    prompt=[120, 130, 50, 137],  # the answer of A stands at 120 to 130
    output=[10, 20, 5, 2],
    needs=[[], [], [A, B], [A]],
)


@pytest.mark.parametrize(
    ("before", "call", "tokens"),
    [
        (None, A, 120),
        (A, B, 30),  # the system prompt is there
        (B, A, 20),
        (A, A, 0),
        (B, C, 50),  # nothing in common
        (A, D, 17),  # the prompt of A is there; its answer is not, and 7 tokens follow it
        (D, A, 0),
        (B, D, 37),
    ],
)
def test_prefill_usage_is_what_the_call_before_does_not_share(before, call, tokens):
    assert CALLS.prefill_usage(before, call) == tokens


def test_decode_usage_is_the_sum_of_the_tokens_that_lie_there():
    assert [CALLS.decode_usage(c) for c in (A, B, C, D)] == [55, 210, 15, 3]


def test_usage_is_token_steps_by_capacity():
    assert CALLS.usage(None, A, 1000) == pytest.approx((10 * 120 + 55) / 1000)
    assert CALLS.usage(A, B, 500) == pytest.approx((20 * 30 + 210) / 500)


def test_completions_on_one_worker():
    a = 1.255
    b = a + (20 * 30 + 210) / 1000
    d = a + 10 + (2 * 37 + 3) / 1000  # its answer was there 10 steps after A completed
    c = b + 20 + (5 * 50 + 15) / 1000
    assert completions(CALLS, [[A, B, D, C]], [1000]) == pytest.approx([a, b, c, d])
    assert makespan(CALLS, [[A, B, D, C]], [1000]) == pytest.approx(c)


def test_completions_on_two_workers_with_caches_of_their_own():
    b = (20 * 130 + 210) / 500  # A is on the other worker, so nothing is shared
    c = b + 20 + 0.265
    d = c + (2 * 137 + 3) / 1000
    done = completions(CALLS, [[A, C, D], [B]], [1000, 500])
    assert done == pytest.approx([1.255, b, c, d])


def test_a_worker_may_have_nothing_to_do():
    assert makespan(CALLS, [[], [A, B, D, C]], [10, 1000]) == pytest.approx(22.33)
    assert makespan(TokenSteps([0], [0], [], [], [], []), [], []) == 0.0


@pytest.mark.parametrize(
    ("orders", "capacities", "message"),
    [
        ([[A, B, C]], [1000], "each of 4 calls once"),
        ([[A, B, C, C]], [1000], "each of 4 calls once"),
        ([[C, A, B, D]], [1000], "wait for calls"),
        ([[D, B], [C, A]], [1000, 1000], "wait for calls"),
        ([[A, B, C, D]], [], "the capacity of its worker"),
        ([[A, B, C, D]], [0], "one token or more"),
    ],
)
def test_orders_that_cannot_be(orders, capacities, message):
    with pytest.raises(ValueError, match=message):
        completions(CALLS, orders, capacities)


@st.composite
def calls_and_order(draw: st.DrawFn) -> tuple[TokenSteps, list[int]]:
    """Calls on a random tree, and an order that keeps what they need before them."""
    nodes = draw(st.integers(1, 6))
    parent, end = [0], [0]
    for node in range(1, nodes + 1):
        parent.append(draw(st.integers(0, node - 1)))
        end.append(end[parent[node]] + draw(st.integers(1, 200)))
    count = draw(st.integers(1, 7))
    leaf = [draw(st.integers(1, nodes)) for _ in range(count)]
    prompt = [draw(st.integers(end[parent[node]] + 1, end[node])) for node in leaf]
    output = [draw(st.integers(1, 100)) for _ in range(count)]
    needs = [draw(st.lists(st.integers(0, c - 1), max_size=3)) if c else [] for c in range(count)]
    order: list[int] = []
    while len(order) < count:
        free = [c for c in range(count) if c not in order and set(needs[c]) <= set(order)]
        order.append(draw(st.sampled_from(free)))
    return TokenSteps(parent, end, leaf, prompt, output, needs), order


@given(calls_and_order())
def test_the_fast_cost_of_an_order_is_its_makespan(case: tuple[TokenSteps, list[int]]) -> None:
    calls, order = case
    cost = order_cost(calls, 8192)
    cost(list(range(len(calls))))  # an order before it leaves nothing behind
    assert cost(order) == pytest.approx(makespan(calls, [order], [8192]))


@given(calls_and_order())
def test_shared_prefixes_are_those_of_the_paths(case: tuple[TokenSteps, list[int]]) -> None:
    calls, order = case

    def path(call: int) -> list[tuple[int, int]]:
        """The tokens of the prompt, each told by its node and place."""
        nodes, node = [], calls.leaf[call]
        while node:
            nodes.append(node)
            node = calls.parent[node]
        places = [
            (n, at)
            for n in reversed(nodes)
            for at in range(calls.end[calls.parent[n]], calls.end[n])
        ]
        return places[: calls.prompt[call]]

    for first in order:
        for second in order:
            pairs = zip(path(first), path(second), strict=False)
            different = next((n for n, (a, b) in enumerate(pairs) if a != b), None)
            least = min(calls.prompt[first], calls.prompt[second])
            assert calls.shared(first, second) == (least if different is None else different)
