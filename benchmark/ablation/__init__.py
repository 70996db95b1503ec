"""`heliumql bench ablation`: what each technique is worth, by turns with it and without it."""

from __future__ import annotations

import argparse
import sys

from bench.chosen import ALL, Chosen, check, in_common
from names import of_arguments
from suites.suite import SUITES

from ablation.command import command
from ablation.variant import VARIANTS

__all__ = ["main"]


def main(options: argparse.Namespace) -> int:
    """The exit status: 1 where a variant has other answers, or where a run failed."""
    return command(_chosen(options), options.output, sys.stdout)


def _chosen(options: argparse.Namespace) -> Chosen:
    """Raises UsageError."""
    check(options)
    return in_common(
        options,
        suites=of_arguments("suite", options.suites, SUITES, ALL, "heliumql bench lists them"),
        systems=tuple(variant.system for variant in VARIANTS),
        repeat=options.repeat,
        slots=options.slots,
    )
