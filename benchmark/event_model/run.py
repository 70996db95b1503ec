"""Scheduling policies on the paper's workloads, on an event model with the constants of a GPU.

    python benchmark/event_model/run.py [--suites trading,iterative] [--policies random,helium]
        [--batch 16] [--workers 2] [--kv 449000] [--merged] [--shuffled] [--seed 0]
        [--paper | --sweep batch|branches|rounds|workers|kv|mixes]

Seconds are virtual; a cell is seconds, prefix hits, and seconds against `random`. `oracle` runs the
same calls with all answers known beforehand, in the depth-first order of their prompts. That is no
strict limit: a conversation and its continuation then run side by side, so the continuation
computes the answer in it again. `chain` is the longest chain of a workload run alone.
`--paper` compares Trading with the scheduling ablation of the Helium paper (section 6).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from hardware import KV_TOKENS, worker
from paper_workloads import MIXES, SUITES, mixed_debate, mixed_map_reduce, shuffled

from heliumql.cost.event_model import Constants, EventModel
from heliumql.scheduling.policies.fcfs import fcfs
from heliumql.scheduling.policies.helium import helium
from heliumql.scheduling.policies.kvflow import kvflow, step_aware
from heliumql.scheduling.policies.lspf import lspf
from heliumql.scheduling.policies.op_wise import op_wise
from heliumql.scheduling.policies.parrot import parrot
from heliumql.scheduling.policies.query_wise import query_wise
from heliumql.scheduling.policies.random import random
from heliumql.scheduling.schedule import Schedule
from heliumql.scheduling.simulation import simulate
from heliumql.scheduling.workload import Worker, Workload

Policy = Callable[[Workload, Sequence[Worker]], Schedule]

# Rows of a suite: Trading as in the paper's ablation, others so that a run stays short.
BATCH = {
    "map_reduce_mmlu": 80,
    "map_reduce_tatqa": 24,
    "debate_mmlu": 200,
    "debate_tatqa": 32,
    "reflection": 48,
    "iterative": 160,
    "parallel": 24,
    "trading": 16,
}

# The paper's scheduling ablation: Trading, batch 16, seconds and prefix hits.
PAPER = {
    "helium": (149.8, 0.565),
    "lspf": (188.9, None),
    "random": (193.5, 0.371),
    "op_wise": (419.0, 0.408),
    "query_wise": (658.5, None),
}


def policies() -> dict[str, Policy]:
    """By name, in the order of the table; HeliumQL's own where it is there."""
    found: dict[str, Policy] = {
        "query_wise": query_wise,
        "op_wise": op_wise,
        "random": random,
        "fcfs": fcfs,
        "lspf": lspf,
        "parrot": parrot,
        "kvflow": kvflow,
        "helium": helium,
    }
    try:
        from heliumql.scheduling.policies import POLICIES
    except ImportError:
        return found
    return {**found, **{n: p for n, p in POLICIES.items() if n not in found}}


@dataclass(frozen=True)
class Run:
    """What a policy made of a workload."""

    seconds: float
    hit_rate: float
    planning: float  # seconds of real time, until there was a schedule


class _ByArrival(EventModel[int]):
    """An engine without priorities: what waits there goes on as it came."""

    def add(
        self, call: int, prompt_tokens: int, keys: Sequence[int], output_tokens: int, priority: int
    ) -> None:
        super().add(call, prompt_tokens, keys, output_tokens, 0)


def run(
    policy: str,
    make: Policy,
    workload: Workload,
    workers: Sequence[Worker],
    model: Callable[[Constants], EventModel[int]] = EventModel,
) -> Run:
    """Plans and simulates."""
    began = time.perf_counter()
    schedule = make(workload, workers)
    planning = time.perf_counter() - began
    if policy == "kvflow":
        model = step_aware(workload)
    outcome = simulate(workload, workers, schedule, model)
    return Run(outcome.seconds, outcome.hit_rate, planning)


def oracle(workload: Workload, workers: Sequence[Worker]) -> Run:
    """The same calls without their needs, depth first, cut into equal parts for the workers."""
    free = replace(workload, needs=[()] * len(workload))
    order = sorted(range(len(free)), key=workload.tree.path)
    costs, before = [], None
    for call in order:
        shared = 0
        path = workload.tree.path(call)
        if before is not None:
            for one, other in zip(before, path, strict=False):
                if one != other:
                    break
                shared = workload.tree.end[one]
        fresh = max(1, workload.prompt[call] - shared)
        costs.append(workers[0].seconds(fresh, workload.output[call]))
        before = path
    rank, chosen = [0] * len(free), [0] * len(free)
    done, total = 0.0, sum(costs)
    for place, (call, cost) in enumerate(zip(order, costs, strict=True)):
        rank[call] = place
        chosen[call] = min(len(workers) - 1, int(done / total * len(workers)))
        done += cost
    outcome = simulate(free, workers, Schedule("oracle", rank, chosen))
    return Run(outcome.seconds, outcome.hit_rate, 0.0)


def chain(workload: Workload, workers: Sequence[Worker]) -> Run:
    """The chain with most output tokens, alone on one worker."""
    call: int | None = max(range(len(workload)), key=lambda c: (workload.chain[c], -c))
    chosen: list[int] = []
    while call is not None:
        chosen.append(call)
        after = workload.dependents[call]
        call = max(after, key=lambda c: (workload.chain[c], -c), default=None)
    number = {call: n for n, call in enumerate(chosen)}
    alone = Workload(
        query=[workload.query[c] for c in chosen],
        operator=[workload.operator[c] for c in chosen],
        prompt=[workload.prompt[c] for c in chosen],
        output=[workload.output[c] for c in chosen],
        needs=[[number[n] for n in workload.needs[c] if n in number] for c in chosen],
        tree=replace(workload.tree, leaf=[workload.tree.leaf[c] for c in chosen]),
        engine=[workload.engine[c] for c in chosen],
    )
    outcome = simulate(alone, workers[:1], fcfs(alone, workers[:1]))
    return Run(outcome.seconds, outcome.hit_rate, 0.0)


def table(
    cases: Sequence[tuple[str, Workload, Sequence[Worker]]], chosen: dict[str, Policy]
) -> None:
    """A row for each policy, for each case its seconds, hits in % and seconds against random."""
    width = max(18, *(len(name) + 2 for name, _, _ in cases))
    print(f"{'':12}" + "".join(f"{name:>{width}}" for name, _, _ in cases))
    counts = [f"{len(w)} calls" for _, w, _ in cases]
    print(f"{'':12}" + "".join(f"{count:>{width}}" for count in counts))
    base = [run("random", random, w, ws).seconds for _, w, ws in cases]
    planning: dict[str, list[float]] = {}

    def rows() -> Iterator[tuple[str, Iterator[Run]]]:
        for name, make in chosen.items():
            yield name, (run(name, make, w, ws) for _, w, ws in cases)
        yield "oracle", (oracle(w, ws) for _, w, ws in cases)
        yield "chain", (chain(w, ws) for _, w, ws in cases)

    for name, runs in rows():
        print(f"{name:12}", end="", flush=True)
        for unit, result in zip(base, runs, strict=True):
            planning.setdefault(name, []).append(result.planning)
            cell = f"{result.seconds:.1f} {result.hit_rate:4.0%} {result.seconds / unit:5.2f}"
            print(f"{cell:>{width}}", end="", flush=True)
        print()
    slow = {n: max(times) for n, times in planning.items() if max(times) > 0.01}
    print("planning, at most: " + ", ".join(f"{n} {1000 * t:.0f} ms" for n, t in slow.items()))


def paper(workers: Sequence[Worker], seed: int) -> None:
    """The paper's ablation of scheduling and ours, and what the ratios to Helium depend on."""
    asked = SUITES["trading"](16, seed=seed)
    merged = SUITES["trading"](16, seed=seed, merge=True)
    half = KV_TOKENS // 2

    def engines(**given: float) -> list[Worker]:
        return [Worker(constants=worker(**given))] * len(workers)  # type: ignore[arg-type]

    cases: dict[str, tuple[Workload, Sequence[Worker], type[EventModel[int]]]] = {
        "here": (asked, workers, EventModel),
        "by arrival": (asked, workers, _ByArrival),
        "half the KV": (asked, engines(kv_tokens=half), EventModel),
        "half, by arrival": (asked, engines(kv_tokens=half), _ByArrival),
        "half, decode 0.9": (asked, engines(kv_tokens=half, bandwidth_reached=0.9), _ByArrival),
        "half, prefill 0.3": (asked, engines(kv_tokens=half, flops_reached=0.3), _ByArrival),
        "merged": (merged, workers, EventModel),
    }
    print(f"{'':12}{'paper':>20}" + "".join(f"{name:>20}" for name in cases))
    chosen = policies()
    results = {
        case: {name: run(name, chosen[name], *given) for name in PAPER}
        for case, given in cases.items()
    }
    unit = PAPER["helium"][0]
    for name, (seconds, hits) in PAPER.items():
        known = f"{hits:5.1%}" if hits is not None else ""
        cell = f"{seconds:.1f} {known:5} {seconds / unit:5.2f}"
        print(f"{name:12}{cell:>20}", end="")
        for runs in results.values():
            mine = runs[name]
            part = mine.seconds / runs["helium"].seconds
            cell = f"{mine.seconds:.1f} {mine.hit_rate:5.1%} {part:5.2f}"
            print(f"{cell:>20}", end="")
        print()


def sweep(
    what: str, suites: Sequence[str], workers: Sequence[Worker], args: argparse.Namespace
) -> Iterator[tuple[str, Workload, Sequence[Worker]]]:
    """The cases of one of the sensitivities."""
    if what == "mixes":
        rows = args.batch or 100
        for name in MIXES:
            yield f"{name} map", mixed_map_reduce(name, rows, args.seed), workers
            yield f"{name} debate", mixed_debate(name, rows, args.seed), workers
        return
    for suite in suites:
        make, batch = SUITES[suite], args.batch or BATCH[suite]
        given = {"seed": args.seed, "merge": args.merged}
        match what:
            case "batch":
                for rows in (8, 16, 32, 64, 80):
                    yield f"{suite} {rows}", make(rows, **given), workers
            case "branches" | "rounds":
                for value in (4, 8, 12, 16) if what == "branches" else (2, 3, 4, 5):
                    try:
                        workload = make(batch, **given, **{what: value})
                    except TypeError:
                        raise SystemExit(f"{suite} has no {what}; --suites names others") from None
                    yield f"{suite} {value}", workload, workers
            case "workers":
                for count in (1, 2, 4):
                    yield f"{suite} x{count}", make(batch, **given), [workers[0]] * count
            case "kv":
                for part in (8, 4, 2, 1):
                    small = replace(workers[0], constants=worker(args.kv // part))
                    yield f"{suite} kv/{part}", make(batch, **given), [small] * len(workers)


def main() -> None:
    """Reads the arguments and prints one table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--suites", help="some of: " + ", ".join(SUITES))
    parser.add_argument("--policies", help="some of: " + ", ".join(policies()))
    parser.add_argument("--batch", type=int, help="rows of each suite")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kv", type=int, default=KV_TOKENS, help="tokens of a worker's KV cache")
    parser.add_argument("--merged", action="store_true", help="equal calls are one call")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--paper", action="store_true")
    parser.add_argument(
        "--sweep", choices=("batch", "branches", "rounds", "workers", "kv", "mixes")
    )
    parser.add_argument("--shuffled", action="store_true", help="rows ask in another order")
    args = parser.parse_args()
    workers = [Worker(constants=worker(args.kv))] * args.workers
    chosen = policies()
    if args.policies:
        chosen = {name: chosen[name] for name in args.policies.split(",")}
    if args.paper:
        paper(workers, args.seed)
        return
    if args.sweep:
        suites = args.suites.split(",") if args.suites else ["trading"]
        table(list(sweep(args.sweep, suites, workers, args)), chosen)
        return
    suites = args.suites.split(",") if args.suites else list(SUITES)
    cases = [
        (s, SUITES[s](args.batch or BATCH[s], seed=args.seed, merge=args.merged), workers)
        for s in suites
    ]
    if not args.suites and not args.merged:
        merged = SUITES["trading"](args.batch or BATCH["trading"], seed=args.seed, merge=True)
        cases.append(("trading merged", merged, workers))
    if args.shuffled:
        cases = [(name, shuffled(workload), given) for name, workload, given in cases]
    table(cases, chosen)


if __name__ == "__main__":
    main()
