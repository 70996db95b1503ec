"""The arguments of `heliumql bench SUITE`."""

from __future__ import annotations

from pathlib import Path

from heliumql.cli.bench.options import add_model, add_sizes
from heliumql.cli.parser import Parser
from heliumql.cli.values import seed, whole

_EPILOG = """\
Systems are
  heliumql           calls in the order of its policy, cache_aware
  heliumql:POLICY    another order: query_wise, op_wise, random, fcfs, lspf,
                     helium or parrot; the name alone will do
  heliumql:unmerged  cache_aware, but equal calls are run each
  oracle             the same calls again, all answers known before
  one_row            a batch of one
The greater of the last two is about the least that any order can take. Systems
take turns, each with empty prefix caches at first. Answers are checked to be
the same.

The engine vllm is embedded, with a small random model in float32 on one core a
worker; simulated is the same in virtual time: a suite takes seconds, all with
three turns some minutes. On server, which is vLLM's own over the same model,
these can be asked for too; they make every call that their programs make:
  raw, op_wise, op_wise_chained, query_wise, langgraph, agentscope
  daft, lotus, docetl, blendsql: for one operator over a table, the suite tables
They install themselves when --systems names them for the first time; without
--systems the last four are run if they are there. lotus, docetl and blendsql
have prompts of their own, so answers of theirs are not compared. A name means
the best setting; langgraph:default is what LangGraph does if nothing is set.
(op_wise and query_wise there are programs; heliumql:op_wise is the policy.)

A table in Markdown goes to standard output, progress to standard error. With
--output each run of a system is a row of SUITE-ENGINE-TIME.parquet and .csv in
that folder; heliumql bench report FOLDER makes a report of them.

examples:
  heliumql bench mixed --quick
  heliumql bench all --engine simulated --output results
  heliumql bench debate --engine server --systems heliumql,langgraph
  heliumql bench trading --systems heliumql,random --kv-tokens tight --repeat 5

exit status:
  0 done; 1 answers differ, or a run failed; 2 wrong usage
"""


def suite_parser(suite: str) -> Parser:
    parser = Parser(
        f"heliumql bench {suite}",
        "[option]...",
        "What the order of calls is worth: systems on one engine, by turns."
        if suite == "all"
        else f"What the order of calls of {suite} is worth: systems by turns.",
        _EPILOG,
    )
    parser.set_defaults(suite=suite)
    few = "few rows, one turn, five systems"
    quick = f"mixed and map_reduce alone: {few}" if suite == "all" else few
    add = parser.add_argument
    add("--engine", choices=("vllm", "server", "simulated"), default="vllm", metavar="NAME",
        help="vllm (default), server (vLLM's own, for other systems too) or simulated")  # fmt: skip
    add("--systems", metavar="A,B", help="those to compare (default: all)")
    add_sizes(parser)
    add_model(parser)
    add("--workers", type=whole, default=1, metavar="N", help="of the engine (default: 1)")
    add("--slots", type=whole, default=8, metavar="N", help="calls at once a worker (default: 8)")
    add("--repeat", type=whole, metavar="N", help="turns (default: 3)")
    add("--seed", type=seed, default=0, metavar="N", help="of the texts (default: 0)")
    add("--apart", action="store_true", help="no two calls are equal")
    add("--kept", action="store_true", help="lengths of answers are known from a run before")
    add("--quick", action="store_true", help=quick)
    add("--output", type=Path, metavar="FOLDER", help="for the rows, as Parquet and CSV")
    return parser
