"""A part of a workload that stands for the whole: whole queries, in order, up to some calls."""

from __future__ import annotations

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
        PrefixTree(workload.tree.parent, workload.tree.end, [workload.tree.leaf[c] for c in kept]),
        [workload.engine[c] for c in kept],
    )
