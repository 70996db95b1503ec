"""The arguments of `heliumql bench optimality`."""

from __future__ import annotations

from heliumql.cli.parser import Parser
from heliumql.cli.values import positive, seed, whole

_EPILOG = """\
2 to 4 agents and 2 to 4 queries (rows) of map-reduce, debate, iterative
refinement and a small trading workflow, on one worker with a KV cache of 8192
tokens. The best order is found by dynamic programming, and by the paper's
integer program where that does not come to an end. That needs HiGHS: pip
install highspy, or in a checkout pip install -e '.[bench]'.

Two tables in Markdown go to standard output: the gap of every policy (makespan
/ best known - 1), and what is known of every workflow. Takes minutes; --quick
takes seconds.

examples:
  heliumql bench optimality --quick
"""


def optimality_parser() -> Parser:
    parser = Parser(
        "heliumql bench optimality",
        "[option]...",
        "How far the orders of the scheduling policies are from the best order of tiny\n"
        "workflows, in the cost model of the paper.",
        _EPILOG,
    )
    add = parser.add_argument
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="4 of the 36 workflows, in seconds")
    size.add_argument(
        "--most",
        type=int,
        choices=(2, 3, 4),
        default=4,
        metavar="N",
        help="agents and queries at most: 2, 3 or 4 (default)",
    )
    add("--seed", type=seed, default=0, metavar="N", help="of the lengths of prompts and answers")
    add(
        "--seconds",
        type=positive,
        default=20.0,
        metavar="S",
        help="for an integer program, then its best bound is taken (default: 20)",
    )
    add(
        "--labels",
        type=whole,
        default=200_000,
        metavar="N",
        help="for the dynamic program, likewise (default: 200000, some 30 seconds)",
    )
    add("--milp", action="store_true", help="the integer program even where the best is known")
    return parser
