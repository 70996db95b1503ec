"""Which prefixes are worth keeping in a KV cache against its own habit of dropping the oldest.

A cache that drops what was not used for longest keeps a prefix by itself while fewer tokens come
between two uses than it holds. Where more come between (instructions of an operator that return
with every row, a document that is read again a debate later), each use computes the prefix again;
kept, it takes room from everything else. What is kept is warmed first, on the worker that uses it,
and let go after its last use (Helium, section 5.3, does so for static prefixes; here any prefix
counts).
"""

from __future__ import annotations

from collections.abc import Sequence

from heliumql.scheduling.schedule import Pin, Schedule
from heliumql.scheduling.workload import Worker, Workload

_LEAST_TOKENS = 200  # of a prefix that is kept (as in the paper)
_SHARE = 0.5  # of a KV cache that may be kept, at most


def worthwhile(
    workload: Workload,
    workers: Sequence[Worker],
    schedule: Schedule,
    paths: Sequence[Sequence[int]],
) -> tuple[Pin, ...]:
    """Prefixes that this schedule would compute again and again; the most tokens saved for the room
    they take first, as many as leave room for the calls themselves."""
    tree, rank = workload.tree, schedule.rank
    by_worker: list[list[int]] = [[] for _ in workers]
    for call in sorted(range(len(workload)), key=rank.__getitem__):
        if schedule.worker[call] >= 0:
            by_worker[schedule.worker[call]].append(call)
    chosen: list[Pin] = []
    for number, calls in enumerate(by_worker):
        constants = workers[number].constants
        room = constants.kv_cache_tokens
        seen: dict[int, int] = {}  # node -> tokens that had come by its last use
        uses: dict[int, list[int]] = {}
        again: dict[int, int] = {}  # node -> uses that would not find it
        come = 0
        for call in calls:
            found = 0
            for node in paths[call]:
                if node in seen:
                    uses.setdefault(node, []).append(call)
                    if come - seen[node] > room:
                        again[node] = again.get(node, 0) + 1
                    elif found == tree.end[tree.parent[node]]:
                        found = tree.end[node]
                else:
                    uses[node] = [call]
            come += workload.prompt[call] + workload.output[call] - found
            for node in paths[call]:
                seen[node] = come
        largest = max((workload.prompt[c] + workload.output[c] for c in calls), default=0)
        budget = min(room * _SHARE, room - largest - constants.max_num_seqs * constants.block_size)
        ranked = sorted(
            (node for node in again if tree.end[node] >= _LEAST_TOKENS),
            key=lambda n: (-again[n] * _own(workload, n) / tree.end[n], n),
        )
        kept: set[int] = set()
        for node in ranked:
            way = _way(workload, node)
            more = sum(_own(workload, n) for n in way if n not in kept)
            if again[node] < 2 or more > budget:
                continue
            budget -= more
            kept.update(way)
            chosen.append(Pin(node, number, tree.end[node], tuple(uses[node])))
    return tuple(chosen)


def _own(workload: Workload, node: int) -> int:
    return workload.tree.end[node] - workload.tree.end[workload.tree.parent[node]]


def _way(workload: Workload, node: int) -> list[int]:
    way = []
    while node:
        way.append(node)
        node = workload.tree.parent[node]
    return way
