"""`heliumql bench next_day`: what the answer store is worth a day later."""

from __future__ import annotations

import argparse
import sys

from bench.chosen import SLOTS, Chosen, check, in_common, simulated

from next_day.command import command
from next_day.days import SECOND

__all__ = ["main"]


def main(options: argparse.Namespace) -> int:
    """The exit status: 1 where rows differ, a call was asked again in vain, or a run failed."""
    return command(_chosen(options), options.output, sys.stdout)


def _chosen(options: argparse.Namespace) -> Chosen:
    """Raises UsageError."""
    check(options)
    hardware = simulated(options, "cpu")
    return in_common(
        options,
        suites=(SECOND.name,),
        systems=("heliumql",),
        repeat=options.repeat,
        slots=options.slots or SLOTS[hardware],
        hardware=hardware,
    )
