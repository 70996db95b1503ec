"""Statements evaluated together: one call graph, one dispatcher, one snapshot. One is the usual.

Equal calls of all of them are one. Whoever reads rows of one statement drives the calls of all:
first their first passes are evaluated, and later passes of each as soon as the answers that they
wait for are there, so no engine idles between statements. A statement that fails or is abandoned
leaves the others alone; what they need of its calls is run for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Protocol

from heliumql.calls.account import Account
from heliumql.calls.graph import CallGraph
from heliumql.calls.identity import Namer
from heliumql.calls.minted import MintedCalls
from heliumql.calls.references import References
from heliumql.catalog.techniques import SHARE
from heliumql.physical.context import Context
from heliumql.physical.dispatch import Dispatcher
from heliumql.physical.site import Site
from heliumql.physical.snapshot import begin_again, clean_up, in_transaction, reading


class Member(Protocol):
    """One of the statements."""

    account: Account

    def go_on(self) -> bool:
        """Evaluates the next pass if its calls have answers; whether it did."""
        ...


class Together:
    """What statements evaluated together have in common."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.references = References()
        self._namers: dict[int, Namer] = {}
        self._sites: dict[int, Site] = {}
        self._unfetched: set[int] = set()
        self._anew: set[int] = set()
        self._alone: set[int] = set()
        self.graph = CallGraph(
            self.references,
            self._namers,
            context.store.get,
            self._unfetched,
            MintedCalls(context.window_bytes),
            context.store.names(),
            self._anew,
            self._alone,
        )
        self.dispatcher = Dispatcher(
            self.graph,
            self._sites,
            context.store,
            context.learnt,
            context.flights,
            context.interrupted,
            context.progress,
            context.scheduler,
            timed=context.timed or context.traced,
            off=context.off,
            kept=context.kept,
        )
        self._members: list[Member] = []
        self._snapshot = ExitStack()
        self._reading = False
        self._own_snapshot = False
        self.snapshots = 0  # that an error has ended
        self._tables: list[str] = []  # temporary ones, of volatile relations

    def join(self, member: Member, sites: Mapping[int, Site]) -> None:
        self._members.append(member)
        self.dispatcher.accounts.append(member.account)
        for number, site in sites.items():
            self._namers.setdefault(number, Namer(site.kind, self.references))
            self._sites[number] = site
            if SHARE in self.context.off:
                self._alone.add(number)
            if site.cache != "use" or not site.fetched:
                self._unfetched.add(number)
            if site.cache != "use":
                self._anew.add(number)

    @property
    def several(self) -> bool:
        return len(self.dispatcher.accounts) > 1

    def read(self) -> None:
        """Rows are going to be read: from here on all statements see one snapshot."""
        if not self._reading:
            self._own_snapshot = not in_transaction(self.context.connection)
            self._snapshot.enter_context(reading(self.context.connection))
            self._reading = True

    def run_until(self, done: Callable[[], bool], member: Member) -> None:
        """Runs calls, and passes that have their answers, until `done()` for this member."""

        def gone_on() -> bool:
            while sum(m.go_on() for m in self._members):
                self.dispatcher.pump()
            return done()

        self.dispatcher.run_until(gone_on, member.account)

    def failed(self) -> None:
        """DuckDB raised an error, which ended our transaction; the others go on in a new one."""
        if self._own_snapshot and self._reading and self.several:
            self.begin_again()

    def begin_again(self) -> None:
        """A new snapshot, after an error ended the one that there was."""
        begin_again(self.context.connection)
        self.snapshots += 1

    def leave(self, member: Member, tables: list[str]) -> None:
        """Stops what is still running for this member; after the last one nothing is left."""
        self._tables += tables
        if member not in self._members:
            return
        self._members.remove(member)
        self.dispatcher.withdraw(member.account)
        if self._members:
            return
        self.dispatcher.close()
        self.graph.minted.clear()
        self._reading = False
        self._snapshot.close()
        while self._tables:
            clean_up(self.context.connection, f"DROP TABLE temp.{self._tables.pop()}")
