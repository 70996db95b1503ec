"""`heliumql bench scale`: what statements of a thousand to a million calls take.

Each run has a process of its own, on the simulated engine: one GPU with an 8B model, in virtual
time. Nothing here depends on how fast a model is but the makespan.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from measured.figures import write_figures
from measured.folder import made
from progress import say

from heliumql.cli.standard_output import write
from scale.chosen import Chosen, chosen
from scale.point import measured
from scale.row import Row
from scale.table import differing, table

__all__ = ["main"]


def main(options: argparse.Namespace) -> int:
    """The exit status: 1 where answers differ or a run failed. A table goes to standard output."""
    asked = chosen(options)
    made(options.output)
    return _measure(asked, options.output)


def _measure(chosen: Chosen, folder: Path | None) -> int:
    rows: list[Row] = []
    status = 0
    try:
        for calls in chosen.calls:
            for workflow in chosen.workflows:
                for policy in chosen.policies(calls):
                    rows.append(measured(workflow, calls, policy))
                    say(f"{workflow}, {calls:,} calls, {policy}: {rows[-1].seconds:.1f} s")
    except RuntimeError as error:
        say(f"error: {workflow}, {calls:,} calls, {policy}: {error}")
        status = 1
    finally:  # also of what was measured before Ctrl-C
        if rows:
            if folder is not None:
                say(f"written: {write_figures(folder, 'scale', rows)}")
            write(table(rows, chosen.others) + "\n")
    if differ := differing(rows):
        say(f"error: other answers than in the first run of the size: {'; '.join(differ)}")
    return 1 if differ else status
