"""Every suite in one table: how much longer each system takes than HeliumQL."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from measured.row import Row

from report.tables import BASE, LIMITS, by_system, groups, ratios


@dataclass(frozen=True)
class Summary:
    """Ratios of seconds to HeliumQL on one engine; a system that a suite was not run with has none.

    `ratio` is the median over the pairs of each suite and system. Systems whose answers differ have
    none either.
    """

    engine: str  # in words
    suites: Sequence[str]
    systems: Sequence[str]
    ratio: dict[tuple[str, str], float]

    def of(self, system: str) -> list[float]:
        """Those of all suites that it was run with."""
        return [self.ratio[s, system] for s in self.suites if (s, system) in self.ratio]


def summaries(rows: Sequence[Row]) -> list[Summary]:
    """One for each kind of engine that has run HeliumQL beside another system."""
    kinds: dict[str, list[list[Row]]] = {}
    for group in groups(rows):
        kinds.setdefault(_engine(group[0]), []).append(group)
    found = []
    for engine, of_engine in kinds.items():
        ratio: dict[tuple[str, str], float] = {}
        suites = _names([group[0] for group in of_engine])
        systems: dict[str, None] = {}
        for suite, group in zip(suites, of_engine, strict=True):
            by = by_system(group)
            for system, mine in by.items():
                wrong = any(row.equal is False for row in mine)
                if wrong or system in (BASE, *LIMITS):
                    continue
                between = ratios(mine, by.get(BASE, ()))
                if between is not None:
                    name = f"{system}, own prompts" if mine[0].equal is None else system
                    ratio[suite, name] = between.median
                    systems[name] = None
        if ratio:
            found.append(Summary(engine, suites, list(systems), ratio))
    return found


def table(summary: Summary) -> str:
    """Suites down, systems across; below, of each system's own suites, means and extremes."""
    systems = summary.systems
    lines = ["| suite | " + " | ".join(systems) + " |", "|---" * (1 + len(systems)) + "|"]
    for suite in summary.suites:
        cells = [_cell(summary.ratio.get((suite, system))) for system in systems]
        lines.append(f"| {suite} | " + " | ".join(cells) + " |")
    counts = [str(len(summary.of(system))) for system in systems]
    lines.append("| **suites** | " + " | ".join(counts) + " |")
    for name, of in (("geometric mean", statistics.geometric_mean), ("mean", statistics.mean),
                     ("least", min), ("greatest", max)):  # fmt: skip
        cells = [f"**{of(summary.of(system)):.2f}**" for system in systems]
        lines.append(f"| **{name}** | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def sections(rows: Sequence[Row]) -> list[str]:
    """Markdown of all summaries."""
    return [f"## Against HeliumQL: {s.engine}\n\n{table(s)}" for s in summaries(rows)]


def _cell(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


def _engine(row: Row) -> str:
    apart = ", no equal calls" if row.apart else ""
    engine = row.engine if row.model == row.engine else f"{row.engine} ({row.model})"
    return f"{engine}, workers {row.workers}, slots {row.slots}{apart}"


def _names(firsts: Sequence[Row]) -> list[str]:
    """The suite of each group, of which it is the first row, with what tells its groups apart."""
    names = []
    for row in firsts:
        same = [other for other in firsts if other.suite == row.suite]
        told = [form(row) for form in _SIZES if len({form(other) for other in same}) > 1]
        names.append(", ".join([row.suite, *filter(None, told)]))
    return names


_SIZES: Sequence[Callable[[Row], str]] = (
    lambda row: f"rows {row.rows}",
    lambda row: f"scale {row.scale:g}",
    lambda row: f"seed {row.seed}",
    lambda row: f"KV {row.kv_tokens:,}",
    lambda row: row.study,
    lambda row: "lengths known" if row.kept else "",
    lambda row: f"commit {row.commit[:7]}",
)
