"""Short wordings that several forms of an explanation share."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """`1 call`, `2 calls`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(part: float, whole: float) -> str:
    """`25 %`; of nothing it is none."""
    return f"{100 * part / whole if whole else 0:.0f} %"


def worker_name(engine: str, worker: int | None) -> str:
    """`demo worker 0`; None is any worker of the engine."""
    return f"{engine}, any worker" if worker is None else f"{engine} worker {worker}"
