"""The servers of one model of the engine `openai`, on an event loop in a thread of its own.

Each server is a worker with its own exchange. One that cannot be reached is dead: its calls go to
the others. It is tried again when calls come and some seconds have passed, and before the fleet
gives up because all are dead.

Everything here runs on the thread of the loop, except where it says otherwise.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor

from heliumql.engines.concurrency import Paces
from heliumql.engines.exchange import Exchange
from heliumql.engines.flight import Flight
from heliumql.engines.server import Server, Unreachable
from heliumql.engines.speed_notes import SpeedNotes
from heliumql.errors import EngineError, InternalError

_CLOSE_SECONDS = 10.0
DEAD_SECONDS = 10.0


class Fleet:
    """Implements `heliumql.engines.exchange.Owner`."""

    def __init__(self, servers: Sequence[Server], dead_seconds: float, notes: SpeedNotes) -> None:
        keys = [server.key() for server in servers]
        self._dead_seconds = dead_seconds
        self._arrived = 0
        self._resorting = False
        self.incidents: list[str] = []  # servers lost, and nobody told of it yet
        self._tasks: set[asyncio.Task[None]] = set()  # a task that nobody holds may vanish
        self.loop = asyncio.new_event_loop()
        paces = Paces(servers[0].requests_per_minute, servers[0].tokens_per_minute)
        self.exchanges = [
            Exchange(server, number, key, self.loop, self, paces, notes)
            for number, (server, key) in enumerate(zip(servers, keys, strict=True))
        ]
        # Looks up host names. Our own, so that closing it needs no help from the loop.
        self._executor = ThreadPoolExecutor(2, "heliumql-openai-names")
        self.loop.set_default_executor(self._executor)
        self._thread = threading.Thread(target=self._run, name="heliumql-openai", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    @property
    def slots(self) -> int:
        """Calls that may be in flight at the servers that are there. Called from any thread."""
        limits = [exchange.limit.value for exchange in self.exchanges if not exchange.dead]
        return sum(limits) or sum(exchange.limit.value for exchange in self.exchanges)

    def schedule_check(self) -> Future[None]:
        """Called from another thread: begin to `check`."""
        return asyncio.run_coroutine_threadsafe(self.check(), self.loop)

    def close(self) -> None:
        """Called from another thread: everything in flight is cancelled, the thread ends."""
        stopping = asyncio.run_coroutine_threadsafe(self._stop(), self.loop)
        try:
            stopping.result(_CLOSE_SECONDS)
        finally:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(_CLOSE_SECONDS)
            self._executor.shutdown(cancel_futures=True)
            if not self._thread.is_alive():
                self.loop.close()

    async def _stop(self) -> None:
        for exchange in self.exchanges:
            exchange.stop()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for exchange in self.exchanges:
            await exchange.close()

    async def check(self) -> None:
        """Are the servers there, and do they know the model? Some may be down, not all."""
        results = await asyncio.gather(
            *(exchange.check() for exchange in self.exchanges), return_exceptions=True
        )
        down = [isinstance(result, Unreachable) for result in results]
        for result, is_down in zip(results, down, strict=True):
            if result is not None and (not is_down or all(down)):
                raise result
        for exchange, is_down in zip(self.exchanges, down, strict=True):
            exchange.dead = is_down
            exchange.tried = self.loop.time()
        self._share()

    def take(self, flights: list[Flight]) -> None:
        """Calls go to the workers that they name; else, and where those are dead, to the one with
        the fewest in flight for what it can take."""
        now = self.loop.time()
        for exchange in self.exchanges:
            if exchange.dead and now - exchange.tried >= self._dead_seconds:
                exchange.tried = now
                self._begin(exchange)
        placed: list[list[Flight]] = [[] for _ in self.exchanges]
        loads = [exchange.load for exchange in self.exchanges]
        there = self._alive() or list(range(len(self.exchanges)))
        for flight in flights:
            number = flight.request.worker
            if number is None or number not in there:
                if number is not None and flight.submission.warms:
                    continue
                number = min(there, key=loads.__getitem__)
            if flight.order < 0:
                flight.order = self._arrived
                self._arrived += 1
            placed[number].append(flight)
            loads[number] += 1 / self.exchanges[number].limit.value
        for exchange, given in zip(self.exchanges, placed, strict=True):
            if given:
                exchange.take(given)

    def cancel(self, calls: list[bytes]) -> None:
        for exchange in self.exchanges:
            exchange.cancel(calls)

    def has_others(self, exchange: Exchange) -> bool:
        return any(not other.dead for other in self.exchanges if other is not exchange)

    def lost(self, exchange: Exchange, error: EngineError) -> None:
        exchange.tried = self.loop.time()
        if len(self.exchanges) == 1:
            self.end(error)
            return
        exchange.dead = True
        self.incidents.append(f"{error.message}; its calls go to the other servers")
        if self._alive():
            self.take(exchange.surrender())
        elif not self._resorting:
            # What waits stays where it is meanwhile: a dead exchange sends nothing.
            self._resorting = True
            self._begin(error)

    def overloaded(self, exchange: Exchange, error: EngineError) -> None:
        others = [other for other in self.exchanges if other is not exchange and not other.dead]
        if any(other.throttle.busy_since is None for other in others):
            self.lost(exchange, error)
        else:
            self.end(error)

    def end(self, error: EngineError) -> None:
        """What is answered is delivered, all others learn why there is no more."""
        flights = []
        for exchange in self.exchanges:
            exchange.flush()
            flights += exchange.drop()
        if not self._alive():  # the next statement finds out anew
            for exchange in self.exchanges:
                exchange.dead = False
        for deliver in {flight.submission.deliver: None for flight in flights}:
            deliver(error)

    def _alive(self) -> list[int]:
        return [number for number, exchange in enumerate(self.exchanges) if not exchange.dead]

    def _begin(self, what: Exchange | EngineError) -> None:
        """Begin to try a dead exchange, or all of them after an error."""
        trying = self._try(what) if isinstance(what, Exchange) else self._resort(what)
        task = self.loop.create_task(trying)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _try(self, exchange: Exchange) -> None:
        """A dead server that is back takes part again; one that now refuses us does not."""
        try:
            await exchange.check()
        except EngineError:
            return
        exchange.dead = False
        exchange.pump()

    async def _resort(self, error: EngineError) -> None:
        """All are dead: one that is back takes over, else all calls end."""
        try:
            await asyncio.gather(*(self._try(exchange) for exchange in self.exchanges))
        except Exception as bug:  # whatever it is, the callers must not wait forever
            error = EngineError(f"{InternalError(f'engine openai: {bug!r}')}")
        self._resorting = False
        if not self._alive():
            self.end(error)
        else:
            self._share()

    def _share(self) -> None:
        """What waits at dead servers goes to those that are there."""
        for exchange in self.exchanges:
            if exchange.dead:
                self.take(exchange.surrender())
            else:
                exchange.pump()


def wait_for(check: Future[None]) -> None:
    """Called from another thread: wait for the end of a check."""
    try:
        check.result()
    except CancelledError:
        raise EngineError("the engine was closed meanwhile") from None
