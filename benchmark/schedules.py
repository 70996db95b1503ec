"""What the order of calls is worth: the suites under each scheduling policy, on one engine.

    python benchmark/schedules.py [--suites mixed,trading] [--policies cache_aware,op_wise]
        [--repeat 3] [--kv quarter|tight|all|TOKENS] [--workers 1|2] [--simulate] [--kept]
        [--slots 8] [--apart]

vLLM with a small random model in float32, one core a worker; every suite has an engine of its own,
in which the policies take turns, each with empty prefix caches at first. No answers are remembered;
equal calls of one run are one, under every policy (with --apart there are none). Rows are checked
to be equal. The oracle is a replay of the same calls with all answers known, in depth-first order
of their prompts: that, or one row of the batch alone, is about the least time that any order of the
workflow can take. `foretold` is what the event model says of the schedule, with speeds measured by
the engine's own calibration and, with --kept, lengths of answers learnt in a run before.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from suites import engines
from suites.recording import Asked, RecordingEngine, distinct_tokens
from suites.runs import Run, replay, run, session
from suites.suite import SUITES, Suite

from heliumql.connection import Connection
from heliumql.scheduling.policies import POLICIES

_ENDLESS = 1 << 24


@dataclass(frozen=True)
class Chosen:
    """What the command line asks for."""

    policies: Sequence[str]
    repeat: int
    kv: str
    workers: int
    scale: float | None
    rows: int | None
    simulate: bool
    kept: bool
    oracle: bool
    apart: bool
    slots: int


@dataclass(frozen=True)
class Size:
    """What a suite has to keep, in tokens."""

    calls: int
    working_set: int  # prompts and answers, common beginnings once
    at_once: int  # what the longest calls need that are computed together
    longest: int  # call

    def kv_cache_tokens(self, choice: str) -> int:
        """Of each worker, whole blocks."""
        match choice:
            case "quarter":
                tokens = max(self.working_set // 4, self.at_once)
            case "tight":
                tokens = max(self.working_set // 16, 2 * self.longest)
            case "all":
                tokens = 2 * self.working_set
            case _:
                tokens = int(choice)
        return -(-tokens // engines.BLOCK) * engines.BLOCK


def size_of(record: Sequence[Asked], slots: int) -> Size:
    block = engines.BLOCK
    blocks = sorted((-(-len(asked.tokens) // block) for asked in record), reverse=True)
    at_once = sum(blocks[:slots]) * block
    return Size(len(record), distinct_tokens(record), at_once, blocks[0] * block)


class Measured:
    """A suite on one engine."""

    def __init__(self, suite: Suite, chosen: Chosen, engine: RecordingEngine, kv: int) -> None:
        self.suite = suite
        self.chosen = chosen
        self.engine = engine
        self.kv = kv
        self.rows = chosen.rows or suite.rows
        self.scale = chosen.scale or suite.scale

    def runs(self) -> Iterator[Run]:
        """The policies by turns, a different one first each time."""
        policies = list(self.chosen.policies)
        if not self.chosen.simulate:
            self.one_row()  # the first calls of a process take longer
        with self._maybe_kept() as kept:
            for number in range(self.chosen.repeat):
                first = number % len(policies)
                for policy in policies[first:] + policies[:first]:
                    yield self._fresh(lambda con, p=policy: self._query(con, p), kept)

    def one_row(self) -> Run:
        return self._fresh(lambda con: self._query(con, "cache_aware"), rows=1)

    def oracle(self, record: Sequence[Asked]) -> Run:
        return self._fresh(lambda con: replay(con, self.engine, record, "cache_aware"))

    def _query(self, con: Connection, policy: str) -> Run:
        return run(con, self.suite.text(self.chosen.apart), self.engine, policy)

    def _fresh(
        self,
        what: Callable[[Connection], Run],
        kept: Connection | None = None,
        rows: int | None = None,
    ) -> Run:
        """With empty prefix caches, in a session of its own if none is kept."""
        if self.chosen.simulate:
            self.engine.inner = engines.simulated(
                self.kv, self.chosen.workers, self.chosen.slots
            ).inner
        else:
            engines.forget(self.engine, self.kv, self.chosen.workers)
        if kept is not None:
            return what(kept)
        with session(self.suite, self.engine, rows or self.rows, self.scale) as con:
            return what(con)

    @contextmanager
    def _maybe_kept(self) -> Iterator[Connection | None]:
        """One session for all runs, that knows how long answers are from a run before."""
        if not self.chosen.kept:
            yield None
            return
        with session(self.suite, self.engine, self.rows, self.scale) as con:
            self._query(con, "fcfs")
            yield con


def measure(suite: Suite, chosen: Chosen, model: Path) -> bool:
    """Prints the table of a suite; false where rows differ between policies."""
    rows, scale = chosen.rows or suite.rows, chosen.scale or suite.scale
    planned = engines.simulated(_ENDLESS, 1, chosen.slots)
    with session(suite, planned, rows, scale) as con:
        size = size_of(run(con, suite.text(chosen.apart), planned, "fcfs").record, chosen.slots)
    kv = size.kv_cache_tokens(chosen.kv)
    print(
        f"\n### {suite.name}: {rows} rows at scale {scale:g}, {size.calls} calls, working set "
        f"{size.working_set:,} tokens, KV cache {kv:,} tokens x {chosen.workers}\n",
        flush=True,
    )
    if chosen.simulate:
        return _tabulate(
            Measured(suite, chosen, engines.simulated(kv, chosen.workers, chosen.slots), kv)
        )
    with engines.vllm(model, kv, chosen.workers, chosen.slots) as engine:
        return _tabulate(Measured(suite, chosen, engine, kv))


def _tabulate(measured: Measured) -> bool:
    by_policy: dict[str, list[Run]] = {}
    for found in measured.runs():
        by_policy.setdefault(found.policy, []).append(found)
        print(f"{found.policy}: {found.seconds:.2f} s", file=sys.stderr, flush=True)
    columns = (
        "policy", "seconds", "least", "most", "ratio", "engine CPU", "calls", "prompt tokens",
        "hits", "computed", "output tokens", "planning", "foretold",
    )  # fmt: skip
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|")
    medians = {p: statistics.median(r.seconds for r in runs) for p, runs in by_policy.items()}
    first = next(iter(medians))
    base = medians.get("cache_aware", medians[first])
    for policy, runs in by_policy.items():
        _print(policy, runs, base)
    reference = by_policy[first][0]
    if measured.chosen.oracle:
        oracle = measured.oracle(reference.record)
        one_row = measured.one_row()
        _print("oracle replay", [oracle], base)
        _print("one row alone", [one_row], base)
        limit = max(oracle.seconds, one_row.seconds)
        above = ", ".join(f"{p} {s / limit:.2f}" for p, s in medians.items())
        print(f"\nTime against the greater of oracle and one row: {above}", flush=True)
    differ = [p for p, runs in by_policy.items() if any(r.rows != reference.rows for r in runs)]
    if differ:
        print(f"\nROWS DIFFER from those of {first}: {', '.join(differ)}", flush=True)
    distinct = len({a.text for a in reference.record})
    print(f"\n{distinct} of {len(reference.record)} answers are distinct.", flush=True)
    return not differ


def _print(name: str, runs: Sequence[Run], base: float) -> None:
    def median(of: Callable[[Run], float]) -> float:
        return statistics.median(map(of, runs))

    seconds = median(lambda r: r.seconds)
    cells = (
        name,
        f"{seconds:.2f}",
        f"{min(r.seconds for r in runs):.2f}",
        f"{max(r.seconds for r in runs):.2f}",
        f"{seconds / base:.2f}",
        f"{median(lambda r: r.cpu):.2f}",
        f"{median(lambda r: r.calls):.0f}",
        f"{median(lambda r: r.prompt_tokens):,.0f}",
        f"{median(lambda r: r.hit_rate):.1%}",
        f"{median(lambda r: r.computed):,.0f}",
        f"{median(lambda r: r.output_tokens):,.0f}",
        f"{median(lambda r: r.planning):.2f}",
        f"{median(lambda r: r.foretold):.2f}",
    )
    print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--suites", default=",".join(SUITES))
    parser.add_argument("--policies", default=",".join(POLICIES))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument(
        "--kv",
        default="quarter",
        help="quarter or all of the working set, tight (a sixteenth of it, or two calls), tokens",
    )
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--scale", type=float, help="of all lengths; 1 is the original's")
    parser.add_argument("--rows", type=int, help="instead of the suite's own number")
    parser.add_argument("--simulate", action="store_true", help="in virtual time")
    parser.add_argument("--kept", action="store_true", help="lengths of answers are known before")
    parser.add_argument("--no-oracle", action="store_true")
    parser.add_argument("--apart", action="store_true", help="no two calls are equal")
    parser.add_argument(
        "--slots", type=int, default=engines.SLOTS, help="calls at once of a worker"
    )
    given = parser.parse_args()
    unknown = set(given.suites.split(",")) - SUITES.keys()
    if unknown:
        parser.error(f"no such suite: {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    if given.kv not in ("quarter", "tight", "all") and not given.kv.isdecimal():
        parser.error(f"--kv is quarter, tight, all or a number of tokens, not {given.kv}")
    chosen = Chosen(
        given.policies.split(","), given.repeat, given.kv, given.workers, given.scale, given.rows,
        given.simulate, given.kept, not given.no_oracle, given.apart,
        given.slots,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        if not chosen.simulate:
            engines.make_model(Path(folder))
        equal = [measure(SUITES[name], chosen, Path(folder)) for name in given.suites.split(",")]
    sys.exit(not all(equal))


if __name__ == "__main__":
    main()
