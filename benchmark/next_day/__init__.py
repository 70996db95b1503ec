"""`heliumql bench next_day`: what the answer store is worth a day later."""

from __future__ import annotations

import argparse
import sys

from bench.chosen import Chosen, check_engine, check_free, form, kv_tokens

from next_day.command import command
from next_day.days import SECOND

__all__ = ["main"]


def main(options: argparse.Namespace) -> int:
    """The exit status: 1 where rows differ, a call was asked again in vain, or a run failed."""
    return command(_chosen(options), options.output, sys.stdout)


def _chosen(options: argparse.Namespace) -> Chosen:
    """Raises UsageError."""
    check_engine(options.engine)
    check_free(options.kv_tokens, options.engine)
    return Chosen(
        suites=(SECOND.name,),
        systems=("heliumql",),
        engine=options.engine,
        repeat=options.repeat,
        kv_tokens=kv_tokens(options.kv_tokens),
        slots=options.slots,
        scale=options.scale,
        rows=options.rows,
        seed=options.seed,
        model=options.model,
        form=form(options),
    )
