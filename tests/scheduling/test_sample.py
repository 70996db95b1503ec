"""A sample of a workload: whole queries, whose tree is the part of the tree that they have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from heliumql.scheduling.groups import prefix_groups
from heliumql.scheduling.prefix_tree import tree_of_segments
from heliumql.scheduling.sample import sampled
from heliumql.scheduling.workload import Workload


def workload(queries: int) -> Workload:
    """Each query: three calls that share its document, and one that needs them."""
    segments: list[list[tuple[str, int]]] = []
    needs: list[list[int]] = []
    for query in range(queries):
        first = len(segments)
        for part in range(3):
            document = (f"document {query % 5}", 300)
            segments.append([("role", 40), document, (f"{query} {part}", 20), ("answer", 9)])
            needs.append([])
        segments.append([("summary", 30), (f"{query}", 27), ("answer", 9)])
        needs.append([first, first + 1, first + 2])
    count = len(segments)
    prompts = [sum(tokens for _, tokens in s[:-1]) for s in segments]
    return Workload(
        query=[call // 4 for call in range(count)],
        operator=[int(call % 4 == 3) for call in range(count)],
        prompt=prompts,
        output=[9] * count,
        needs=needs,
        tree=tree_of_segments(segments),
        engine=[0] * count,
    )


def test_a_small_workload_is_its_own_sample() -> None:
    whole = workload(3)
    assert sampled(whole, 12) is whole


@pytest.mark.parametrize("calls", [4, 17, 40])
def test_calls_of_a_sample_are_what_they_were(calls: int) -> None:
    whole = replace(workload(12), known=[call % 3 == 0 for call in range(48)])
    part = sampled(whole, calls)
    assert len(part) == calls // 4 * 4
    for call in range(len(part)):
        assert part.query[call] == whole.query[call]
        assert part.known[call] == whole.known[call]
        assert part.needs[call] == whole.needs[call]
        assert part.prompt[call] == whole.prompt[call]
        before = [whole.tree.end[node] for node in whole.tree.path(call)]
        assert [part.tree.end[node] for node in part.tree.path(call)] == before


def test_calls_of_a_sample_share_what_they_shared() -> None:
    whole = workload(12)
    part = sampled(whole, 24)
    for one in range(24):
        for other in range(one):
            alike = set(whole.tree.path(one)) & set(whole.tree.path(other))
            assert len(set(part.tree.path(one)) & set(part.tree.path(other))) == len(alike)
    groups = prefix_groups(part)
    assert len({groups.group[call] for call in range(0, 24, 4)}) > 1


def test_the_tree_of_a_sample_has_no_other_nodes() -> None:
    part = sampled(workload(12), 8)
    used = {0}.union(*(part.tree.path(call) for call in range(8)))
    assert used == set(range(len(part.tree.parent)))
    assert all(parent < node for node, parent in enumerate(part.tree.parent) if node)
