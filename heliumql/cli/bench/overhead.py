"""The arguments of `heliumql bench overhead`."""

from __future__ import annotations

from pathlib import Path

from heliumql.cli.parser import Parser
from heliumql.cli.values import whole

_EPILOG = """\
Parts are planning (from the text of a query to its schedule, stage by stage;
with it what the trees of prompts weigh), scheduling (from the call graph on),
calls (from SQL to rows, on an engine that answers at once) and naming (of calls
in a pass). No model answers. Each measurement has a process of its own.

Queries are trading_4, trading_16 and trading_80 (queries/trading.hql over so
many stocks), operators (its 88 operators written out), texts (one operator over
a table) and the suites by name; all of them but trading_80 and the prefix
mixes, if not told otherwise.

Tables in Markdown go to standard output. With --output each measurement is a
row of overhead-PART-TIME.parquet and .csv in that folder.

examples:
  heliumql bench overhead --quick
  heliumql bench overhead --parts planning --queries trading_4,trading_16

exit status:
  0 done; 1 a measurement failed; 2 wrong usage
"""


def overhead_parser() -> Parser:
    parser = Parser(
        "heliumql bench overhead",
        "[option]...",
        "What HeliumQL itself takes to plan and to run calls: time, CPU and memory.",
        _EPILOG,
    )
    add = parser.add_argument
    add("--parts", metavar="A,B", help="what to measure (default: all)")
    add("--queries", metavar="A,B", help="whose planning is measured (default: see above)")
    add("--calls", type=whole, metavar="N",
        help="that are run; ten times as many are named (default: 100000)")  # fmt: skip
    add("--runs", type=whole, metavar="N", help="of planning, for the medians (default: 3)")
    add("--quick", action="store_true", help="three queries, one run, 2000 calls")
    add("--output", type=Path, metavar="FOLDER", help="for the rows, as Parquet and CSV")
    return parser
