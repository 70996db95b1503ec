"""Writes a workload as JSON, in the form that workload.py describes.

python benchmark/workloads/write.py SUITE [--rows N] [--scale S] [--seed N] FILE
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from workloads import WORKFLOWS, workload


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("suite", choices=list(WORKFLOWS), metavar="SUITE")
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--rows", type=_count, help="how many at the top; the suite's own if left")
    parser.add_argument("--scale", type=_scale, help="of all lengths; the suite's own if left")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    made = workload(chosen.suite, chosen.rows, chosen.scale, chosen.seed)
    try:
        chosen.file.write_text(made.to_json() + "\n", encoding="utf-8")
    except OSError as error:
        parser.error(f"{chosen.file} cannot be written: {error.strerror}")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rows, which is 1 or more")
    return int(text)


def _scale(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = math.nan
    if not 0 < scale < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no scale, which is more than 0")
    return scale


if __name__ == "__main__":
    main()
