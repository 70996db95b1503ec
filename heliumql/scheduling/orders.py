"""Orders of calls: what cache_aware chooses from.

All are ranks for list scheduling: of the calls that are ready the smallest goes first. A call that
waits for others cannot go before the last of them, so it belongs to that one's unit, unless what it
shares a prefix with comes later. `open_units` says how many units are worked on side by side: few
keep their prefixes in the KV cache, many keep the batch full to the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from heliumql.scheduling.groups import Groups
from heliumql.scheduling.workload import Workload

Unit = Literal["prefix", "query"]


@dataclass(frozen=True)
class Order:
    """One of the orders: what is kept together, and how many of them are open at once (0: all)."""

    unit: Unit
    open_units: int
    chain_first: bool = True  # inside open units: the longest chain first, else depth-first

    def __str__(self) -> str:
        within = "longest chain first" if self.chain_first else "depth first"
        if not self.open_units:
            return f"all at once, {within}"
        what = {"prefix": "prefix group", "query": "query"}[self.unit]
        return f"by {what}, {self.open_units} at a time, {within}"


def units_of(workload: Workload, groups: Groups, unit: Unit) -> list[int]:
    """The unit of each call, numbered in the order in which units are opened."""
    if unit == "query":
        first: dict[int, int] = {}
        for call in sorted(range(len(workload)), key=groups.place.__getitem__):
            first.setdefault(workload.query[call], len(first))
        return [first[query] for query in workload.query]
    result = [0] * len(workload)
    for call in workload.topological:
        own = groups.group[call]
        needs = workload.needs[call]
        shares = groups.node[own] != 0
        if not needs:
            result[call] = own
        else:
            last = max(result[need] for need in needs)
            result[call] = max(last, own) if shares else last
    return result


def ranks(workload: Workload, groups: Groups, order: Order, units: Sequence[int]) -> list[int]:
    """The rank of each call: a permutation."""
    open_units = order.open_units
    chain, place = workload.chain, groups.place

    def key(call: int) -> tuple[int, int, int]:
        block = units[call] // open_units if open_units else 0
        return (block, -chain[call] if order.chain_first else 0, place[call])

    rank = [0] * len(workload)
    for number, call in enumerate(sorted(range(len(workload)), key=key)):
        rank[call] = number
    return rank
