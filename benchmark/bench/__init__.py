"""`heliumql bench SUITE`: runs the systems on a suite by turns, and says how they compare."""

from __future__ import annotations

import argparse
import sys

from bench.chosen import chosen
from bench.command import command

__all__ = ["main"]


def main(options: argparse.Namespace) -> int:
    """The exit status: 1 where systems have other answers, or where one failed."""
    return command(chosen(options), options.output, sys.stdout)
