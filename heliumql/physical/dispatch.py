"""Dispatch: sends calls to their engines the moment they are ready and hears what comes back.

One dispatcher for statements that are evaluated together, driven by the thread that reads rows of
one of them: it never waits while there is something to submit. Engines are kept just above
saturation, so that the order stays ours to the last moment. Answers are stored when they arrive,
whatever becomes of the statement.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import replace
from queue import Empty, SimpleQueue

from heliumql.calls.account import Account
from heliumql.calls.answers import Answer, AnswerStore
from heliumql.calls.graph import CallGraph, ReadyCall
from heliumql.calls.learnt import Learnt
from heliumql.engines.engine import CallSpec, Engine, ReportingEngine
from heliumql.errors import EngineError, HeliumQLError, InternalError
from heliumql.physical.delivery import Delivery, Failed, Invalid, Timed, Warmed
from heliumql.physical.flights import Flights, Inbox
from heliumql.physical.kept import KeptPrefixes
from heliumql.physical.landing import Landing
from heliumql.physical.prefixes import Prefixes
from heliumql.physical.scheduler import Scheduler, workers_of
from heliumql.physical.sending import Flight, Held, paid, requests
from heliumql.physical.site import Site
from heliumql.physical.spending import Spending
from heliumql.physical.starting import start, title_of
from heliumql.scheduling.workload import Worker
from heliumql.stats import Progress

_PROGRESS_SECONDS = 0.1
_MOST_COUNTED = 1024  # of the ready calls: more are enough for any engine


class Interrupted(HeliumQLError):
    """The user stopped the statement; what was answered stays stored."""

    exit_status = 130

    def __init__(self) -> None:
        super().__init__("interrupted; the answers that had arrived are kept")


class Dispatcher:
    """Runs the ready calls of one call graph."""

    def __init__(
        self,
        graph: CallGraph,
        sites: Mapping[int, Site],
        store: AnswerStore,
        learnt: Learnt,
        flights: Flights,
        interrupted: threading.Event,
        progress: Callable[[Progress], None] | None = None,
        policy: str = "fcfs",
        *,
        off: Set[str] = frozenset(),
        timed: bool = False,
        kept: KeptPrefixes | None = None,
    ) -> None:
        self.graph = graph
        self.sites = sites
        self.scheduler = Scheduler(graph, sites, learnt.operator, policy, off)
        self.accounts: list[Account] = []  # of the statements that take part, or took
        self._spending = Spending(graph, sites, learnt.operator)
        self._held: list[Held] = []
        self._store = store
        self._learnt = learnt
        self._flights = flights
        self._interrupted = interrupted
        self._progress = progress
        self._timed = timed
        self._inbox: Inbox = SimpleQueue()
        self._flying: dict[bytes, Flight] = {}
        self.landing = Landing(
            graph, sites, store, flights, self._spending, self._flying, self.fail
        )
        self._prefixes = Prefixes(
            self.scheduler, kept or KeptPrefixes(), self._spending, self.accounts, self._inbox
        )
        self._engines: dict[int, Engine] = {}  # those that are started
        self._load: Counter[tuple[int, int]] = Counter()  # calls of each engine and worker
        self._dead: dict[int, HeliumQLError] = {}  # engines that failed, with their error
        self._started = time.monotonic()
        self._shown = 0.0

    # driving ------------------------------------------------------------------------------

    def pump(self) -> None:
        """Submits what is ready and takes in what has arrived, without waiting."""
        self._take_in(wait=False)
        self._submit()

    def run_until(self, done: Callable[[], bool], account: Account) -> None:
        """Runs calls until `done()`; raises what fails the statement of the account."""
        while True:
            if self._interrupted.is_set():
                raise Interrupted
            self._end_late()
            self._submit()
            if account.failure is None:
                if done():
                    return
            elif not self._is_awaited_by(account):
                raise account.failure
            if not self._flying:
                if account.failure is not None:
                    raise account.failure
                if self.graph.open_calls and (self._submit() or self._submit_anyhow()):
                    continue
                if account.failure is not None:
                    raise account.failure
                if done():
                    return
                if self._interrupted.is_set():  # since the last look: nothing was submitted
                    raise Interrupted
                raise InternalError("calls wait for answers that nobody will give")
            for engine in list(self._engines.values()):
                with self._surviving(engine):
                    engine.advance()
            self._take_in(wait=True)

    def _is_awaited_by(self, account: Account) -> bool:
        """A call that is needed by the account's statement is on its way."""
        return any(a is account for i in self._flying for _, a in self.graph.askers(i))

    def fail(self, account: Account, error: HeliumQLError, *, running: bool = True) -> None:
        """The statement is to end with this error; `running`: its calls in flight are over too."""
        account.failure = account.failure or error
        self._abort(self.graph.withdraw(account, running=running))

    def withdraw(self, account: Account) -> None:
        """The statement needs nothing more: aborts what nobody else needs."""
        self._abort(self.graph.withdraw(account))
        self._hear(account)

    def close(self) -> None:
        """Aborts what is in flight for nobody else; prefixes stay as far as they are worth it."""
        self._abort(list(self._flying))
        for account in self.accounts[:1]:
            self._hear(account)
        self._flights.shares.leave(self._inbox)
        self.scheduler.let_go()
        self._keep_prefixes()

    def _hear(self, account: Account) -> None:
        """Takes down what engines had to get over."""
        for engine in self._engines.values():
            if isinstance(engine, ReportingEngine):
                account.incidents += engine.take_incidents()

    def _abort(self, identities: Iterable[bytes]) -> None:
        by_engine: dict[int, list[bytes]] = {}
        for identity in dict.fromkeys(identities):
            flight = self._flying.pop(identity, None)
            if flight is None:
                continue
            engine = self.sites[flight.call.messages.site].engine
            self._load[id(engine), flight.worker] -= 1
            self._spending.settle(flight.call)
            if self._flights.leave(identity, self._inbox):
                by_engine.setdefault(id(engine), []).append(identity)
        for key, cancelled in by_engine.items():
            with self._surviving(self._engines[key]):
                self._engines[key].cancel(cancelled)

    def _engine_failed(self, engine: Engine, error: HeliumQLError) -> None:
        """Fails the statements that wait for the engine; others go on without it."""
        self._dead[id(engine)] = error
        lost = [
            identity
            for identity, flight in self._flying.items()
            if self.sites[flight.call.messages.site].engine is engine
        ]
        for identity in lost:
            self._fail_askers(identity, error)

    def _fail_askers(self, identity: bytes, error: HeliumQLError) -> None:
        for _, account in self.graph.askers(identity):
            self.fail(account, error)

    @contextmanager
    def _surviving(self, engine: Engine) -> Iterator[None]:
        """Engines may be anybody's: what they raise is the engine's failure."""
        try:
            yield
        except HeliumQLError as error:
            self._engine_failed(engine, error)
        except Exception as raised:
            reason = f"{type(raised).__name__}: {raised}"
            failure = EngineError(f"the engine {type(engine).__name__} failed: {reason}")
            failure.__cause__ = raised
            self._engine_failed(engine, failure)

    # submitting ---------------------------------------------------------------------------

    def _submit(self) -> int:
        if self._interrupted.is_set():
            return 0
        self._foresee()
        self._start_engines()
        submitted = self._decide_held()
        self.landing.answer_trees()
        workers: dict[int, Sequence[Worker]] = {}
        for key, engine in self._engines.items():
            if key not in self._dead:
                with self._surviving(engine):
                    workers[key] = workers_of(engine)
        for key, of_engine in workers.items():
            engine = self._engines[key]
            rooms = [self._room(key, n, worker) for n, worker in enumerate(of_engine)]
            batches: dict[int, list[tuple[ReadyCall, int]]] = {n: [] for n in range(len(rooms))}
            asking = set(batches)
            while asking:  # a call that may run anywhere goes to the worker that has least to do
                number = min(asking, key=lambda n: self._fullness(key, n, of_engine[n], batches))
                batch = batches[number]
                call = None
                if len(batch) < rooms[number]:
                    call = self._next(engine, number, workers)
                if call is None:
                    asking.remove(number)
                else:
                    batch.append(call)
            self._keep_prefixes()
            for number, batch in batches.items():
                submitted += len(batch)
                self._send(engine, number, batch)
        return submitted

    def _room(self, key: int, number: int, worker: Worker) -> int:
        """How many calls may be sent to a worker now; so many are reserved there.

        Statements of other threads hold back for those that this one wants to send.
        """
        wanted = min(worker.room - self._load[key, number], self._startable(key))
        return self._flights.shares.reserve(
            self._inbox, (key, number), worker.room, wanted, idle=not self._flying
        )

    def _startable(self, key: int) -> int:
        """How many calls the engine could be sent, or more than those."""
        count = self.graph.startable
        if len(self._engines) == 1 or not 0 < count <= _MOST_COUNTED:
            return count
        site = self.graph.minted.site
        of_others = sum(id(self.sites[site(i)].engine) != key for i in self.graph.ready_calls())
        return count - of_others

    def _keep_prefixes(self) -> None:
        living = {key: e for key, e in self._engines.items() if key not in self._dead}
        self._prefixes.keep(living, self._surviving)

    def _fullness(
        self, key: int, number: int, worker: Worker, batches: Mapping[int, Sequence[object]]
    ) -> tuple[float, int]:
        """How full a worker is, ties by its number."""
        calls = self._load[key, number] + len(batches.get(number, ()))
        return calls / worker.room, number

    def _submit_anyhow(self) -> int:
        """Nothing runs and nothing may start: the plan is given up, what is ready is sent."""
        self.scheduler.give_up()
        return self._submit()

    def _start_engines(self) -> None:
        """The engines of calls that are ready; those that cannot start fail who needs them."""
        for site in self.scheduler.ready_sites():
            engine = self.sites[site].engine
            if id(engine) in self._engines or id(engine) in self._dead:
                continue
            if self._progress is not None:  # a model may take a while to load
                title = title_of(engine) or self.sites[site].model
                self._progress(replace(self.progress(), starting=title))
            ready = False
            with self._surviving(engine):
                ready = start(engine, self._interrupted)
            if ready:
                self._engines[id(engine)] = engine
                if self._progress is not None:
                    self._progress(self.progress())
            elif self._interrupted.is_set():
                raise Interrupted
        if not self._dead:
            return
        for identity in self.graph.ready_calls():
            error = self._dead.get(id(self.sites[self.graph.minted.site(identity)].engine))
            if error is not None:
                for account in self.graph.demanded.get(identity, ()):
                    self.fail(account, error)

    def _next(
        self, engine: Engine, worker: int, workers: Mapping[int, Sequence[Worker]]
    ) -> tuple[ReadyCall, int] | None:
        """The next call for a worker, with its priority."""
        if self._held and len(self.accounts) == 1:
            return None  # what waits for the budget goes first
        while (identity := self.scheduler.next(engine, worker, workers)) is not None:
            rank = self.scheduler.rank(identity)
            call = self.graph.take(identity)
            if call is not None and self._allowed(Flight(call, worker, rank), engine):
                return call, rank
            self.landing.answer_trees()
            if self._held and len(self.accounts) == 1:
                return None
        # What becomes of an aggregate that is too long is not to be paid for early.
        sites = {n for n, s in self.sites.items() if s.engine is engine and not s.aggregate}
        offered = self.graph.take_offered(sites)
        return None if offered is None else (offered, self.scheduler.last_rank)

    def _send(self, engine: Engine, worker: int, calls: Sequence[tuple[ReadyCall, int]]) -> None:
        """Submits calls to their worker, one batch a site."""
        by_site: dict[int, list[Flight]] = {}
        for call, rank in calls:
            owner = self._flights.join(call.identity, self._inbox)
            self._flying[call.identity] = Flight(call, worker, rank, owner=owner)
            self._load[id(engine), worker] += 1
        self._take_just_answered([call for call, _ in calls])
        owned = [c.identity for c, _ in calls if self._flying[c.identity].owner]
        self._flights.shares.sent(self._inbox, (id(engine), worker), owned)
        for call, _ in calls:
            flight = self._flying[call.identity]
            if flight.owner:
                by_site.setdefault(call.messages.site, []).append(flight)
        for site, group in by_site.items():
            if id(engine) in self._dead:  # since the calls were taken
                self._engine_failed(engine, self._dead[id(engine)])
                return
            spec = self.sites[site].spec
            deliver = self._delivery(self.sites[site], spec, [f.call for f in group])
            with self._surviving(engine):
                engine.submit(spec, requests(group), deliver)

    def _take_just_answered(self, calls: list[ReadyCall]) -> None:
        """Calls that another statement finished after this one had looked for their answers."""
        owned = [
            c.identity
            for c in calls
            if self._flying[c.identity].owner
            and self.sites[c.messages.site].cache == "use"
            and c.identity not in self.graph.asked_anew
        ]
        for identity, answer in self._store.get(owned).items():
            self._flying[identity].owner = False
            for inbox in self._flights.land(identity):
                inbox.put([(identity, answer, 0)])

    def _delivery(self, site: Site, spec: CallSpec, calls: Sequence[ReadyCall]) -> Delivery:
        return Delivery(
            site, spec, calls, self._inbox, self._flights, self._store, self._learnt,
            timed=self._timed,
        )  # fmt: skip

    # budgets ------------------------------------------------------------------------------

    def _foresee(self) -> None:
        """Fails a statement that is certain to need too many calls before it has paid for any.

        Of several, one may need what another runs.
        """
        if len(self.accounts) != 1 or self.accounts[0].failure is not None:
            return
        account = self.accounts[0]
        error = self._spending.foreseen(account, lambda i: bool(self._flights.waiting(i)))
        if error is not None:
            self.fail(account, error)

    def _allowed(self, flight: Flight, engine: Engine) -> bool:
        """The call may be sent now; if not, it is held or refused."""
        held = Held(flight, engine, self.sites[flight.call.messages.site].spec)
        return self._decided(held)

    def _decide_held(self) -> int:
        """Sends the held calls that may go now; how many."""
        held, self._held = self._held, []
        sent = 0
        for one in held:
            flight = one.flight
            identity = flight.call.identity
            if id(one.engine) in self._dead:
                self._fail_askers(identity, self._dead[id(one.engine)])
                continue
            gone = one.unfit is not None and self._flying.get(identity) is not flight
            if gone or not self.graph.is_running(identity) or not self._decided(one):
                continue
            sent += 1
            if one.unfit is None:
                self._send(one.engine, flight.worker, [(flight.call, flight.rank)])
                continue
            deliver = self._delivery(self.sites[flight.call.messages.site], one.spec, [flight.call])
            with self._surviving(one.engine):
                one.engine.submit(one.spec, requests([flight]), deliver)
        return sent

    def _decided(self, held: Held) -> bool:
        """Whether a call may be sent; one that may not waits while its budget may grow."""
        call = held.flight.call
        account = self._spending.payer(call.identity)
        if account is None:  # all who need it have failed
            if held.unfit is not None:
                self._give_up(held.flight, held.unfit)
            return False
        setting = self._spending.lacking(call, held.spec, account)
        if setting is None:
            return True
        if account.budget.awaits:
            self._held.append(held)
        elif not account.budget.limits.partial:
            if held.unfit is not None:
                self._give_up(held.flight, held.unfit)
            else:
                self._held.append(held)  # others may need it
            self.fail(account, self._spending.used_up(account, setting))
        elif held.unfit is not None:
            account.refused += 1
            self._give_up(held.flight, held.unfit)
        else:
            self.graph.refused(call.identity, self._spending.not_run(setting, account))
        return False

    def _give_up(self, flight: Flight, unfit: Answer) -> None:
        """The call is not asked again here; another program's statement may do that."""
        identity = flight.call.identity
        self._flights.leave(identity, self._inbox)
        for inbox in self._flights.waiting(identity)[:1]:
            inbox.put(Invalid(identity, paid(unfit), 0))
        del self._flying[identity]
        self._landed(flight, paid(unfit), 0)

    def _end_late(self) -> None:
        """Ends what goes on longer than it may, calls in flight too."""
        now = time.monotonic()
        for account in self.accounts:
            budget = account.budget
            if account.failure or not budget.is_late(now) or not self.graph.open_of(account):
                continue
            if not budget.limits.partial:
                self.fail(account, self._spending.used_up(account, "llm_max_seconds"))
                continue
            late = list(self._flying)
            self._abort(late)
            for identity in late:
                self.graph.refused(identity, self._spending.not_run("llm_max_seconds", account))

    # taking in ----------------------------------------------------------------------------

    def _take_in(self, *, wait: bool) -> None:
        if self._interrupted.is_set():
            raise Interrupted
        try:
            arrived = self._inbox.get(timeout=0.05) if wait else self._inbox.get_nowait()
            while True:
                self._absorb(arrived)
                arrived = self._inbox.get_nowait()
        except Empty:
            pass
        now = time.monotonic()
        if self._progress is not None and now - self._shown > _PROGRESS_SECONDS:
            self._shown = now
            self._progress(self.progress())

    def progress(self) -> Progress:
        accounts, graph = self.accounts, self.graph
        return Progress(
            calls_done=len(graph.known),
            calls_known=len(graph.known) + graph.open_calls,
            calls_failed=sum(a.failed for a in accounts),
            output_tokens=sum(a.output_tokens for a in accounts),
            prompt_tokens=sum(a.prompt_tokens for a in accounts),
            prefix_hit_tokens=sum(a.prefix_hit_tokens for a in accounts),
            seconds=time.monotonic() - self._started,
        )

    def _absorb(self, arrived: object) -> None:
        match arrived:
            case Failed(engine, error):
                self._engine_failed(engine, error)
            case Invalid(identity, answer, requests, timed):
                stopping = self._interrupted.is_set()
                held = self.landing.unfit(identity, answer, requests, stopping=stopping)
                if held is not None:
                    self._held.append(held)
                elif timed is not None:  # this was its last attempt
                    self.landing.note_times(timed.rows, timed.sent)
            case Warmed() as warmed:
                self._prefixes.warmed(warmed)
            case Timed(rows, sent):
                self.landing.note_times(rows, sent)
            case list():
                for identity, answer, requests in arrived:
                    flight = self._flying.pop(identity, None)
                    if flight is not None:
                        self._landed(flight, answer, requests)

    def _landed(self, flight: Flight, answer: Answer, requests: int) -> None:
        engine = self.sites[flight.call.messages.site].engine
        self._load[id(engine), flight.worker] -= 1
        self.landing.landed(flight, answer, requests)
