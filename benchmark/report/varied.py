"""Tables of rows in which a parameter varies: its values down, systems across."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from fractions import Fraction

from measured.row import Row

from report.tables import BASE, by_system, ratios

_VARIES = {  # with the parameter, beside its value; a mix has lengths of its own
    "batch": ("rows",), "workers": ("workers",), "kv": ("kv_tokens",), "mixes": ("kv_tokens",),
}  # fmt: skip
_SAME = ("suite", "scale", "seed", "engine", "model", "slots", "rows", "workers", "kv_tokens")


def series(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows of one parameter of one workflow, with the other sizes alike, by value."""
    found: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        if row.parameter:
            same = [name for name in _SAME if name not in _VARIES.get(row.parameter, ())]
            key = (row.parameter, *(getattr(row, name) for name in same))
            found.setdefault(key, []).append(row)
    return [sorted(one, key=lambda row: row.value or 0.0) for one in found.values()]


def by_value(rows: Iterable[Row]) -> dict[float, list[Row]]:
    """Of a series, in the order of the rows."""
    found: dict[float, list[Row]] = {}
    for row in rows:
        if row.value is not None:
            found.setdefault(row.value, []).append(row)
    return found


def title(row: Row) -> str:
    """What the rows of its series have in common."""
    varies = _VARIES.get(row.parameter, ())
    sizes = {
        "rows": f"rows {row.rows}",
        "workers": f"workers {row.workers}",
        "kv_tokens": f"KV cache {row.kv_tokens:,} tokens",
    }
    told = [text for name, text in sizes.items() if name not in varies]
    return (
        f"{row.parameter} of {row.suite}: scale {row.scale:g}, seed {row.seed}; {row.engine} "
        f"({row.model}), slots {row.slots}, {', '.join(told)}"
    )


def table(rows: Sequence[Row]) -> str:
    """Of a series: seconds, in brackets their ratio to HeliumQL and the prefix hits."""
    systems = list(by_system(rows))
    base = BASE if BASE in systems else systems[0]
    first = rows[0]
    head = [first.parameter, "calls", "KV cache", *systems]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for value, of_value in by_value(rows).items():
        by = by_system(of_value)
        known = by.get(base) or of_value
        cells = [_cell(by[name], known) if name in by else "" for name in systems]
        begun = [
            label(first.parameter, value),
            f"{known[0].calls_run:,}",
            f"{known[0].kv_tokens:,}",
        ]
        lines.append("| " + " | ".join([*begun, *cells]) + " |")
    note = f"Seconds (over those of {base} by pairs of one turn, prompt tokens found in the cache)."
    return "\n".join([*lines, "", note])


def label(parameter: str, value: float | None) -> str:
    """A value as it is named: 1/16 of the working set, P3."""
    if value is None:
        return ""
    if parameter == "kv":
        return str(Fraction(value).limit_denominator(1000))
    return f"P{value:g}" if parameter == "mixes" else f"{value:g}"


def hits(rows: Iterable[Row]) -> float:
    """The share of prompt tokens that were found."""
    found = [(row.hit_tokens, row.prompt_tokens) for row in rows]
    return sum(hit for hit, _ in found) / max(1, sum(prompt for _, prompt in found))


def _cell(rows: Sequence[Row], base: Sequence[Row]) -> str:
    seconds = statistics.median(row.seconds for row in rows)
    found = ratios(rows, base)
    ratio = f"{found.median:.2f}, " if found else ""
    differ = "" if all(row.equal for row in rows) else ", DIFFER"
    return f"{seconds:.2f} ({ratio}{hits(rows):.0%}{differ})"
