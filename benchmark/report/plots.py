"""A plot of each group of rows: seconds of the systems, with the least and most of the turns."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from measured.row import Row

from report.tables import by_system, groups, limit


def plots(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Writes an SVG for each group; their paths."""
    found = []
    for number, group in enumerate(groups(rows), 1):
        path = folder / f"{number}-{group[0].suite}-{group[0].engine}.svg"
        _plot(group, path)
        found.append(path)
    return found


def _plot(rows: Sequence[Row], path: Path) -> None:
    systems = by_system(rows)
    seconds = {name: [r.seconds for r in mine] for name, mine in systems.items()}
    medians = {name: statistics.median(mine) for name, mine in seconds.items()}
    below = [medians[name] - min(mine) for name, mine in seconds.items()]
    above = [max(mine) - medians[name] for name, mine in seconds.items()]
    figure = Figure(figsize=(7, 1 + 0.35 * len(systems)), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.subplots()
    axes.barh(list(medians), list(medians.values()), xerr=[below, above], color="#4a7ba6")
    axes.invert_yaxis()
    if (least := limit(systems)) is not None:
        axes.axvline(least, color="#b03030", linestyle="--", label="greater of oracle and one row")
        axes.legend(loc="lower right")
    axes.set_xlabel("seconds")
    axes.set_title(f"{rows[0].suite} on {rows[0].engine}")
    figure.savefig(path)
