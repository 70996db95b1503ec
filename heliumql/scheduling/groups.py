"""Prefix groups: the calls that share a heavy prefix, each call in one group.

The tree is cut into one level of groups so that the tokens saved are most (the dynamic program of
BatchLLM, MLSys 2026): a node is worth (calls below - 1) x its length, or what the best cuts below
it are worth together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from heliumql.scheduling.workload import Workload


@dataclass(frozen=True)
class Groups:
    """The group of each call, and the place of each call in the depth-first order of the tree.

    Groups have numbers in depth-first order; `node` is what the calls of a group share (0 for
    nothing).
    """

    group: Sequence[int]
    node: Sequence[int]
    place: Sequence[int]


def prefix_groups(workload: Workload) -> Groups:
    """Depth-first, at every node what has the longest chain of calls ahead of it first, then what
    was asked for first."""
    tree = workload.tree
    count = len(tree.parent)
    calls_at: list[list[int]] = [[] for _ in range(count)]
    for call, leaf in enumerate(tree.leaf):
        calls_at[leaf].append(call)
    children: list[list[int]] = [[] for _ in range(count)]
    for node in range(1, count):
        children[tree.parent[node]].append(node)
    chain = workload.chain
    number = [0] * count  # of calls below
    urgent = [(0, 0)] * count  # longest chain (negative), first call
    worth = [0] * count
    for node in range(count - 1, -1, -1):
        below = sum(number[child] for child in children[node]) + len(calls_at[node])
        number[node] = below
        urgent[node] = min(
            [urgent[child] for child in children[node]]
            + [(-chain[call], call) for call in calls_at[node]],
            default=(0, 0),
        )
        worth[node] = max(
            (below - 1) * tree.end[node] if node else 0,
            sum(worth[child] for child in children[node]),
        )
        children[node].sort(key=urgent.__getitem__)
    group, place = [0] * len(workload), [0] * len(workload)
    shared: list[int] = []
    at = 0
    stack: list[tuple[int, int]] = [(0, -1)]
    while stack:
        node, inside = stack.pop()
        if (
            inside < 0
            and node
            and number[node] > 1
            and worth[node] == (number[node] - 1) * tree.end[node]
        ):
            inside = len(shared)
            shared.append(node)
        for call in calls_at[node]:
            if inside < 0:
                group[call] = len(shared)
                shared.append(0)
            else:
                group[call] = inside
            place[call] = at
            at += 1
        stack += [(child, inside) for child in reversed(children[node])]
    return Groups(group, shared, place)
