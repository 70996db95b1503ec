"""The arguments of `heliumql bench sensitivity`."""

from __future__ import annotations

from pathlib import Path

from heliumql.cli.bench.options import add_hardware, add_model, add_sizes
from heliumql.cli.parser import Parser
from heliumql.cli.values import seed, whole

_EPILOG = """\
WHAT is one or more of the following; without one, or with all, it is all.
  batch     rows of map_reduce and of trading: 8, 16, 32, 64, 80
  branches  experts of map_reduce: 4, 8, 12, 16
  rounds    of debate: 2, 3, 4, 5
  workers   of the engine, for map_reduce and trading: 1, 2, 4
  kv        the KV cache of map_reduce, debate and trading, as a part of what
            their calls hold together: 1/16, 1/8, 1/4, 1/2, 2
  mixes     P1 to P6: prefix_N_map_reduce, prefix_N_debate
All values of a parameter have the same KV cache: that of the greatest, of the
GPU at most 449,000 tokens. A mix has its own.

Systems are heliumql, heliumql:POLICY for each other policy, and oracle, as of
heliumql bench SUITE. The simulated engine is one GPU with an 8B model and 64
slots (gpu), or the small model on one core (cpu), in virtual time; on gpu texts
have their full length, those of trading a quarter of it.

A table of each parameter and workflow goes to standard output, progress to
standard error. With --output each run of a system is a row, with the columns
parameter and value; heliumql bench report plots them.

examples:
  heliumql bench sensitivity
  heliumql bench sensitivity kv --values 1/8,1/2 --output results
  heliumql bench sensitivity rounds --engine vllm --rows 1 --scale 0.05 \\
    --values 2,3 --systems heliumql,random

The last one takes a minute or two, as each value has an engine of its own; all
of a parameter on vllm take much longer.

exit status:
  0 done; 1 answers differ, or a run failed; 2 wrong usage
"""


def sensitivity_parser() -> Parser:
    parser = Parser(
        "heliumql bench sensitivity",
        "[WHAT]... [option]...",
        "How the scheduling policies compare while one parameter varies.",
        _EPILOG,
    )
    add = parser.add_argument
    add("what", nargs="*", metavar="WHAT", help="the parameters, see below (default: all)")
    add("--values", metavar="A,B", help="of one parameter, instead of those below")
    add("--workflows", metavar="A,B", help="those to run, of those below (default: all)")
    add("--systems", metavar="A,B", help="those to compare (default: all)")
    add("--engine", choices=("vllm", "simulated"), default="simulated", metavar="NAME",
        help="simulated (default) or vllm")  # fmt: skip
    add_hardware(parser, "gpu")
    add_sizes(parser)
    add_model(parser)
    add("--slots", type=whole, metavar="N", help="calls at once a worker (default: 64; cpu: 8)")
    add("--repeat", type=whole, default=1, metavar="N", help="turns (default: 1)")
    add("--seed", type=seed, default=0, metavar="N", help="of the texts (default: 0)")
    add("--output", type=Path, metavar="FOLDER", help="for the rows, as Parquet and CSV")
    return parser
