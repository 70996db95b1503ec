"""`heliumql bench report FOLDER`: tables and plots of what result files hold."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from measured.files import UnreadableError, read
from measured.folder import made
from measured.row import Row
from progress import say

from heliumql.cli.help import show
from heliumql.cli.parser import UsageError
from report import varied
from report.gaps import section as to_the_limit
from report.summary import sections
from report.tables import columns, compared, groups, legend, machines, title

__all__ = ["main"]

_NAMED = 5  # folders in a hint


def main(options: argparse.Namespace) -> int:
    """Markdown to standard output, or with --output to report.md beside a plot of each suite and
    of each parameter that was varied."""
    folder: Path = options.folder
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", hint="name one that --output has written into")
    try:
        rows = read(folder)
    except UnreadableError as error:
        say(f"error: {error}")
        return 1
    if not rows:
        raise UsageError(f"no result files in {folder}", hint=_elsewhere(folder))
    output: Path | None = options.output
    if output is None:
        return show(report(rows) + "\n")
    made(output)
    if importlib.util.find_spec("matplotlib") is None:
        (output / "report.md").write_text(report(rows) + "\n", "utf-8")
        say(f"written: {output / 'report.md'}; no plots, as matplotlib is not installed")
        say("hint: pip install matplotlib, or in a checkout: pip install -e '.[bench]'")
        return 0
    from report.curves import curves
    from report.plots import overview, plots

    plain = [row for row in rows if not row.parameter]
    pictures = [*overview(plain, output), *plots(plain, output), *curves(rows, output)]
    links = "\n".join(f"![{p.stem}]({p.name})" for p in pictures)
    (output / "report.md").write_text(f"{report(rows)}\n\n{links}\n", "utf-8")
    say(f"written: {output / 'report.md'}, plots: {len(pictures)}")
    return 0


def _elsewhere(folder: Path) -> str:
    """Which folders below have some; rows of different studies are not mixed up unasked."""
    below = sorted({str(path.parent) for path in folder.rglob("*.parquet")})
    if not below:
        return f"heliumql bench all --output {folder} makes some"
    more = f" and {len(below) - _NAMED} more" if len(below) > _NAMED else ""
    return f"folders below have some: {', '.join(below[:_NAMED])}{more}"


def report(rows: Sequence[Row]) -> str:
    """All suites in one table, a section for each group that can be compared and for each parameter
    that was varied, the machines."""
    plain = [row for row in rows if not row.parameter]
    details = [f"## {title(group[0])}\n\n{compared(group)}" for group in groups(plain)]
    details += [f"## {varied.title(s[0])}\n\n{varied.table(s)}" for s in varied.series(rows)]
    shown = {column for group in groups(plain) for column in columns(group)}
    meaning = f"## Columns\n\n{legend(shown)}" if shown else ""
    parts = [
        "# Benchmark",
        *sections(plain),
        to_the_limit(plain),
        *details,
        meaning,
        machines(rows),
    ]
    return "\n\n".join(filter(None, parts))
