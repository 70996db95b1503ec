"""The policies of HeliumQL on one engine of this process, by turns, and what they cannot undercut.

Every run begins with empty prefix caches. The oracle is a replay of the same calls with all answers
known, in depth-first order of their prompts: that, or one row of the batch alone, is about the
least time that any order of the workflow can take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass

from suites import engines
from suites.recording import Asked, RecordingEngine
from suites.runs import Run, replay, run, session
from suites.suite import SUITES

from bench.chosen import DEFAULT_POLICY, LIMITS, Chosen, policy_of, unmerged
from heliumql.catalog.techniques import SHARE
from heliumql.connection import Connection


@dataclass(frozen=True)
class InProcess:
    """A suite on one engine."""

    name: str
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
                    found = self._fresh(lambda con, s=system: self._system(con, s), kept)
                    record = record or found.record
                    yield turn, system, found
                for limit in limits:
                    yield (
                        turn,
                        limit,
                        self._oracle(record) if limit == "oracle" else self._one_row(),
                    )

    def _one_row(self) -> Run:
        return self._fresh(lambda con: self._query(con, DEFAULT_POLICY), rows=1)

    def _oracle(self, record: Sequence[Asked]) -> Run:
        return self._fresh(lambda con: replay(con, self.engine, record, DEFAULT_POLICY))

    def _system(self, con: Connection, system: str) -> Run:
        con.set("llm_disabled_rules", SHARE if unmerged(system) else "")
        return self._query(con, policy_of(system) or DEFAULT_POLICY)

    def _query(self, con: Connection, policy: str) -> Run:
        return run(con, SUITES[self.name].text(self.chosen.apart), self.engine, policy)

    def _kept(self, stack: ExitStack) -> Connection:
        """A session for all runs, that knows how long answers are from a run before."""
        con = stack.enter_context(self._session())
        self._query(con, "fcfs")
        return con

    def _session(self, rows: int | None = None) -> AbstractContextManager[Connection]:
        chosen = self.chosen
        rows = rows or chosen.rows_of(self.name)
        scale = chosen.scale_of(self.name)
        return session(SUITES[self.name], self.engine, rows, scale, chosen.seed)

    def _fresh(
        self,
        what: Callable[[Connection], Run],
        kept: Connection | None = None,
        rows: int | None = None,
    ) -> Run:
        """With empty prefix caches, in a session of its own if none is kept."""
        chosen = self.chosen
        if chosen.engine == "simulated":
            fresh = engines.simulated(self.kv_tokens, chosen.workers, chosen.slots)
            self.engine.inner = fresh.inner
        else:
            engines.forget(self.engine, self.kv_tokens, chosen.workers)
        with nullcontext(kept) if kept else self._session(rows) as con:
            return what(con)


def rotated(systems: Sequence[str], turn: int) -> list[str]:
    """The order of a turn: who is first in one is last in the next."""
    first = turn % len(systems)
    return [*systems[first:], *systems[:first]]
