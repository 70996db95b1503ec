"""What a pass counts: rows that predicates let through, and rows that early limits have got.

A pass asks it for the text to evaluate, with the bounds of its early limits in it, and whether any
of them needs more rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from heliumql.binder.cuts import ACCEPTED, HELD, Carried, EarlyLimit, bounded
from heliumql.binder.tree import Node

_LEAST_GROWTH, _MOST_GROWTH = 1.5, 4.0  # of a bound from one pass to the next


class Counting:
    """The counts of one statement's passes."""

    def __init__(self, carried: Carried) -> None:
        self.limits = carried.limits
        self._predicates = carried.predicates
        self._node = carried.node
        self._bounds = {limit.number: limit.first for limit in carried.limits}
        self.begin()

    def begin(self) -> None:
        """A pass begins: it sees its rows anew."""
        self._accepted: dict[int, list[tuple[pa.Array, pa.Array]]] = {}  # rows, their places
        self._held: dict[int, int] = {}  # the first place of a row that waits
        self._last: dict[int, int] = {}  # the highest row number seen
        self._tested: dict[int, tuple[int, int]] = {}

    def query(self) -> Node:
        """The query of the pass: rows are seen up to the bounds."""
        if not self.limits:
            return self._node
        bounded_node: Node = bounded(self._node, self._bounds)
        return bounded_node

    # what DuckDB calls --------------------------------------------------------------------

    def enough(self, limit: int, rows: pa.Array, places: pa.Array, outcomes: pa.Array) -> pa.Array:
        """Which rows an early limit accepts; rows are known by number, counted once."""
        last = pc.max(rows).as_py()
        if last is not None:
            self._last[limit] = max(self._last.get(limit, 0), last)
        accepted = pc.fill_null(pc.equal(outcomes, ACCEPTED), False)
        held = pc.min(places.filter(pc.fill_null(pc.equal(outcomes, HELD), False))).as_py()
        if held is not None:
            self._held[limit] = min(self._held.get(limit, held), held)
        self._accepted.setdefault(limit, []).append(
            (rows.filter(accepted), places.filter(accepted))
        )
        return accepted

    def tested(self, predicate: int, conditions: pa.Array) -> pa.Array:
        """Notes how many rows a predicate saw, and how many it let through."""
        tested, passed = self._tested.get(predicate, (0, 0))
        passed += pc.sum(_plain(conditions)).as_py() or 0
        self._tested[predicate] = (tested + len(conditions), passed)
        return conditions

    # after a pass -------------------------------------------------------------------------

    def short(self) -> list[EarlyLimit]:
        """Early limits that have got too few rows, though there may be more."""
        return [
            limit
            for limit in self.limits
            if self._last.get(limit.number, 0) >= self._bounds[limit.number]
            and self._got(limit) < limit.wanted
        ]

    def grow(self, limits: Sequence[EarlyLimit]) -> None:
        """The next pass sees more rows: as many as should do, by the share accepted so far."""
        for limit in limits:
            bound, got = self._bounds[limit.number], self._got(limit)
            wanted = bound + 1.2 * (limit.wanted - got) * bound / got if got else math.inf
            self._bounds[limit.number] = round(
                min(_MOST_GROWTH * bound, max(_LEAST_GROWTH * bound, wanted))
            )

    def note(self, learn: Callable[[bytes, int, int], None]) -> None:
        """Tells what the pass learnt of each predicate: its name, rows tested, rows passed."""
        for predicate, (tested, passed) in self._tested.items():
            learn(self._predicates[predicate], tested, passed)

    def needless_cuts(self) -> set[int]:
        """Cuts of early limits that have enough rows before the first one that waits."""
        return {
            limit.cut
            for limit in self.limits
            if limit.number in self._held
            and self._got(limit, before=self._held[limit.number]) >= limit.wanted
        }

    def _got(self, limit: EarlyLimit, before: int | None = None) -> int:
        """How many rows the limit has accepted, or how many that stand before this place."""
        parts = self._accepted.get(limit.number, [])
        numbers = [
            rows.to_numpy() if before is None else rows.to_numpy()[places.to_numpy() < before]
            for rows, places in parts
        ]
        return len(np.unique(np.concatenate(numbers))) if numbers else 0


def _plain(conditions: pa.Array) -> pa.Array:
    """As Arrow's own booleans: with arrow_lossless_conversion DuckDB gives an extension type."""
    return conditions.cast(pa.bool_())
