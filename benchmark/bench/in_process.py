"""The policies of HeliumQL on one engine of this process, by turns, and what they cannot undercut.

Every run begins with empty prefix caches. The oracle is a replay of the same calls with all answers
known, in depth-first order of their prompts: that, or one row of the batch alone, is about the
least time that any order of the workflow can take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from suites import engines
from suites.recording import Asked, RecordingEngine
from suites.runs import Run, replay, run, session
from suites.suite import Suite

from bench.chosen import DEFAULT_POLICY, LIMITS, Chosen, policy_of, unmerged
from heliumql.catalog.techniques import SHARE
from heliumql.connection import Connection

_T = TypeVar("_T")


@dataclass(frozen=True)
class InProcess:
    """A suite on one engine."""

    suite: Suite
    chosen: Chosen
    engine: RecordingEngine
    kv_tokens: int

    def runs(self) -> Iterator[tuple[int, str, Run]]:
        """Turn, system and run; a different system is first in each turn, the limits are last."""
        policies = [s for s in self.chosen.systems if policy_of(s)]
        limits = [s for s in self.chosen.systems if s in LIMITS]
        if self.chosen.engine != "simulated":
            self._one_row()  # the first calls of a process take longer
        with ExitStack() as stack:
            kept = self._kept(stack) if self.chosen.kept else None
            for turn in range(self.chosen.repeat):
                record: Sequence[Asked] = ()
                for system in rotated(policies, turn):
                    found = self.fresh(partial(self._system, system=system), kept)
                    record = record or found.record
                    yield turn, system, found
                for limit in limits:
                    yield (
                        turn,
                        limit,
                        self._oracle(record) if limit == "oracle" else self._one_row(),
                    )

    def _one_row(self) -> Run:
        return self.fresh(partial(self._query, policy=DEFAULT_POLICY), rows=1)

    def _oracle(self, record: Sequence[Asked]) -> Run:
        return self.fresh(lambda con: replay(con, self.engine, record, DEFAULT_POLICY))

    def _system(self, con: Connection, system: str) -> Run:
        off = SHARE if unmerged(system) else ""
        return self._query(con, policy_of(system) or DEFAULT_POLICY, off)

    def _query(self, con: Connection, policy: str, off: str = "") -> Run:
        return run(con, self.suite.text(self.chosen.apart), self.engine, policy, off)

    def _kept(self, stack: ExitStack) -> Connection:
        """A session for all runs, that knows how long answers are from a run before."""
        con = stack.enter_context(self._session())
        self._query(con, "fcfs")
        return con

    def _session(
        self, rows: int | None = None, store: bool = False
    ) -> AbstractContextManager[Connection]:
        chosen = self.chosen
        rows = rows or chosen.rows_of(self.suite)
        scale = chosen.scale_of(self.suite)
        return session(self.suite, self.engine, rows, scale, chosen.seed, store=store)

    def fresh(
        self,
        what: Callable[[Connection], Run],
        kept: Connection | None = None,
        rows: int | None = None,
        *,
        store: bool = False,
    ) -> Run:
        """With empty prefix caches, in a session of its own if none is kept."""
        chosen = self.chosen
        if chosen.engine == "simulated":
            fresh = engines.simulated(self.kv_tokens, chosen.workers, chosen.slots, chosen.hardware)
            self.engine.inner = fresh.inner
        else:
            engines.forget(self.engine, self.kv_tokens, chosen.workers)
        with nullcontext(kept) if kept else self._session(rows, store) as con:
            return what(con)


def rotated(systems: Sequence[_T], turn: int) -> list[_T]:
    """The order of a turn: who is first in one is last in the next."""
    first = turn % len(systems)
    return [*systems[first:], *systems[:first]]
