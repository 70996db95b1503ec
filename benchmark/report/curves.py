"""Plots of rows in which a parameter varies: seconds, and seconds over those of HeliumQL."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from measured.row import Row

from report.tables import BASE, by_system, ratios
from report.varied import by_value, label, series

_MOST = 2.0  # of a ratio that is shown: what is slower would flatten the others


def curves(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Writes an SVG for each parameter of each workflow; their paths."""
    found = []
    for number, one in enumerate(series(rows), 1):
        name = f"{one[0].parameter}-{number}-{one[0].suite}-{one[0].engine}.svg"
        _curves(one, folder / name)
        found.append(folder / name)
    return found


def _curves(rows: Sequence[Row], path: Path) -> None:
    first, values = rows[0], list(by_value(rows))
    systems = by_system(rows)
    base = by_value(systems.get(BASE) or next(iter(systems.values())))
    figure = Figure(figsize=(10, 4), layout="constrained")
    FigureCanvasSVG(figure)
    seconds, over = figure.subplots(1, 2)
    for name, mine in systems.items():
        of_value = by_value(mine)
        style = "--" if name == "oracle" else "-"
        medians = {v: statistics.median(r.seconds for r in of) for v, of in of_value.items()}
        seconds.plot(list(medians), list(medians.values()), style, marker=".", label=name)
        pairs = {v: ratios(of, base.get(v, ())) for v, of in of_value.items()}
        known = {v: found.median for v, found in pairs.items() if found is not None}
        over.plot(list(known), list(known.values()), style, marker=".", label=name)
    for axes, told in (
        (seconds, "seconds"),
        (over, f"seconds over those of HeliumQL (to {_MOST:g})"),
    ):
        _across(axes, first.parameter, values)
        axes.set_ylabel(told)
    seconds.set_yscale("log")
    if over.get_ylim()[1] > _MOST:
        over.set_ylim(top=_MOST)
    over.legend(fontsize="x-small")
    figure.suptitle(f"{first.parameter} of {first.suite}: {first.model} ({first.engine})")
    figure.savefig(path)


def _across(axes: Axes, parameter: str, values: Sequence[float]) -> None:
    """The values, those that double at equal distances."""
    if parameter in ("batch", "workers", "kv"):
        axes.set_xscale("log", base=2)
    axes.set_xticks(values, [label(parameter, value) for value in values], minor=False)
    axes.set_xticks([], minor=True)
    axes.set_xlabel(parameter)
