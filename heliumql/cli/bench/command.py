"""`heliumql bench`: the suites and studies that measure, which lie in the folder `benchmark`."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType

from heliumql.cli.bench.ablation import ablation_parser
from heliumql.cli.bench.next_day import next_day_parser
from heliumql.cli.bench.optimality import optimality_parser
from heliumql.cli.bench.overhead import overhead_parser
from heliumql.cli.bench.report import report_parser
from heliumql.cli.bench.scale import scale_parser
from heliumql.cli.bench.sensitivity import sensitivity_parser
from heliumql.cli.bench.suite import suite_parser
from heliumql.cli.help import show
from heliumql.cli.parser import UsageError, nearest
from heliumql.cli.standard_output import READER_GONE, OutputClosedError
from heliumql.errors import ExecutionError, InternalError
from heliumql.resources import resource


@dataclass(frozen=True)
class _Program:
    """A package in `benchmark` whose `main` takes the options and returns the exit status."""

    name: str
    what: str
    parser: Callable[[], argparse.ArgumentParser]
    package: str
    needs: Sequence[str] = ()  # modules of the extra `bench`
    installed: bool = False  # it is in the package, too, not in a checkout alone


# Their workflows are in benchmark/suites, which is too much to import for a list.
_WORKFLOWS = {
    "mixed": "half of the calls share a document, half an instruction",
    "map_reduce_questions": "fourteen experts answer a question, one sums up",
    "map_reduce": "experts on a report and a question, one sums up",
    "debate": "two rounds of a debate about a report",
    "reflection": "an analyst, critics, the analyst again",
    "iterative": "a summary that grows piece by piece, in chains of six",
    "parallel": "experts on the pieces of an item, summed up twice",
    "trading": "19 agents with 88 operators decide on a stock",
    "trading_next_day": "a day later: most documents are new, some are not",
    "debate_questions": "a debate without a report",
    "tables": "one operator over a shuffled table with repeated rows",
    **{
        f"prefix_{number}_{kind}": f"prefix mix P{number}, {what}"
        for number in range(1, 7)
        for kind, what in (("map_reduce", "experts and a summary"), ("debate", "a debate"))
    },
    "all": "all but the prefix mixes",
}
_SUITES = tuple(
    _Program(name, what, partial(suite_parser, name), "bench") for name, what in _WORKFLOWS.items()
)
_STUDIES = (
    _Program(
        "optimality",
        "orders of the scheduling policies against the best ones",
        optimality_parser,
        "optimality",
        needs=("highspy",),
        installed=True,
    ),
    _Program(
        "ablation", "what each technique is worth: with it and without", ablation_parser,
        "ablation",
    ),
    _Program(
        "sensitivity", "the policies while batch, branches, cache .. vary",
        sensitivity_parser, "sensitivity",
    ),
    _Program(
        "next_day", "trading a day later, with the answers of the first day", next_day_parser,
        "next_day",
    ),
    _Program(
        "overhead", "what planning and running calls takes", overhead_parser, "overhead"
    ),
    _Program("scale", "statements of a thousand to a million calls", scale_parser, "scale"),
    _Program("report", "tables and plots of what was measured", report_parser, "report"),
)  # fmt: skip


def bench(arguments: Sequence[str]) -> int:
    """Runs the suite or study that the first argument names; without one, lists them."""
    match arguments:
        case [] | ["--help" | "-h", *_]:
            return show(_overview())
        case [name, *rest]:
            program = next((p for p in (*_SUITES, *_STUDIES) if p.name == name), None)
            if program is None:
                known = [p.name for p in (*_SUITES, *_STUDIES)]
                near = nearest(name, known)
                raise UsageError(
                    f"no suite {name!r}",
                    hint=f"did you mean {near}?"
                    if near
                    else "heliumql bench lists the suites; studies are "
                    + ", ".join(p.name for p in _STUDIES),
                )
            options = program.parser().parse_args(rest)
            missing = [m for m in program.needs if importlib.util.find_spec(m) is None]
            if missing:
                raise UsageError(
                    f"the study {name} needs {', '.join(missing)}",
                    hint=f"pip install {' '.join(missing)}, or in a checkout: "
                    "pip install -e '.[bench]'",
                )
            try:
                status: int = _load(program).main(options)
            except OutputClosedError:
                return READER_GONE
            except ExecutionError as error:
                print(f"error: {error}", file=sys.stderr)
                return error.exit_status
            return status
    raise AssertionError(arguments)


def _overview() -> str:
    lines = ["Measure.", "", "usage: heliumql bench SUITE ...", ""]
    for title, programs in (("suites, each with --help:", _SUITES), ("studies:", _STUDIES)):
        lines += [title, *(f"  {p.name:20} {p.what}" for p in programs), ""]
    return "\n".join([*lines, "example:", "  heliumql bench all --quick --engine simulated"]) + "\n"


def _load(program: _Program) -> ModuleType:
    """The package by its name in `benchmark`, which is on no import path before."""
    try:
        folder: Path = resource(f"benchmark/{program.package}")
    except InternalError:
        if program.installed:
            raise
        raise UsageError(
            f"{program.name} comes with the source of HeliumQL, not with the installed package",
            hint="pip install -e . in a checkout of the source, and start it there",
        ) from None
    path = str(folder.parent)
    if path not in sys.path:
        sys.path.insert(0, path)
    return importlib.import_module(program.package)
