"""`heliumql bench report FOLDER`: tables and plots of what result files hold."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path

from measured.files import read

from heliumql.cli.parser import UsageError
from report.tables import report

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
    from report.plots import plots

    output.mkdir(parents=True, exist_ok=True)
    pictures = plots(rows, output)
    links = "\n".join(f"![{p.stem}]({p.name})" for p in pictures)
    (output / "report.md").write_text(f"{report(rows)}\n\n{links}\n", "utf-8")
    print(f"written: {output / 'report.md'}, plots: {len(pictures)}", file=sys.stderr)
    return 0
