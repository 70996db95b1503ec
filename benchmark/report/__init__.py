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
from report.gaps import section as to_the_limit
from report.summary import sections
from report.tables import compared, groups, machines, title

__all__ = ["main"]


def main(options: argparse.Namespace) -> int:
    """Markdown to standard output, or with --output to report.md beside a plot of each suite."""
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
    from report.plots import overview, plots

    output.mkdir(parents=True, exist_ok=True)
    pictures = [*overview(rows, output), *plots(rows, output)]
    links = "\n".join(f"![{p.stem}]({p.name})" for p in pictures)
    (output / "report.md").write_text(f"{report(rows)}\n\n{links}\n", "utf-8")
    print(f"written: {output / 'report.md'}, plots: {len(pictures)}", file=sys.stderr)
    return 0


def report(rows: Sequence[Row]) -> str:
    """All suites in one table, a section for each group that can be compared, the machines."""
    details = [f"## {title(group[0])}\n\n{compared(group)}" for group in groups(rows)]
    parts = ["# Benchmark", *sections(rows), to_the_limit(rows), *details, machines(rows)]
    return "\n\n".join(filter(None, parts))
