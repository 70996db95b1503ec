"""The arguments of `heliumql bench scale`."""

from __future__ import annotations

from pathlib import Path

from heliumql.cli.parser import Parser
from heliumql.cli.values import whole

_EPILOG = """\
Workflows are map_reduce, debate, reflection and table (one operator over a
shuffled table); all calls of a run differ. Each run has a process of its own,
on the simulated engine: one GPU with an 8B model, in virtual time.

A table in Markdown goes to standard output: planning (compiling the query and
scheduling its calls), CPU a call without that of the simulation, memory at the
peak, the virtual makespan, and those of other policies against it. With
--output each run is a row of scale-TIME.parquet and .csv in that folder.

A million calls take minutes and gigabytes of memory.

examples:
  heliumql bench scale --calls 1000,10000
  heliumql bench scale --workflows table --calls 1000000 --output results

exit status:
  0 done; 1 answers differ, or a run failed; 2 wrong usage
"""


def scale_parser() -> Parser:
    parser = Parser(
        "heliumql bench scale",
        "[option]...",
        "What statements of a thousand to a million calls take: planning, CPU, memory.",
        _EPILOG,
    )
    add = parser.add_argument
    add("--calls", default="1000,10000,100000,1000000", metavar="N,..",
        help="sizes (default: 1000 to 1000000, times ten)")  # fmt: skip
    add("--workflows", default="map_reduce,debate,reflection,table", metavar="A,B",
        help="those to run (default: all)")  # fmt: skip
    add("--policies", default="random,op_wise", metavar="A,B",
        help="compared by makespan with cache_aware (default: random,op_wise)")  # fmt: skip
    add("--compare-up-to", type=whole, default=100_000, metavar="N",
        help="calls; larger sizes run with cache_aware alone (default: 100000)")  # fmt: skip
    add("--output", type=Path, metavar="FOLDER", help="for the rows, as Parquet and CSV")
    return parser
