"""The arguments of `heliumql bench next_day`."""

from __future__ import annotations

from heliumql.cli.bench.options import add_hardware, add_model, add_sizes, add_turns
from heliumql.cli.parser import Parser
from heliumql.cli.values import whole

_EPILOG = """\
On the second day fundamentals and the posts of one of three platforms are as
they were, all else is new. Both days are run in one database, each in a session
of its own, then the second day in another one that keeps no answers; all begin
with empty prefix caches. Rows of the second day are checked to be the same, and
that every call that did not change was found in the store.

What is simulated is the small model on one core (cpu), or an 8B model on one
GPU (gpu).

Tables of all three, of the second day against the first, and of the calls that
were found, go to standard output. With --output rows are those of a suite.

examples:
  heliumql bench next_day --engine simulated
  heliumql bench next_day --engine simulated --hardware gpu --rows 16 --scale 1
  heliumql bench next_day --rows 8 --repeat 5 --output results

exit status:
  0 done; 1 rows differ, an unchanged call was run, or a run failed;
  2 wrong usage
"""


def next_day_parser() -> Parser:
    parser = Parser(
        "heliumql bench next_day",
        "[option]...",
        "Trading on two days with one answer store, and the second day without it.",
        _EPILOG,
    )
    add = parser.add_argument
    add("--engine", choices=("vllm", "simulated"), default="vllm", metavar="NAME",
        help="vllm (default) or simulated")  # fmt: skip
    add_hardware(parser, "cpu")
    add_sizes(parser)
    add_model(parser)
    add("--slots", type=whole, metavar="N", help="calls at once (default: 8; gpu: 64)")
    add_turns(parser)
    return parser
