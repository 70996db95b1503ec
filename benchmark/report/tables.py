"""Tables in Markdown of rows of measurement."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from measured.row import Row
from systems.system import SYSTEMS

LIMITS = ("oracle", "one_row")
BASE = "heliumql"
_COLUMNS = (
    "system", "seconds", "least", "most", "ratio", "least ratio", "greatest ratio", "to the limit",
    "engine CPU", "client CPU", "calls", "tokens computed", "hits", "output tokens",
    "mean batch", "planning", "foretold", "answers",
)  # fmt: skip
_OF_TURNS = {"least", "most", "least ratio", "greatest ratio"}  # the same where there is but one
_MEANINGS = {  # in the order in which they are told
    "seconds": "from the first request to the last answer, median of the turns; virtual if"
    " simulated",
    "to the limit": "seconds over those of the limit",
    "engine CPU": "seconds of CPU of the engine's processes",
    "client CPU": "seconds of CPU of the system itself",
    "hits": "part of the prompt tokens that was found in the prefix cache",
    "mean batch": "tokens of answers that a step of the engine makes",
    "planning": "seconds from the text of the statement to its plan",
    "foretold": "seconds that the scheduler expected before any answer was there; it takes answers"
    " for a quarter of max_tokens, which is too low where they are longer, unless a run before has"
    " told (--kept)",
}


@dataclass(frozen=True)
class Ratios:
    """Seconds of a system over those of the base, by pairs of one turn."""

    median: float
    least: float
    greatest: float


def groups(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows of the same work on the same engine, in the order of their first."""
    found: dict[tuple[object, ...], list[Row]] = {}
    size: dict[tuple[str, str], int] = {}
    ordered = list(rows)
    for row in ordered:  # one row alone belongs to the batch of its invocation
        if row.system != "one_row":
            size[row.run, row.suite] = row.rows
    for row in ordered:
        key = (
            row.suite, size.get((row.run, row.suite), row.rows), row.scale, row.seed, row.apart,
            row.engine, row.model, row.workers, row.slots, row.kv_tokens, row.study, row.kept,
            row.commit,
        )  # fmt: skip
        found.setdefault(key, []).append(row)
    return list(found.values())


def by_system(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Each setting of a system counts as another system."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(_shown(row), []).append(row)
    return found


def _shown(row: Row) -> str:
    """The name of its system, with the setting where there are several."""
    several = row.system in SYSTEMS and len(SYSTEMS[row.system].settings) > 1
    return f"{row.system} ({row.setting})" if several else row.system


def ratios(mine: Iterable[Row], base: Iterable[Row]) -> Ratios | None:
    """None where no turn has both."""
    seconds = {(row.run, row.turn): row.seconds for row in base}
    pairs = [
        row.seconds / seconds[row.run, row.turn] for row in mine if (row.run, row.turn) in seconds
    ]
    return Ratios(statistics.median(pairs), min(pairs), max(pairs)) if pairs else None


def limit(systems: dict[str, list[Row]]) -> float | None:
    """The greater of oracle and one row alone, in seconds; None where one was not run."""
    if not all(name in systems for name in LIMITS):
        return None
    return max(_median(systems[name], lambda r: r.seconds) for name in LIMITS)


def columns(rows: Sequence[Row]) -> list[str]:
    """Those that say something of rows that can be compared."""
    systems = by_system(rows)
    untold = set(_OF_TURNS) if all(len(mine) == 1 for mine in systems.values()) else set()
    if limit(systems) is None:
        untold.add("to the limit")
    told = {
        "engine CPU": any(row.engine_cpu for row in rows),  # a simulated engine takes none
        "client CPU": any(row.client_cpu is not None for row in rows),
        "mean batch": any(row.mean_batch for row in rows),
        "planning": any(row.planning_seconds is not None for row in rows),
        "foretold": any(row.foretold_seconds for row in rows),
    }
    untold |= {name for name, is_told in told.items() if not is_told}
    return [name for name in _COLUMNS if name not in untold]


def legend(shown: Collection[str]) -> str:
    """What columns mean that are not plain."""
    return "; ".join(f"*{name}*: {what}" for name, what in _MEANINGS.items() if name in shown) + "."


def compared(rows: Sequence[Row]) -> str:
    """The table of rows that can be compared; ratios are to HeliumQL, else to the first system."""
    systems = by_system(rows)
    base = systems.get(BASE) or next(iter(systems.values()))
    least = limit(systems)
    shown = columns(rows)
    lines = ["| " + " | ".join(shown) + " |", "|---" * len(shown) + "|"]
    for name, mine in systems.items():
        cells = dict(zip(_COLUMNS, _cells(name, mine, base, least), strict=True))
        lines.append("| " + " | ".join(cells[column] for column in shown) + " |")
    compared_to = (name for name, mine in systems.items() if mine[0].equal is not None)
    first = next(compared_to, "none")
    notes = f"Ratios are of seconds to {base[0].system}, by pairs of one turn"
    return "\n".join(
        [*lines, "", f"{notes}; answers are compared with those of {first}.{_limit_note(least)}"]
    )


def _limit_note(least: float | None) -> str:
    if least is None:
        return ""
    return f" The limit is the greater of oracle and one row: {least:.2f} s."


def _cells(name: str, rows: Sequence[Row], base: Sequence[Row], least: float | None) -> list[str]:
    seconds = _median(rows, lambda r: r.seconds)
    found = None if name in LIMITS else ratios(rows, base)
    ratio = (found.median, found.least, found.greatest) if found else ()
    above = "" if least is None or name in LIMITS else f"{seconds / least:.2f}"
    hits = sum(r.hit_tokens for r in rows) / max(1, sum(r.prompt_tokens for r in rows))
    return [
        name,
        f"{seconds:.2f}",
        f"{min(r.seconds for r in rows):.2f}",
        f"{max(r.seconds for r in rows):.2f}",
        *([f"{value:.2f}" for value in ratio] or [""] * 3),
        above,
        _number(rows, lambda r: r.engine_cpu, ".2f"),
        _number(rows, lambda r: r.client_cpu, ".2f"),
        _number(rows, lambda r: r.calls_run, ".0f"),
        _number(rows, lambda r: r.computed_tokens, ",.0f"),
        f"{hits:.1%}",
        _number(rows, lambda r: r.output_tokens, ",.0f"),
        _number(rows, lambda r: r.mean_batch, ".2f"),
        _number(rows, lambda r: r.planning_seconds, ".2f"),
        _number(rows, lambda r: r.foretold_seconds or None, ".2f"),  # 0: nothing was
        "" if name in LIMITS else _answers(rows),
    ]


def _answers(rows: Sequence[Row]) -> str:
    """What there is to say of the answers of a system."""
    known = [row.equal for row in rows if row.equal is not None]
    if not known:
        return "own prompts"
    return "equal" if all(known) else "DIFFER"


def _number(rows: Iterable[Row], of: Callable[[Row], float | None], form: str) -> str:
    """The median; nothing where it is not known."""
    known = [value for row in rows if (value := of(row)) is not None]
    return format(statistics.median(known), form) if known else ""


def _median(rows: Iterable[Row], of: Callable[[Row], float]) -> float:
    return statistics.median(map(of, rows))


def title(row: Row) -> str:
    apart = ", no equal calls" if row.apart else ""
    return (
        f"{row.suite}: scale {row.scale:g}, seed {row.seed}{apart}; {row.engine} ({row.model}), "
        f"workers {row.workers}, slots {row.slots}, KV cache {row.kv_tokens:,} tokens"
    )


def machines(rows: Iterable[Row]) -> str:
    lines = dict.fromkeys(
        f"- {f'{r.gpu}; ' if r.gpu else ''}{r.cpu}, {r.cores} cores, {r.memory_gb:g} GB, "
        f"{r.os}; Python {r.python}, "
        f"HeliumQL {r.heliumql}, DuckDB {r.duckdb}, vLLM {r.vllm or 'none'}, "
        f"torch {r.torch or 'none'}; commit {r.commit[:12] or 'unknown'}"
        f"{' with changes' if r.changed else ''}"
        for r in rows
    )
    return "\n".join(["## Machines", "", *lines])
