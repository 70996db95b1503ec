"""Where nodes and edges of a plan are drawn: apart, connected, inside the picture."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heliumql.explain.layout import MOST_BESIDE, Box, Layout, Route, laid_out
from heliumql.explain.page.graph import path

SIZE = (200.0, 60.0)


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[tuple[float, float]], list[list[int]]]:
    """Sizes and inputs: chains and fans, with edges that pass many layers."""
    count = draw(st.integers(1, 30))
    inputs: list[list[int]] = []
    for number in range(count):
        near = st.integers(max(0, number - 3), number - 1) if number else st.nothing()
        far = st.integers(0, number - 1) if number else st.nothing()
        inputs.append(sorted(draw(st.sets(near | far, max_size=4)) if number else set()))
    sizes = [(draw(st.sampled_from([80.0, 236.0])), draw(st.sampled_from([40.0, 92.0])))
             for _ in range(count)]  # fmt: skip
    return sizes, inputs


def apart(one: Box, other: Box) -> bool:
    return (
        one.right <= other.x + 1e-6
        or other.right <= one.x + 1e-6
        or one.bottom <= other.y + 1e-6
        or other.bottom <= one.y + 1e-6
    )


@given(plans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nodes_are_apart_inside_and_below_their_inputs(
    plan: tuple[list[tuple[float, float]], list[list[int]]],
) -> None:
    sizes, inputs = plan
    layout = laid_out(sizes, inputs)
    for number, (box, size) in enumerate(zip(layout.boxes, sizes, strict=True)):
        assert (box.width, box.height) == size
        assert box.x >= -1e-6
        assert box.y >= 0
        assert box.right <= layout.width + 1e-6
        assert box.bottom <= layout.height + 1e-6
        assert all(apart(box, other) for other in layout.boxes[number + 1 :])
        assert all(layout.boxes[i].bottom < box.y for i in inputs[number])


@given(plans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_edges_go_from_node_to_node_and_around_all_others(
    plan: tuple[list[tuple[float, float]], list[list[int]]],
) -> None:
    sizes, inputs = plan
    layout = laid_out(sizes, inputs)
    edges = {(route.start, route.end) for route in layout.routes}
    assert edges == {(i, number) for number, before in enumerate(inputs) for i in before}
    for route in layout.routes:
        assert_ends_at_its_nodes(route, layout)
        for x, y in route.points:
            assert -1e-6 <= x <= layout.width + 1e-6
            assert 0 <= y <= layout.height
        others = [b for n, b in enumerate(layout.boxes) if n not in (route.start, route.end)]
        for (x, top), (_, bottom) in zip(route.points[1:-1:2], route.points[2:-1:2], strict=True):
            assert top <= bottom
            assert not any(b.x < x < b.right and b.y < bottom and top < b.bottom for b in others), (
                "it crosses a node"
            )


def assert_ends_at_its_nodes(route: Route, layout: Layout) -> None:
    upper, lower = layout.boxes[route.start], layout.boxes[route.end]
    (x1, y1), (x2, y2) = route.points[0], route.points[-1]
    assert upper.x < x1 < upper.right
    assert y1 == upper.bottom
    assert lower.x < x2 < lower.right
    assert y2 == lower.y
    drawn = [float(n) for n in re.findall(r"-?\d+\.\d", path(route))]
    assert (drawn[0], drawn[1]) == (round(x1, 1), round(y1, 1))
    assert drawn[-1] == round(y2, 1)


def test_wide_plans_are_no_wider_than_some_nodes() -> None:
    """Fifty operators side by side, all read by one."""
    inputs: list[list[int]] = [[], *([0] for _ in range(50)), list(range(1, 51))]
    layout = laid_out([SIZE] * 52, inputs)
    rows: dict[float, int] = {}
    for box in layout.boxes:
        rows[box.y] = rows.get(box.y, 0) + 1
    assert max(rows.values()) == MOST_BESIDE
    assert layout.width < 25 * SIZE[0]


def test_a_chain_stands_below_each_other_and_a_source_next_to_its_reader() -> None:
    layout = laid_out([SIZE] * 6, [[], [0], [1], [2], [], [3, 4]])
    chain = layout.boxes[:4]
    assert len({round(box.x, 3) for box in chain}) == 1
    assert layout.boxes[4].y == layout.boxes[3].y


def test_edges_that_need_not_cross_do_not() -> None:
    """Two readers of two inputs, named the other way round."""
    layout = laid_out([SIZE] * 4, [[], [], [1], [0]])
    boxes = layout.boxes
    assert (boxes[0].x < boxes[1].x) == (boxes[3].x < boxes[2].x)


def test_a_plan_of_nothing_is_an_empty_picture() -> None:
    assert laid_out([], []) == Layout((), (), 0.0, 0.0)
