"""Prefix groups: the calls that share a heavy prefix, each call in one group.

The tree is cut into one level of groups so that the tokens saved are most (the dynamic program of
BatchLLM, MLSys 2026): a node is worth (calls below - 1) x its length, or what the best cuts below
it are worth together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from heliumql.scheduling.workload import Workload

_LAST = (0, 1 << 62)


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
    parent, end = tree.parent, tree.end
    count = len(parent)
    calls_at: dict[int, list[int]] = {}
    number = [0] * count  # of calls below
    urgent = [_LAST] * count  # longest chain (negative), first call
    for call, chain in enumerate(workload.chain):
        leaf = tree.leaf[call]
        calls_at.setdefault(leaf, []).append(call)
        number[leaf] += 1
        urgent[leaf] = min(urgent[leaf], (-chain, call))
    children: dict[int, list[int]] = {}
    worth = [0] * count  # of the cuts below, until the node itself is looked at
    cut = [False] * count
    for node in range(count - 1, 0, -1):
        own = (number[node] - 1) * end[node]
        if own > 0 and own >= worth[node]:
            worth[node], cut[node] = own, True
        above = parent[node]
        number[above] += number[node]
        worth[above] += worth[node]
        urgent[above] = min(urgent[above], urgent[node])
        children.setdefault(above, []).append(node)
    for below in children.values():
        if len(below) > 1:
            below.sort(key=urgent.__getitem__)
    group, place = [0] * len(workload), [0] * len(workload)
    shared: list[int] = []
    at = 0
    stack: list[tuple[int, int]] = [(0, -1)]
    while stack:
        node, inside = stack.pop()
        if inside < 0 and cut[node]:
            inside = len(shared)
            shared.append(node)
        for call in calls_at.get(node, ()):
            if inside < 0:
                group[call] = len(shared)
                shared.append(0)
            else:
                group[call] = inside
            place[call] = at
            at += 1
        stack += [(child, inside) for child in reversed(children.get(node, ()))]
    return Groups(group, shared, place)
