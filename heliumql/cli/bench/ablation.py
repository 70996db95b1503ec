"""The arguments of `heliumql bench ablation`."""

from __future__ import annotations

from heliumql.cli.bench.options import add_model, add_sizes, add_turns
from heliumql.cli.parser import Parser
from heliumql.cli.values import whole

_EPILOG = """\
SUITE is one of those that heliumql bench lists; without one, or with all, those
are run that heliumql bench all runs.

Systems are heliumql, with everything on, and heliumql without
  merge         equal calls are one
  deferral      a call starts the moment its inputs are there
  prefix order  calls go where and when their prefixes are cached (off: fcfs)
  warm-up       prefixes are computed ahead and kept
  search        candidate orders are compared
and the same statements twice in one session, with the answer store and without:
with it the second run fetches its answers. (trading_next_day: a day later.)
Systems take turns in one engine, each with empty prefix caches and an empty
store at first. Answers are checked to be the same.

Tables and files are those of heliumql bench SUITE.

examples:
  heliumql bench ablation --engine simulated
  heliumql bench ablation trading debate --repeat 5 --output results

exit status:
  0 done; 1 answers differ, or a run failed; 2 wrong usage
"""


def ablation_parser() -> Parser:
    parser = Parser(
        "heliumql bench ablation",
        "[SUITE]... [option]...",
        "What each technique of HeliumQL is worth: everything on, and each off, by turns.",
        _EPILOG,
    )
    add = parser.add_argument
    add("suites", nargs="*", metavar="SUITE", help="those to run (default: all)")
    add("--engine", choices=("vllm", "simulated"), default="vllm", metavar="NAME",
        help="vllm (default) or simulated")  # fmt: skip
    add_sizes(parser)
    add_model(parser)
    add("--slots", type=whole, default=8, metavar="N", help="calls at once (default: 8)")
    add_turns(parser)
    return parser
