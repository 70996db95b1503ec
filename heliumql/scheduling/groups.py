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


def prefix_groups(workload: Workload, block: int = 1) -> Groups:
    """Depth-first, at every node what has the longest chain of calls ahead of it first, then what
    was asked for first.

    Engines share whole blocks of `block` tokens: a node that adds none is passed over,
    so calls that share nothing of weight stay in the order in which rows asked for them.
    """
    parent, end = workload.tree.parent, workload.tree.end
    count = len(parent)
    number = [0] * count  # of calls below
    for leaf in workload.tree.leaf:
        number[leaf] += 1
    for node in range(count - 1, 0, -1):
        number[parent[node]] += number[node]
    anchor = [0] * count  # the last node of weight on the way
    for node in range(1, count):
        above = anchor[parent[node]]
        heavy = number[node] > 1 and end[node] // block > end[above] // block
        anchor[node] = node if heavy else above
    # What stands below each node of weight: how urgent it is, then a node (negative) or a call.
    below: dict[int, list[tuple[int, int, int]]] = {0: []}
    first: dict[int, tuple[int, int]] = {}
    for call, chain in enumerate(workload.chain):
        node = anchor[workload.tree.leaf[call]]
        inside = below.get(node)
        if inside is None:
            inside = below[node] = []
        inside.append((-chain, call, call))
    for node, inside in below.items():
        if inside:
            first[node] = min(inside)[:2]
    nodes = [node for node in range(count - 1, 0, -1) if anchor[node] == node]
    worth = dict.fromkeys([*nodes, 0], 0)  # of the cuts below, until the node itself is looked at
    cut = set()
    for node in nodes:
        own = (number[node] - 1) * end[node]
        if own >= worth[node]:
            worth[node] = own
            cut.add(node)
        above = anchor[parent[node]]
        worth[above] += worth[node]
        below.setdefault(above, []).append((*first[node], -node))
        first[above] = min(first.get(above, first[node]), first[node])
    for inside in below.values():
        inside.sort()
    group, place = [0] * len(workload), [0] * len(workload)
    shared: list[int] = []
    at = 0
    stack = [(item, -1) for _, _, item in reversed(below[0])]
    while stack:
        item, within = stack.pop()
        if item < 0:
            if within < 0 and -item in cut:
                within = len(shared)
                shared.append(-item)
            stack += [(one, within) for _, _, one in reversed(below[-item])]
            continue
        if within < 0:
            within = len(shared)
            shared.append(0)
        group[item] = within
        place[item] = at
        at += 1
    return Groups(group, shared, place)
