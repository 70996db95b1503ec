"""Plots: the ratios of all suites; of each group the seconds, least and most of the turns."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from measured.row import Row

from report.summary import Summary, summaries
from report.tables import by_system, groups, limit


def plots(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Writes an SVG for each group; their paths."""
    found = []
    for number, group in enumerate(groups(rows), 1):
        path = folder / f"{number}-{group[0].suite}-{group[0].engine}.svg"
        _plot(group, path)
        found.append(path)
    return found


def overview(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Writes an SVG of the ratios of all suites for each kind of engine; their paths."""
    found = []
    for number, summary in enumerate(summaries(rows), 1):
        path = folder / f"ratios-{number}.svg"
        _bars(summary, path)
        found.append(path)
    return found


def _bars(summary: Summary, path: Path) -> None:
    """A group of bars for each suite; the line is HeliumQL."""
    suites, systems = summary.suites, summary.systems
    height = 0.8 / len(systems)
    figure = Figure(figsize=(8, 1 + 0.16 * len(suites) * (1 + len(systems))), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.subplots()
    for number, system in enumerate(systems):
        known = [(n, summary.ratio[s, system]) for n, s in enumerate(suites)
                 if (s, system) in summary.ratio]  # fmt: skip
        places = [n - 0.4 + (number + 0.5) * height for n, _ in known]
        axes.barh(places, [ratio for _, ratio in known], height=height, label=system)
    axes.axvline(1, color="#333333", linewidth=1)
    axes.set_yticks(range(len(suites)), suites)
    axes.invert_yaxis()
    axes.set_xscale("log")
    ticks = [
        t for t in (0.5, 0.75, 1, 1.5, 2, 3, 5, 8, 12) if t <= 1.3 * max(summary.ratio.values())
    ]
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks], minor=False)
    axes.set_xticks([], minor=True)
    axes.set_xlabel("seconds over those of HeliumQL")
    axes.set_title(summary.engine)
    axes.legend(fontsize="small")
    figure.savefig(path)


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
