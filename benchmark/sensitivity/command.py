"""Runs the systems on every value of the parameters, shows tables, and keeps the rows in files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from bench import running
from bench.chosen import Chosen
from bench.in_process import InProcess
from bench.outcome import outcome
from bench.rows import extent, measures
from bench.size import Size, measure
from measured.row import Row
from progress import say
from report.varied import label, table
from suites.runs import Run

from heliumql.cli.standard_output import write
from sensitivity.series import Point, Series, series


def command(
    chosen: Chosen,
    varied: Mapping[str, Sequence[Fraction]],
    folder: Path | None,
    out: TextIO,
) -> int:
    """The exit status. `varied` has the values of each parameter."""
    return outcome("sensitivity", chosen, partial(_measured, chosen, varied, out), folder)


def _measured(
    chosen: Chosen,
    varied: Mapping[str, Sequence[Fraction]],
    out: TextIO,
    fields: Mapping[str, Any],
) -> Iterator[Row]:
    with ExitStack() as stack:
        model = running.model(chosen, stack)
        for parameter, values in varied.items():
            for one in series(parameter, values, chosen):
                rows: list[Row] = []
                for row in _series(one, fields, model):
                    rows.append(row)
                    yield row
                write(f"\n### {parameter} of {one.workflow}\n\n{table(rows)}\n", out)


def _series(one: Series, fields: Mapping[str, Any], model: Path | None) -> Iterator[Row]:
    greatest: Size | None = None
    if one.parameter != "mixes":  # these are works of their own; others share a machine
        greatest = measure(one.points[-1].suite, one.points[-1].chosen)
    for point in one.points:
        size = greatest or measure(point.suite, point.chosen)
        wanted = _kv_tokens(one.parameter, point, size)
        with ExitStack() as stack:
            engine, kv_tokens = running.engine(point.chosen, wanted, model, stack)
            first: Run | None = None
            on = InProcess(point.suite, point.chosen, engine, kv_tokens)
            for turn, system, found in on.runs():
                first = first or found
                row = _row(one, point, kv_tokens, system, turn, found, first, fields)
                value = label(one.parameter, row.value)
                say(f"{one.workflow}, {one.parameter} {value}, {system}: {row.seconds:.2f} s")
                yield row


def _kv_tokens(parameter: str, point: Point, size: Size) -> int | None:
    """Of a worker: the part that is varied, else what is chosen, at most what the hardware has.

    None where the engine takes what memory is free.
    """
    if parameter == "kv":
        return size.part(point.value)
    return size.on(point.chosen.hardware, point.chosen.kv_tokens)


def _row(
    one: Series,
    point: Point,
    kv_tokens: int,
    system: str,
    turn: int,
    found: Run,
    first: Run,
    fields: Mapping[str, Any],
) -> Row:
    return Row(
        **fields,
        **extent(point.suite, point.chosen, kv_tokens),
        **measures(found),
        suite=one.workflow,
        system=system,
        turn=turn,
        # The oracle's answers are checked where it is run.
        equal=system == "oracle" or found.rows == first.rows,
        parameter=one.parameter,
        value=float(point.value),
    )
