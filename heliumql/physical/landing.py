"""Landing: what becomes of a call once its engine has answered.

What it took is counted for the statement that pays, and the call graph is told. An answer that does
not fit its type is asked for again, an aggregate that does not fit the context becomes a tree, and
a statement whose calls must not fail ends where one did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from heliumql.calls.account import Account
from heliumql.calls.answers import Answer, AnswerStore
from heliumql.calls.graph import CallGraph
from heliumql.errors import ExecutionError, HeliumQLError
from heliumql.physical.flights import Flights
from heliumql.physical.sending import Flight, Held, asked_again, paid, spend
from heliumql.physical.site import Site
from heliumql.physical.spending import Spending, too_many_failed
from heliumql.physical.trees import Trees
from heliumql.stats import CallTimes

_CANCELLATIONS = 20  # of one call, by others that ask it too; more are the engine's own doing


class Fail(Protocol):
    def __call__(self, account: Account, error: HeliumQLError, *, running: bool = True) -> None:
        """The statement is to end with this error; `running`: its calls in flight are over too."""


class Landing:
    """Takes in the answers of one dispatcher's calls, in its thread. `flying`: those that its
    engines have, by identity."""

    def __init__(
        self,
        graph: CallGraph,
        sites: Mapping[int, Site],
        store: AnswerStore,
        flights: Flights,
        spending: Spending,
        flying: Mapping[bytes, Flight],
        fail: Fail,
    ) -> None:
        self._graph = graph
        self._sites = sites
        self._store = store
        self._flights = flights
        self._spending = spending
        self._flying = flying
        self._fail = fail
        self._trees = Trees(graph, sites)

    def note_times(self, rows: Sequence[Mapping[str, Any]], sent: float) -> None:
        """When calls ran, into the accounts of those who pay for them, and into the trace."""
        for row in rows:
            flight = self._flying.get(row["call"])
            if flight is None:
                continue
            worker = row.get("worker")
            times = CallTimes(
                flight.call.messages.site,
                flight.worker if worker is None else worker,
                row.get("started"),
                row.get("first_token"),
                row.get("finished"),
                row["prompt_tokens"] or 0,
                row["cached_tokens"] or 0,
                row["output_tokens"] or 0,
                failed=row["error"] is not None,
            )
            payer = self._graph.payer(row["call"])
            if payer.timed:
                payer.times.append(times)
            if payer.track is not None:
                site = self._sites[times.site]
                payer.track.call(site.name, site.model, site.engine, times, sent)

    def unfit(
        self, identity: bytes, answer: Answer, requests: int, *, stopping: bool
    ) -> Held | None:
        """An answer that does not fit its type: the call once more, with more room where it was
        cut off. None: it is over, or is about to be told so; `stopping`: nothing is asked again."""
        flight = self._flying.get(identity)
        if flight is None:
            return None
        site = self._sites[flight.call.messages.site]
        cancelled = answer.finish_reason == "cancelled"
        spend(self._graph.payer(identity), site, answer, requests)
        self._spending.settle(flight.call, None if cancelled else answer)
        flight.cancelled += cancelled
        if flight.cancelled > _CANCELLATIONS or (
            not cancelled
            and (
                flight.attempts > site.spec.retries
                or stopping
                or all(a.failure for _, a in self._graph.askers(identity))
            )
        ):
            for inbox in self._flights.land(identity):
                inbox.put([(identity, paid(answer), 0)])
            return None
        flight.attempts += 0 if cancelled else 1
        return Held(flight, site.engine, asked_again(site, flight, answer), answer)

    def landed(self, flight: Flight, answer: Answer, requests: int) -> None:
        """The call is over: counts what it took and tells the graph, or makes a tree of it."""
        identity = flight.call.identity
        site = self._sites[flight.call.messages.site]
        askers, payer = self._graph.askers(identity), self._graph.payer(identity)
        is_too_long = answer.finish_reason == "context"
        if is_too_long and site.aggregate and not all(account.failure for _, account in askers):
            refused = self._trees.grow(flight.call, answer)
            if refused is None:
                self._spending.settle(flight.call)
                payer.requests += requests if flight.owner else 0
                self.answer_trees()
                return
            answer = refused
        cost = paid(answer) if is_too_long else answer  # its tokens were counted, not computed
        self._spending.settle(flight.call, cost if flight.owner else None)
        if flight.owner:
            payer.run += 1
            spend(payer, site, cost, requests)
            spent = payer.at(site.number)
            spent.run += 1
            spent.failed += answer.error is not None
        elif self._graph.early.pop(identity, None) is None:
            payer.shared += 1
        if answer.error is not None:
            payer.failed += flight.owner
            payer.failures[answer.error] = payer.failures.get(answer.error, 0) + 1
        self._graph.answered(identity, answer)
        if answer.error is not None:
            for name, account in askers:
                self.failed(account, name, site, answer.error)
            failure = too_many_failed(payer)
            if failure is not None and payer.failure is None:
                self._fail(payer, failure, running=False)
        self.answer_trees()

    def answer_trees(self) -> None:
        """Aggregates whose trees are done are answered, and kept under their own names too."""
        for identity, site, answer in self._trees.grown():
            askers = self._graph.askers(identity)
            if answer.error is None and site.cache != "off" and not site.sampled:
                try:
                    self._store.put({identity: answer}, site.operator)
                except HeliumQLError as error:  # nothing can be remembered
                    for _, account in askers:
                        self._fail(account, error)
                    continue
            self._graph.answered(identity, answer)
            if answer.error is not None and answer.finish_reason != "cancelled":  # by a budget
                for name, account in askers:
                    self.failed(account, name, site, answer.error)

    def failed(self, account: Account, name: bytes, site: Site, error: str) -> None:
        """A call of this name failed: so does a statement that says it must not.

        `site` is where it was named first, maybe in another statement.
        """
        if account.sites is not None and site.number not in account.sites:
            if name not in account.strict:
                return
            site = self._sites[account.strict[name]]
        if site.on_error == "fail" and account.failure is None:
            failure = ExecutionError(
                f"a call of {site.name} failed: {error}",
                span=site.span,
                hint="the answers that had arrived are kept; on_error => 'null' goes on",
            )
            self._fail(account, failure, running=False)
