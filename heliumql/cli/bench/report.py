"""The arguments of `heliumql bench report`."""

from __future__ import annotations

from pathlib import Path

from heliumql.cli.parser import Parser

_EPILOG = """\
Rows of the same suite, sizes, engine and KV cache are in one table, those of
later invocations too. Ratios are of seconds to heliumql by pairs of one turn,
with the least and greatest of them.

With --output the report is report.md in that folder, with a plot of each table.
Plots need matplotlib: pip install matplotlib, or pip install -e '.[bench]' in
the checkout. They are left out without it.

Folders below are not looked into: those of different studies are not mixed up.

examples:
  heliumql bench report results
  heliumql bench report results --output results/report
  heliumql bench report benchmark/results/systems

exit status:
  0 done; 1 a result file cannot be read; 2 wrong usage
"""


def report_parser() -> Parser:
    parser = Parser(
        "heliumql bench report",
        "FOLDER [option]...",
        "Tables and plots of what heliumql bench has measured.",
        _EPILOG,
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="of the result files")
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="for report.md and plots (default: printed)"
    )
    return parser
