"""A part of a workload that stands for the whole: whole queries, in order, up to some calls."""

from __future__ import annotations

from collections.abc import Sequence

from heliumql.scheduling.prefix_tree import PrefixTree
from heliumql.scheduling.workload import Workload


def sampled(workload: Workload, calls: int) -> Workload:
    """About so many calls: the first queries as wholes, or of a single query its first calls."""
    if len(workload) <= calls:
        return workload
    size: dict[int, int] = {}
    for query in workload.query:
        size[query] = size.get(query, 0) + 1
    chosen: set[int] = set()
    total = 0
    for query, count in size.items():
        if total + count > calls:
            break
        chosen.add(query)
        total += count
    if chosen:
        kept = [call for call, query in enumerate(workload.query) if query in chosen]
    else:
        kept = sorted(workload.topological[:calls])
    number = {call: n for n, call in enumerate(kept)}
    return Workload(
        [workload.query[c] for c in kept],
        [workload.operator[c] for c in kept],
        [workload.prompt[c] for c in kept],
        [workload.output[c] for c in kept],
        [[number[n] for n in workload.needs[c] if n in number] for c in kept],
        _pruned(workload.tree, kept),
        [workload.engine[c] for c in kept],
        [workload.known[c] for c in kept] if workload.known else (),
    )


def _pruned(tree: PrefixTree, calls: Sequence[int]) -> PrefixTree:
    """The tree of these calls: without the nodes that only others have."""
    used = {0}
    for call in calls:
        node = tree.leaf[call]
        while node not in used:
            used.add(node)
            node = tree.parent[node]
    nodes = sorted(used)
    number = {node: n for n, node in enumerate(nodes)}
    return PrefixTree(
        [number[tree.parent[node]] for node in nodes],
        [tree.end[node] for node in nodes],
        [number[tree.leaf[call]] for call in calls],
        [tree.characters[node] for node in nodes] if tree.characters else (),
    )
