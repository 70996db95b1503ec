"""What the command line asks for, checked."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from names import of_option

from overhead.queries import queries

PARTS = ("planning", "scheduling", "calls", "naming")
MORE = 10  # times as many calls are named, and planned in the query `texts`, as are run
_QUICK_QUERIES = ("trading_4", "operators", "mixed")
_QUICK_CALLS = 2000
_LARGE = ("trading_80",)  # measured where it is asked for


@dataclass(frozen=True)
class Chosen:
    """What is measured."""

    parts: Sequence[str]
    queries: Sequence[str]
    calls: int
    runs: int  # of the planning of each query


def chosen(options: argparse.Namespace) -> Chosen:
    """Raises UsageError."""
    quick: bool = options.quick
    known = [q for q in queries(1) if not q.startswith("prefix") and q not in _LARGE]
    given = ",".join(_QUICK_QUERIES if quick else known)
    return Chosen(
        of_option("--parts", "part", options.parts or ",".join(PARTS), PARTS),
        of_option("--queries", "query", options.queries or given, queries(1)),
        options.calls or (_QUICK_CALLS if quick else 100_000),
        options.runs or (1 if quick else 3),
    )
