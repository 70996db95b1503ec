"""The arguments of `heliumql bench report`."""

from __future__ import annotations

from pathlib import Path

from heliumql.cli.parser import Parser

_EPILOG = """\
Rows of the same suite, sizes, engine and KV cache are in one table, those of
later invocations too. Ratios are of seconds to heliumql by pairs of one turn,
with the least and greatest of them.

With --output the report is report.md in that folder, with a plot of each table
(needs matplotlib).

examples:
  heliumql bench report results
  heliumql bench report results --output results/report
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
