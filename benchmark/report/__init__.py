"""`heliumql bench report FOLDER`: tables and plots of what result files hold."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from measured.files import read
from measured.row import Row

from heliumql.cli.parser import UsageError
from report import varied
from report.gaps import section as to_the_limit
from report.summary import sections
from report.tables import compared, groups, machines, title

__all__ = ["main"]


def main(options: argparse.Namespace) -> int:
    """Markdown to standard output, or with --output to report.md beside a plot of each suite and
    of each parameter that was varied."""
    folder: Path = options.folder
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder")
    rows = read(folder)
    if not rows:
        raise UsageError(
            f"no result files in {folder}", hint=f"heliumql bench all --output {folder}"
        )
    output: Path | None = options.output
    if output is None:
        print(report(rows))
        return 0
    if importlib.util.find_spec("matplotlib") is None:
        raise UsageError(
            "plots need matplotlib",
            hint="pip install 'heliumql[bench]', or leave --output out: tables alone",
        )
    from report.curves import curves
    from report.plots import overview, plots

    output.mkdir(parents=True, exist_ok=True)
    plain = [row for row in rows if not row.parameter]
    pictures = [*overview(plain, output), *plots(plain, output), *curves(rows, output)]
    links = "\n".join(f"![{p.stem}]({p.name})" for p in pictures)
    (output / "report.md").write_text(f"{report(rows)}\n\n{links}\n", "utf-8")
    print(f"written: {output / 'report.md'}, plots: {len(pictures)}", file=sys.stderr)
    return 0


def report(rows: Sequence[Row]) -> str:
    """All suites in one table, a section for each group that can be compared and for each parameter
    that was varied, the machines."""
    plain = [row for row in rows if not row.parameter]
    details = [f"## {title(group[0])}\n\n{compared(group)}" for group in groups(plain)]
    details += [f"## {varied.title(s[0])}\n\n{varied.table(s)}" for s in varied.series(rows)]
    parts = ["# Benchmark", *sections(plain), to_the_limit(plain), *details, machines(rows)]
    return "\n\n".join(filter(None, parts))
