"""The embedded vLLM engine: worker processes, the calls they have, and what becomes of both.

The dispatcher talks to it through the protocol in engine.py. Each worker is a process with one
model in it (vllm_worker.py) and one thread here that receives its answers. A worker that dies is
started again; its calls go to other workers at once, or to the new process where there is none.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from heliumql.cost.event_model import Constants
from heliumql.cost.speeds import Observed, Step
from heliumql.engines.engine import ANSWERS, CallSpec, Deliver, Task, Told, Warmup
from heliumql.engines.placement import PrefixPlacement
from heliumql.engines.speed_notes import SpeedNotes
from heliumql.engines.vllm_options import VllmOptions, read_options
from heliumql.engines.vllm_process import WorkerProcess, uninterrupted
from heliumql.engines.vllm_settings import check_installed, settings, speed_key, spoken
from heliumql.errors import EngineError

_DEATHS_OF_A_CALL = 2  # in flight in so many deaths of its worker, it is taken for the cause
_DEATHS_IN_A_ROW = 3  # of one worker without an answer between, and it is given up
_ANSWER_SECONDS = 0.005  # from its process to ours, and what it makes ready back again
_AWAY, _GONE = 1 << 40, 1 << 41
"""Counted as load of a worker that is started again, or given up: only where there is no other
choice does a call go there."""
_PATIENCE_SECONDS = 120  # at most, with calls in the way


@dataclass(frozen=True)
class _Batch:
    """What the calls of one `submit` share."""

    spec: Mapping[str, Any]  # as vllm_worker.py wants it
    deliver: Deliver


@dataclass(frozen=True)
class _Flight:
    """A call that has no answer yet."""

    batch: _Batch
    item: tuple[bytes, list[tuple[str, str]], int]  # call, messages, priority
    worker: int
    deaths: int = 0


class VllmEngine:
    """Answers calls with vLLM in processes of its own, on GPUs where there are some."""

    def __init__(self, options: Mapping[str, object]) -> None:
        self._options = read_options(options)
        self.speed_key = speed_key(self._options)  # where its speed is kept
        self._placement = PrefixPlacement(self._options.concurrency)
        self._starting = threading.Lock()
        self._lock = threading.Lock()  # guards all below
        self._flights: dict[bytes, _Flight] = {}
        self._loads = [0] * self._options.workers  # calls that each worker has
        self._absent = [0] * self._options.workers  # _AWAY or _GONE where a worker is
        self._workers: list[WorkerProcess] = []
        self._receivers: list[threading.Thread] = []
        self._error: EngineError | None = None
        self._closed = False
        self._speed = SpeedNotes()
        self._owner: int | None = None  # the process that started the workers
        self._limits = [_limits(self._options)] * self._options.workers
        self._context = self._options.max_model_len
        self._incidents: list[str] = []
        self._told: dict[tuple[int, bytes], Told] = {}  # warm-ups in flight, by worker and key
        self._busy: set[int] = set()  # workers that calibrate themselves, or forget
        self._over = threading.Condition(self._lock)

    @property
    def title(self) -> str:
        model = Path(self._options.model)
        return f"vLLM: {model.name if model.is_dir() else model}"

    @property
    def tasks(self) -> frozenset[Task]:
        return frozenset({self._options.task})

    @property
    def slots(self) -> int:
        return self._options.workers * self._options.concurrency

    @property
    def context_tokens(self) -> int | None:
        """Of each worker; None where nothing says so before `start`."""
        return self._context

    @property
    def pids(self) -> list[int]:
        """The worker processes, in order."""
        with self._lock:
            return [worker.pid for worker in self._workers]

    @property
    def workers(self) -> Sequence[Constants]:
        """Limits and speed of each worker; the speed as far as it was learnt or observed."""
        with self._lock:
            return self._speed.fit(self._limits)

    def start(self) -> None:
        with self._starting:
            if self._workers:
                return
            if self._closed:
                raise EngineError("the engine is closed")
            check_installed()
            self._options.check_model()
            workers, limits, context = self._launch_all()
            with self._lock:
                self._context = context
                self._workers = workers
                self._absent = [0] * len(workers)
                self._limits = limits
                self._owner = os.getpid()
                self._error = None
            atexit.register(self.close)
            self._receivers = [
                threading.Thread(
                    target=self._receive, args=(i,), name=f"heliumql-vllm-{i}", daemon=True
                )
                for i in range(len(workers))
            ]
            for receiver in self._receivers:
                receiver.start()

    def submit(self, spec: CallSpec, requests: pa.RecordBatch, deliver: Deliver) -> None:
        batch = _Batch(spoken(spec), deliver)
        calls = requests.column("call").to_pylist()
        priorities = requests.column("priority").to_pylist()
        messages = requests.column("messages").to_pylist()
        wishes = requests.column("worker").to_pylist()
        with self._lock:
            if self._error is not None:
                raise self._error
            if not self._workers:
                raise EngineError("the engine is not started" if not self._closed else _CLOSED)
            flights = []
            for call, conversation, priority, wish in zip(
                calls, messages, priorities, wishes, strict=True
            ):
                pairs = [(m["role"], m["content"]) for m in conversation]
                worker = self._place(pairs, wish)
                flight = _Flight(batch, (call, pairs, priority), worker)
                self._loads[worker] += 1
                self._flights[call] = flight
                flights.append(flight)
            self._send(flights)

    def advance(self) -> None:
        """Nothing to do: the workers run by themselves."""

    def warm(self, warmups: Sequence[Warmup], told: Told) -> None:
        with self._lock:
            for number, worker in enumerate(self._workers):
                mine = [w for w in warmups if w.worker == number]
                if not mine or self._absent[number]:
                    continue
                self._told.update({(number, w.key): told for w in mine})
                worker.send(("warm", [(w.key, w.first, w.second, w.keep) for w in mine]))

    def release(self, keys: Sequence[bytes]) -> None:
        with self._lock:
            for worker in self._workers:
                worker.send(("release", list(keys)))

    def cancel(self, calls: Sequence[bytes]) -> None:
        with self._lock:
            taken = self._take(calls)
            by_worker: dict[int, list[bytes]] = defaultdict(list)
            for flight in taken:
                by_worker[flight.worker].append(flight.item[0])
            for number, ids in by_worker.items():
                self._workers[number].send(("cancel", ids))
        _deliver_all(taken, "cancelled", "cancelled")

    def close(self) -> None:
        if self._owner not in (None, os.getpid()):
            return  # in a fork of the process that owns the workers
        self._closed = True  # whoever starts it in another thread gives up
        with self._starting:
            with self._lock:
                self._told.clear()
                taken = self._take(list(self._flights))
            self._stop()
            atexit.unregister(self.close)
        _deliver_all(taken, "cancelled", "cancelled")

    # speed --------------------------------------------------------------------------------

    def calibrate(self) -> Constants:
        """Measure the speed with calls of random text, for a few seconds; what a worker is then.

        Calls in flight go on meanwhile. Raises EngineError where the engine cannot be started.
        """
        self._have_done("calibrate")
        return self.workers[0]

    def reset_prefix_cache(self) -> None:
        """Forget what KV caches hold, so that runs can be compared; while nothing is in flight.

        Raises EngineError where the engine cannot be started.
        """
        self._have_done("forget")

    def _have_done(self, what: str) -> None:
        """Wait until every worker has done it."""
        self.start()
        with self._over:
            self._over.wait_for(lambda: not self._busy, _PATIENCE_SECONDS)
            for number, worker in enumerate(self._workers):
                if not self._absent[number]:
                    self._busy.add(number)
                    worker.send((what,))
            self._over.wait_for(lambda: not self._busy, _PATIENCE_SECONDS)

    def take_incidents(self) -> Sequence[str]:
        """Workers that have died since this was last called; they are started again."""
        with self._lock:
            incidents, self._incidents = self._incidents, []
        return incidents

    def start_from(self, learnt: Observed) -> None:
        """Take this for the speed as long as nothing else was observed."""
        self._speed.start_from(learnt)

    def observed(self) -> Observed:
        """What the workers have been seen to do since this engine was made."""
        return self._speed.observed

    def take_observed(self) -> Observed:
        """What they have been seen to do since this was last called."""
        return self._speed.take()

    def _saw(self, steps: Iterable[Sequence[Any]], calls: int, call_seconds: float) -> None:
        self._speed.add((Step(*s) for s in steps), calls, call_seconds)

    def _has_done(self, number: int) -> None:
        with self._over:
            self._busy.discard(number)
            self._over.notify_all()

    # processes ----------------------------------------------------------------------------

    def _stop(self) -> None:
        """Kill the workers and wait for their threads (not for the one that calls)."""
        with self._over:
            workers, self._workers = self._workers, []
            self._busy.clear()
            self._over.notify_all()
        for worker in workers:
            worker.kill()
        for receiver in self._receivers:
            if receiver is not threading.current_thread():
                receiver.join()
        for worker in workers:
            worker.discard()

    def _launch_all(self) -> tuple[list[WorkerProcess], list[Constants], int]:
        workers: list[WorkerProcess] = []
        try:
            for number in range(self._options.workers):
                with uninterrupted():
                    workers.append(self._launch(number))
            facts = [worker.ready(lambda: self._closed) for worker in workers]
        except BaseException:  # Ctrl-C too must leave no process
            for worker in workers:
                worker.discard()
            raise
        limits = [_limits(self._options, known) for known in facts]
        return workers, limits, min(known["max_model_len"] for known in facts)

    def _launch(self, number: int) -> WorkerProcess:
        return WorkerProcess(*settings(self._options, number))

    def _place(self, messages: Iterable[tuple[str, str]], wish: int | None) -> int:
        """The worker for a call: the one that is wished for, if it is there. With the lock."""
        if len(self._loads) == 1:
            return 0
        if wish is not None and 0 <= wish < len(self._loads) and not self._absent[wish]:
            return wish
        prompt = "\n".join(text for message in messages for text in message)
        loads = [load + absent for load, absent in zip(self._loads, self._absent, strict=True)]
        return self._placement.place(prompt, loads)

    def _send(self, flights: Iterable[_Flight]) -> None:
        """One message for each worker and batch. Called with the lock held."""
        groups: dict[tuple[int, int], list[_Flight]] = defaultdict(list)
        for flight in flights:
            groups[flight.worker, id(flight.batch)].append(flight)
        for (number, _), group in groups.items():
            items = [flight.item for flight in group]
            self._workers[number].send(("calls", group[0].batch.spec, items))

    def _take(self, calls: Iterable[bytes]) -> list[_Flight]:
        """Those of the calls that are in flight; they are no longer. Called with the lock held."""
        taken = [f for call in calls if (f := self._flights.pop(call, None)) is not None]
        for flight in taken:
            self._loads[flight.worker] -= 1
        return taken

    def _receive(self, number: int) -> None:
        """Deliver a worker's answers, and start it again when it dies; the body of its thread."""
        worker: WorkerProcess | None = self._workers[number]
        deaths = 0
        while worker is not None:
            match worker.receive():
                case ("answers", answers):
                    deaths = 0
                    self._answered(answers)
                case ("steps", steps, calls, seconds):
                    self._saw(steps, calls, seconds)
                case ("warmed", key, prompt_tokens, cached_tokens):
                    with self._lock:
                        told = self._told.pop((number, key), None)
                    if told is not None:
                        told(key, prompt_tokens, cached_tokens)
                case ("done",):
                    self._has_done(number)
                case ("failed", *_):
                    pass  # the end comes next, and the last words say the same
                case None:
                    deaths += 1
                    worker = self._revive(number, worker, deaths)

    def _answered(self, answers: Sequence[tuple[Any, ...]]) -> None:
        with self._lock:
            known = {a[0]: a for a in answers}
            taken = self._take(known)
        groups: dict[Deliver, list[tuple[Any, ...]]] = defaultdict(list)
        for flight in taken:
            *row, started, first_token, finished = known[flight.item[0]]
            sent = flight.deaths + (row[3] != "context")
            row += [sent, flight.worker, started, first_token, finished]
            groups[flight.batch.deliver].append(tuple(row))
        for deliver, rows in groups.items():
            deliver(_record_batch(rows))

    def _revive(self, number: int, dead: WorkerProcess, deaths: int) -> WorkerProcess | None:
        """A new process in place of the dead one; None if the worker or the engine has ended."""
        with self._lock:
            if not self._workers:
                return None
            self._absent[number] = _AWAY
            self._told = {k: told for k, told in self._told.items() if k[0] != number}
            suspects = [f for f in self._flights.values() if f.worker == number]
            poison = [f for f in suspects if f.deaths + 1 >= _DEATHS_OF_A_CALL]
            self._take(f.item[0] for f in poison)
            for flight in suspects:
                if flight.item[0] in self._flights:
                    self._flights[flight.item[0]] = replace(flight, deaths=flight.deaths + 1)
            if not all(self._absent):
                self._move(number)
        self._has_done(number)
        words = dead.last_words()
        with self._lock:
            how = words.partition("\n")[0]
            calls = f"{len(suspects)} call{'s' if len(suspects) != 1 else ''}"
            self._incidents.append(
                f"vLLM worker {number} of {self._options.model} died{how} with {calls} in flight"
            )
        _deliver_all(poison, "error", f"the vLLM worker died twice with this call in flight{words}")
        if deaths >= _DEATHS_IN_A_ROW:
            self._give_up(number, f"the vLLM worker died {deaths} times in a row{words}")
            return None
        with self._lock:
            if not self._workers:
                return None
            dead.discard()
            worker = self._workers[number] = self._launch(number)
            # it reads them once the model is loaded, and those that come in the meantime
            self._send(f for f in self._flights.values() if f.worker == number)
        try:
            limits = worker.ready()
        except EngineError as error:
            what = f"the vLLM worker died and could not be started again: {error.message}"
            self._give_up(number, what)
            return None
        with self._lock:
            self._absent[number] = 0
            self._limits[number] = _limits(self._options, limits)
        return worker

    def _move(self, number: int) -> None:
        """Give the calls of a worker that is not there to others. Called with the lock held."""
        moved = []
        for call, flight in list(self._flights.items()):
            if flight.worker == number:
                self._loads[number] -= 1
                flight = replace(flight, worker=self._place(flight.item[1], None))
                self._loads[flight.worker] += 1
                self._flights[call] = flight
                moved.append(flight)
        self._send(moved)

    def _give_up(self, number: int, reason: str) -> None:
        """Go on without the worker; end the engine where no other is left."""
        with self._lock:
            self._absent[number] = _GONE
            left = any(absent != _GONE for absent in self._absent)
            if self._workers and left:
                self._move(number)
        if not left:
            self._fail(EngineError(reason))

    def _fail(self, error: EngineError) -> None:
        """End the engine for all calls in flight; `start` may try anew."""
        with self._lock:
            if not self._workers:
                return  # closed in the meantime, or failed because of another worker
            self._error = error
            taken = self._take(list(self._flights))
        self._stop()
        for deliver in dict.fromkeys(flight.batch.deliver for flight in taken):
            deliver(error)


_CLOSED = "the engine is closed"


def _limits(options: VllmOptions, limits: Mapping[str, int] | None = None) -> Constants:
    """What a worker can hold, as far as that is known; `limits` as it told them itself."""
    if limits is not None:
        told = {k: v for k, v in limits.items() if k != "max_model_len"}
        return Constants(**told, answer_seconds=_ANSWER_SECONDS)
    block = Constants.block_size
    return Constants(
        kv_cache_tokens=max(block, options.kv_cache_tokens or Constants.kv_cache_tokens),
        max_num_seqs=options.concurrency,
        max_num_batched_tokens=max(options.concurrency, Constants.max_num_batched_tokens),
        answer_seconds=_ANSWER_SECONDS,
    )


def _record_batch(rows: Sequence[tuple[Any, ...]]) -> pa.RecordBatch:
    """Rows in the order of ANSWERS."""
    columns = [
        pa.array(values, type=field.type)
        for values, field in zip(zip(*rows, strict=True), ANSWERS, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=ANSWERS)


def _deliver_all(flights: Iterable[_Flight], reason: str, error: str) -> None:
    """Deliver calls that got no answer."""
    groups: dict[Deliver, list[tuple[Any, ...]]] = defaultdict(list)
    for flight in flights:
        row = (flight.item[0], None, error, reason, 0, 0, 0, flight.deaths + 1)
        groups[flight.batch.deliver].append((*row, None, None, None, None))
    for deliver, rows in groups.items():
        deliver(_record_batch(rows))
