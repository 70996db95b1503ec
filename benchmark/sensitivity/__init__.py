"""`heliumql bench sensitivity`: the scheduling policies while one parameter of the work varies."""

from __future__ import annotations

import argparse
import sys

from bench.chosen import OWN, SLOTS, Chosen, check, in_common, named, simulated
from names import of_arguments

from heliumql.cli.parser import UsageError
from sensitivity.command import command
from sensitivity.series import DEFAULTS, WORKFLOWS
from sensitivity.values import values

__all__ = ["main"]


def main(options: argparse.Namespace) -> int:
    """The exit status: 1 where systems have other answers, or where one failed."""
    there_are = f"there are {', '.join(DEFAULTS)}"
    parameters = of_arguments("parameter", options.what, DEFAULTS, DEFAULTS, there_are)
    if options.values is not None and len(parameters) != 1:
        raise UsageError("--values are those of one parameter", hint="name it: batch --values 8,16")
    given = options.values
    varied = {p: DEFAULTS[p] if given is None else values(p, given) for p in parameters}
    chosen = _chosen(options, _workflows(options.workflows, parameters))
    return command(chosen, varied, options.output, sys.stdout)


def _chosen(options: argparse.Namespace, suites: tuple[str, ...]) -> Chosen:
    """Raises UsageError."""
    check(options)
    hardware = simulated(options, "gpu")
    systems = (*OWN, "oracle") if options.systems is None else named(options.systems)
    if "one_row" in systems:
        raise UsageError("--systems: one_row is not varied", hint="oracle is")
    return in_common(
        options,
        suites=suites,
        systems=systems,
        repeat=options.repeat,
        slots=options.slots or SLOTS[hardware],
        hardware=hardware,
    )


def _workflows(given: str | None, parameters: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `--workflows`, else all that the parameters are varied of."""
    known = tuple(dict.fromkeys(name for p in parameters for name in WORKFLOWS[p]))
    if given is None:
        return known
    names = [name.strip() for name in given.split(",")]
    for name in names:
        if name not in known:
            of = ", ".join(parameters)
            raise UsageError(
                f"--workflows: {name!r} is not varied by {of}", hint=f"one of {', '.join(known)}"
            )
    return tuple(dict.fromkeys(names))
