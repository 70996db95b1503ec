"""How long a start takes: CPU and wall seconds of processes, against importing DuckDB and Arrow.

    python benchmark/cold_start.py [--runs 11]

Each run is a process of its own; those of different commands take turns, so that a machine that is
busy for a while is so for all of them. CPU is user and system time. The least of all runs is what
the start itself takes, the median what it takes on this machine now.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

PYTHON = [sys.executable]
HELIUMQL = [sys.executable, "-m", "heliumql"]
COMMANDS: dict[str, Sequence[str]] = {
    "python -c pass": [*PYTHON, "-c", "pass"],
    'python -c "import duckdb"': [*PYTHON, "-c", "import duckdb"],
    'python -c "import duckdb, pyarrow"': [*PYTHON, "-c", "import duckdb, pyarrow"],
    'python -c "import heliumql"': [*PYTHON, "-c", "import heliumql"],
    'python -c "import heliumql; heliumql.connect()"': [
        *PYTHON, "-c", "import heliumql; heliumql.connect()"
    ],
    "heliumql --help": [*HELIUMQL, "--help"],
    "heliumql --version": [*HELIUMQL, "--version"],
    'heliumql -c "SELECT 42"': [*HELIUMQL, "-c", "SELECT 42"],
    "heliumql -c, one simulated call": [
        *HELIUMQL, "-c", "CREATE MODEL m WITH (engine = 'simulated'); SELECT LLM_GENERATE('hi')"
    ],
}  # fmt: skip
REFERENCE = 'python -c "import duckdb"'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=11)
    runs = parser.parse_args().runs
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for command in COMMANDS.values():  # once before, so that bytecode is there
        started(command, environment)
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for _ in range(runs):
        for name, command in COMMANDS.items():
            figures[name].append(started(command, environment))
    least = min(cpu for cpu, _ in figures[REFERENCE])
    print("| command | CPU, least (s) | CPU, median (s) | wall, median (s) | of importing duckdb |")
    print("|---|---|---|---|---|")
    for name, taken in figures.items():
        cpu = [c for c, _ in taken]
        wall = statistics.median(w for _, w in taken)
        print(
            f"| `{name}` | {min(cpu):.3f} | {statistics.median(cpu):.3f} | {wall:.3f} "
            f"| {min(cpu) / least:.2f} |"
        )


def started(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float]:
    """CPU and wall seconds of one process."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


if __name__ == "__main__":
    main()
