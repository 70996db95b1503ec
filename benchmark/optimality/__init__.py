"""How far the orders of the scheduling policies are from the best one, in the paper's cost model.

Tiny workflows (2 to 4 agents, 2 to 4 queries, as in section 5 of the paper) on one worker with a KV
cache of 8192 tokens. Every policy's schedule becomes the order in which the worker would take the
calls; its gap is makespan / best known - 1. The best is known by dynamic programming, else by an
integer program with a limit of time, else it is the best that was seen.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial

from heliumql.cli.standard_output import write
from heliumql.cost.event_model import Constants
from heliumql.scheduling.policies import POLICIES
from heliumql.scheduling.policies.cache_aware import cache_aware
from heliumql.scheduling.schedule import Schedule
from heliumql.scheduling.token_steps import CAPACITY, sequence, sequence_cost, sequence_makespan
from heliumql.scheduling.workload import Worker

from .instances import Instance, instances
from .reference import Reference, reference

WORKER = Worker(constants=Constants(kv_cache_tokens=CAPACITY))


def main(options: argparse.Namespace) -> int:
    """Prints two Markdown tables. `options` are those of `heliumql bench optimality`."""
    chosen = list(instances(2 if options.quick else options.most, options.seed))
    rows = []
    spans: dict[str, list[float]] = {}
    for number, instance in enumerate(chosen, 1):
        began = time.perf_counter()
        known = reference(
            instance, seconds=options.seconds, labels=options.labels, milp=options.milp
        )
        spans_here = {**_searched(instance, known.search), **makespans(instance)}
        # A policy may have found what nothing else did.
        best = min(known.makespan, *spans_here.values())
        for name, span in spans_here.items():
            spans.setdefault(name, []).append(span / best - 1)
        rows.append(_row(instance, known, best, spans_here))
        taken = time.perf_counter() - began
        print(f"{number}/{len(chosen)} {instance.name}: {taken:.1f} s", file=sys.stderr)
    write(f"{_gaps(spans)}\n{_instances(rows)}\n")
    return 0


def makespans(instance: Instance) -> Mapping[str, float]:
    """The makespan of every policy's order, in steps."""
    workload = instance.workload
    # What cache_aware searches with is the model that it is to be good in: this one, here.
    policies = {**POLICIES, "cache_aware": partial(cache_aware, cost=sequence_cost)}
    return {
        name: sequence_makespan(workload, sequence(workload, WORKER, policy(workload, [WORKER])))
        for name, policy in policies.items()
    }


def _searched(instance: Instance, order: Sequence[int]) -> Mapping[str, float]:
    """What local search found, and what is left of it where a worker never waits for a call while
    another one is ready, as with every schedule."""
    workload = instance.workload
    rank = [0] * len(order)
    for place, call in enumerate(order):
        rank[call] = place
    soft = sequence(workload, WORKER, Schedule("local_search", rank, [0] * len(order)))
    return {
        "local search": sequence_makespan(workload, order),
        "local search, never waiting": sequence_makespan(workload, soft),
    }


def _gaps(gaps: Mapping[str, Sequence[float]]) -> str:
    lines = ["| order of | average gap | greatest gap | best order found |", "|---|---|---|---|"]
    for name, values in sorted(gaps.items(), key=lambda pair: statistics.mean(pair[1])):
        found = sum(gap < 1e-6 for gap in values)
        average, greatest = statistics.mean(values), max(values)
        lines.append(f"| {name} | {average:.1%} | {greatest:.1%} | {found} of {len(values)} |")
    return "\n".join(lines) + "\n"


def _row(
    instance: Instance, known: Reference, best: float, spans: Mapping[str, float]
) -> Sequence[str]:
    proof = "yes" if known.proven else f"within {best / known.bound - 1:.1%}"
    ahead = [name for name, span in spans.items() if span <= best * (1 + 1e-6)]
    return (
        instance.name, str(len(instance.workload)), f"{best:.1f}", f"{known.bound:.1f}", proof,
        known.program, ", ".join(ahead) or "a longer search",
    )  # fmt: skip


def _instances(rows: Sequence[Sequence[str]]) -> str:
    head = (
        "agents x queries", "calls", "best known, steps", "bound", "proven",
        "integer program", "found by",
    )  # fmt: skip
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
