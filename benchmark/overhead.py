"""What HeliumQL itself costs per call, on an engine that answers at once.

    python benchmark/overhead.py [--rows 100000] [--off] [--profile]

A table of so many texts goes through one LLM_GENERATE; every call differs. The engine's own CPU is
counted apart. `--off`: evaluated call by call, as with `SET llm_optimizer = 'off'`.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time

from constant_engine import ConstantEngine
from measure import Taken, measured

import heliumql

_QUERY = "SELECT id, LLM_GENERATE('Summarize this text. {body}') AS a FROM texts"


def run(rows: int, *, off: bool) -> tuple[Taken, float, float]:
    """What the rows took; seconds to the first of them; CPU seconds of the engine."""
    engine = ConstantEngine()
    with heliumql.connect() as con:
        con.register_model("constant", engine)
        con.execute(
            "CREATE TABLE texts AS "
            f"SELECT i AS id, repeat('some words ', 10) || i AS body FROM range({rows}) r(i)"
        )
        con.execute(f"SET llm_optimizer = '{'off' if off else 'on'}'")
        relation = con.sql(_QUERY)
        assert relation is not None
        seen, first = 0, 0.0
        with measured() as taken:
            began = time.perf_counter()
            for batch in relation.batches():
                first = first or time.perf_counter() - began
                seen += batch.num_rows
        assert seen == engine.calls == rows
    return taken, first, engine.cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--off", action="store_true", help="evaluate call by call")
    parser.add_argument("--profile", action="store_true", help="show where the time goes")
    arguments = parser.parse_args()
    run(1000, off=arguments.off)
    profile = cProfile.Profile()
    if arguments.profile:
        profile.enable()
    taken, first, engine = run(arguments.rows, off=arguments.off)
    profile.disable()
    ours = (taken.cpu - engine) / arguments.rows
    print(
        f"{arguments.rows:,} calls, optimizer {'off' if arguments.off else 'on'}:"
        f" {ours * 1e6:.1f} us CPU per call of ours, {engine / arguments.rows * 1e6:.1f} of the"
        f" engine; {taken.wall:.2f} s, first row after {first:.2f} s,"
        f" {taken.peak / 1e6:.0f} MB more at the peak"
        f" ({taken.peak / arguments.rows:.0f} bytes per call)"
    )
    if arguments.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(30)


if __name__ == "__main__":
    main()
