"""A query's plan and what a run of it did, as lines of text that stay the same between runs.

No number of ours or of DuckDB's is in them: what a line says changes only when the plan does.
"""

from __future__ import annotations

from collections.abc import Iterator

from heliumql.binder import shape as shapes
from heliumql.binder.shape import Shape, is_clean
from heliumql.planning.planned import Planned
from heliumql.stats import Stats


def plan_lines(planned: Planned) -> Iterator[str]:
    """Calls, rules that fired, cuts and output columns of a query with calls."""
    names = planned.bound.sites if planned.bound is not None else planned.sites
    for number in sorted(names):
        site = planned.sites[number]
        yield f"call {site.name}, model {site.model}: {site.spec.returns.sql()}"
    if planned.carried is None:
        yield f"call by call: {planned.reason}"
        return
    if planned.optimized is not None:
        for rule, what in dict.fromkeys(
            (f.rule, what) for f in planned.optimized.firings for what in f.what
        ):
            yield f"rule {rule}: {what}"
    for cut in planned.carried.cuts:
        yield f"cut in {cut.where}, level {cut.level}"
    for name, shape in zip(planned.names, planned.carried.shapes, strict=True):
        yield f"column {name}: {shape_text(shape)}"


def shape_text(shape: Shape) -> str:
    """What may stand in a column before its calls have answers."""
    match shape:
        case _ if is_clean(shape):
            return "clean"
        case shapes.Text():
            return "text with answers inside"
        case shapes.Answer():
            return f"an answer of type {shape.type_name}"
        case shapes.List(item):
            return f"a list of: {shape_text(item)}"
        case shapes.Struct(fields):
            return "; ".join(f"its {name}: {shape_text(inner)}" for name, inner in fields)
        case other:
            raise AssertionError(other)


def run_lines(stats: Stats) -> Iterator[str]:
    """How many passes and calls a run took."""
    passes = f"{stats.passes} pass" + ("es" if stats.passes != 1 else "")
    where = ("asked", "shared", "cached", "run", "failed", "wasted")
    counts = {name: getattr(stats, f"calls_{name}") for name in where}
    shown = ", ".join(f"{n} {name}" for name, n in counts.items() if n or name in ("asked", "run"))
    yield f"{passes}: {shown}"
