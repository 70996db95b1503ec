"""The variants of HeliumQL on a suite, by turns on one engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from bench.in_process import InProcess, rotated
from suites.runs import Run, register, run, together

from ablation.variant import VARIANTS, Variant
from heliumql.connection import Connection


@dataclass(frozen=True)
class Variants:
    """Each run begins with empty prefix caches and no answer kept."""

    on: InProcess
    variants: Sequence[Variant] = VARIANTS

    def runs(self) -> Iterator[tuple[int, Variant, Run]]:
        """Turn, variant and run; a different variant is first in each turn."""
        if self.on.chosen.engine != "simulated":
            self._run(Variant("warm-up"), rows=1)  # the first calls of a process take longer
        for turn in range(self.on.chosen.repeat):
            for variant in rotated(self.variants, turn):
                yield turn, variant, self._run(variant)

    def _run(self, variant: Variant, rows: int | None = None) -> Run:
        ask = partial(self._asked, variant=variant)
        return self.on.fresh(ask, rows=rows, store=variant.store)

    def _asked(self, con: Connection, variant: Variant) -> Run:
        if not variant.twice:
            return self._once(con, variant)
        suite, chosen = self.on.suite, self.on.chosen
        rows, scale = chosen.rows_of(suite), chosen.scale_of(suite)
        register(con, suite.before or suite.tables, rows, scale, chosen.seed)
        first = self._once(con, variant)
        register(con, suite.tables, rows, scale, chosen.seed)
        return together(first, self._once(con, variant))

    def _once(self, con: Connection, variant: Variant) -> Run:
        return run(con, self.on.suite.text(), self.on.engine, variant.policy, variant.off)
