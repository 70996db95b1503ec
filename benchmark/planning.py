"""How long planning takes: from the text of a query to its schedule, before any call is sent.

    python benchmark/planning.py [--stocks 80] [--calls 1000000] [--runs 3] [--profile WHICH]
    python benchmark/planning.py --schedule

`trading`: queries/trading.hql over short documents. `operators`: a query in which each of the 88
LLM operators is written out, over one row. `million`: one operator over a table of distinct prompts
of 100 to 400 bytes. Each run has a process of its own, so that loading the grammar counts and the
peak of memory (the table included) is its own. Each stage is what it spends itself; *schedule* is
from the call graph on, of all calls that are open then (of a table that is read in vectors, of the
first ones). `--schedule` measures that stage alone (`scheduling.py`).
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import resource
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from scheduling import print_figures
from silent_engine import Planned, SilentEngine
from trading.tables import generate
from trading.written_out import written_out

import heliumql
from heliumql import optimizer, syntax
from heliumql.binder import bind, carry
from heliumql.calls.graph import CallGraph
from heliumql.physical.passes import Passes
from heliumql.physical.scheduler import Scheduler

_TRADING = Path(__file__).parents[1] / "queries" / "trading.hql"
_MILLION = "SELECT id, LLM_GENERATE('Summarize this text in one line. {body}') AS a FROM texts"
_STAGES: tuple[tuple[Any, str, str], ...] = (
    (syntax, "parse", "parse"),
    (syntax, "desugar", "desugar"),
    (bind, "bind", "bind"),
    (optimizer, "optimize", "rules"),
    (carry, "carry", "carry"),
    (Passes, "rewrite", "take SQL"),
    (Passes, "_drain", "pass"),
    (Passes, "_call", "naming"),
    (CallGraph, "demand", "graph"),
    (Scheduler, "_plan", "schedule"),
)
STAGES = ("grammar", *(stage for _, _, stage in _STAGES), "rest")


class Clock:
    """Seconds of each stage; what a stage spends in another one is the other one's."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.named = 0
        self._inside = ["rest"]
        self._since: float | None = None

    def start(self) -> None:
        for owner, name, stage in _STAGES:
            setattr(owner, name, self._timed(getattr(owner, name), stage))
        self._since = time.perf_counter()

    def stop(self) -> None:
        self._pass_time()
        self._since = None

    def enter(self, stage: str) -> None:
        self._pass_time()
        self._inside.append(stage)

    def leave(self) -> None:
        self._pass_time()
        self._inside.pop()

    def _pass_time(self) -> None:
        if self._since is not None:
            now = time.perf_counter()
            self.seconds[self._inside[-1]] += now - self._since
            self._since = now

    def _timed(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            self.enter(stage)
            try:
                return function(*arguments, **named)
            finally:
                self.leave()
                if stage == "graph":
                    self.named = len(arguments[0].minted)

        return timed


def prepared(which: str, con: heliumql.Connection, stocks: int, calls: int) -> str:
    """Makes the tables; the text of the query."""
    if which == "million":
        con.duckdb.execute(
            "CREATE TABLE texts AS SELECT i AS id, "
            "repeat('some words ', 6 + (i % 27)::INT) || i || ' at the end' AS body "
            f"FROM range({calls}) r(i)"
        )
        return _MILLION
    generate(stocks if which == "trading" else 1, scale=0.02).create_in(con.duckdb)
    text = _TRADING.read_text("utf-8")
    return text[text.index("\nWITH ") + 1 :] if which == "trading" else written_out()


def planned(which: str, stocks: int, calls: int, *, profile: bool) -> dict[str, Any]:
    """Plans once in this process: seconds of each stage, calls in the graph, peak of memory."""
    with heliumql.connect() as con:
        clock = Clock()
        engine = SilentEngine(clock.stop)
        con.register_model("silent", engine, model="silent")
        text = prepared(which, con, stocks, calls)
        profiler = cProfile.Profile()
        began = time.perf_counter()
        con.statements("SELECT LLM_GENERATE('Loads the grammar.')")
        grammar = time.perf_counter() - began
        if profile:
            profiler.enable()
        clock.start()
        relation = con.sql(text)
        assert relation is not None
        with suppress(Planned):
            next(relation.batches())
        profiler.disable()
        clock.seconds["grammar"] = grammar
        assert engine.calls
        if profile:
            pstats.Stats(profiler).sort_stats("cumtime").print_stats(60)
        return {
            "seconds": {stage: clock.seconds[stage] for stage in STAGES},
            "named": clock.named,
            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }


def in_a_process(which: str, arguments: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, __file__, "--one", which]
    command += ["--stocks", str(arguments.stocks), "--calls", str(arguments.calls)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--stocks", type=int, default=80)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--profile", choices=("trading", "operators", "million"))
    parser.add_argument("--schedule", action="store_true", help="from the call graph on, alone")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.schedule:
        print_figures()
        return
    if arguments.profile or arguments.one:
        which = arguments.profile or arguments.one
        profile = bool(arguments.profile)
        print(json.dumps(planned(which, arguments.stocks, arguments.calls, profile=profile)))
        return
    print("ms (medians)  calls named " + "".join(f"{s:>9}" for s in (*STAGES, "all")) + "  peak GB")
    for which in ("trading", "operators", "million"):
        runs = [in_a_process(which, arguments) for _ in range(arguments.runs)]
        stages = [statistics.median(r["seconds"][s] for r in runs) for s in STAGES]
        whole = statistics.median(sum(r["seconds"].values()) for r in runs)
        figures = "".join(f"{seconds * 1000:9,.0f}" for seconds in (*stages, whole))
        peak = max(r["peak"] for r in runs) / 2**30
        print(f"{which:11} {runs[0]['named']:13,} {figures} {peak:8.2f}")


if __name__ == "__main__":
    main()
