"""Groups: queries of one connection that are evaluated together, and which statements form them.

A group begins when the first rows of any of its relations are read; equal calls of all of them are
one then, and calls of the later ones run while rows of the earlier ones are read.
`sequences.py` makes groups of what a connection is given at once: `sql_many`, `run_file`, a file of
the command line.
"""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from heliumql import syntax
from heliumql.errors import HeliumQLError
from heliumql.relations.relation import Relation
from heliumql.statements.runs import CallRun
from heliumql.syntax import Statement

if TYPE_CHECKING:
    from heliumql.physical.site import Site
    from heliumql.physical.together import Together

_CHANGES_WHAT_FOLLOWS = re.compile(r"(?i)\b(nextval|setseed)\b")  # though it is a SELECT


def leaves_all_as_it_is(statement: Statement) -> bool:
    """A query: what stands around it may be evaluated together."""
    match statement:
        case syntax.Sql() | syntax.LlmSql():
            text = statement.text
            return syntax.shell(text).kind == "select" and not _CHANGES_WHAT_FOLLOWS.search(text)
        case _:
            return False


@dataclass(eq=False)
class Member:
    """A query of a group. `run` is there from the beginning of the group until it is read."""

    relation: weakref.ref[Relation]
    made_run: Callable[[Group, Together], CallRun | None]
    run: CallRun | None = None


class Group:
    """Queries that are evaluated together. `begin` is what the connection does before."""

    def __init__(self, begin: Callable[[Group], Together]) -> None:
        self.lock = threading.RLock()  # one thread at a time drives the calls of all
        self._begin = begin
        self._begun = False
        self._stopped = False
        self._members: list[Member] = []
        self._runs: list[CallRun] = []
        self._caches: set[str] = set()

    def takes(self, sites: Mapping[int, Site]) -> bool:
        """Queries that use the answer store, and that do not, cannot share their calls."""
        return not self._begun and len(self._caches | {s.cache for s in sites.values()}) == 1

    def add(self, member: Member, sites: Mapping[int, Site]) -> None:
        self._members.append(member)
        self._caches |= {s.cache for s in sites.values()}

    def run_of(self, member: Member) -> CallRun | None:
        """The run of a member, once; None where it is to be evaluated by itself."""
        with self.lock:
            if not self._begun:
                self._begun = True
                self._begin_runs(self._begin(self))
            run, member.run = member.run, None
            return run

    def _begin_runs(self, together: Together) -> None:
        for member in self._members:
            if member.relation() is None:  # nobody can read it any more
                continue
            try:
                member.run = member.made_run(self, together)
            except (HeliumQLError, duckdb.Error):  # raised again when its rows are asked for
                continue
            if member.run is not None:
                self._runs.append(member.run)

    @property
    def is_over(self) -> bool:
        return all(run.is_over for run in self._runs)

    def finished(self) -> None:
        """A run is over; the others too, if the group was stopped while it was being read."""
        if self._stopped:
            self._close()

    def read_ahead(self) -> None:
        """Reads to the end what can still be read, so that the connection is free."""
        unread = {id(m.run): m for m in self._members}
        for run in self._runs:
            member = unread.get(id(run))
            if run.is_over:
                continue
            if member is not None and member.relation() is None:
                run.close()
            else:
                run.read_ahead()

    def stop(self, interrupt: Callable[[], None]) -> None:
        """Ends all evaluations, also where a thread is in the middle of one: that one ends them."""
        self._stopped = True
        reading = next((run for run in self._runs if run.is_being_read), None)
        if reading is not None:
            reading.stop(interrupt)
        if reading is None or reading.is_over:
            self._close()

    def _close(self) -> None:
        for run in self._runs:
            if not run.is_over:
                run.close()
