"""A trace of what runs did, as Chrome trace events: ui.perfetto.dev, chrome://tracing open it.

A `Trace` writes events to its file as they happen and keeps little: which rows of a worker are
free, and sums for the counters. `Connection.trace` opens one; the session tells it of stages, the
evaluation of passes, the dispatcher of calls.

    process 1         HeliumQL: a track for each statement, with its stages and passes
    process 2, 3, ..  a worker of an engine each: rows of calls; those of a row do not overlap

Times are microseconds since the trace began, on the clock of this process, which engines that run
here or answer over HTTP share. An engine in virtual time has processes of its own, that begin at 0.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from heliumql.errors import ExecutionError
from heliumql.stats import CallTimes

_STATEMENTS = 1  # the process of the statements
_NANO = 1_000_000_000
_BINS = 512  # of a worker's counters
_FINEST = 0.002  # seconds of a bin at first; bins double when the run is longer
_SLACK = 5.0  # seconds that a clock of this machine may seem off by
_LONGEST_NAME = 100


@contextmanager
def written_to(path: str | Path) -> Iterator[Trace]:
    """A trace in a file, complete when the body ends. ExecutionError: it cannot be written."""
    try:
        file = open(path, "w", encoding="utf-8")  # noqa: SIM115
    except OSError as error:
        raise ExecutionError(f"cannot write {path}: {error.strerror}") from None
    with file:
        trace = Trace(file)
        try:
            yield trace
        finally:
            trace.close()


class Trace:
    """Writes events into an open text file, from any thread, until it is closed."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._first = True
        self._closed = False
        self._error: OSError | None = None
        self._statements = 0
        self._open: dict[int, tuple[int, int, str, dict[str, object]]] = {}  # slices not over yet
        self._spans = 0
        self._tracks = 100  # numbers of tracks are unique, whatever their process
        self._workers: dict[tuple[str, int], _Worker] = {}
        self._virtual: dict[str, bool] = {}
        self._write_raw("[")
        self._named("process_name", _STATEMENTS, 0, "HeliumQL")

    def statement(self, text: str) -> Track:
        """A track of its own for a statement that is about to be planned."""
        with self._lock:
            self._statements += 1
            track = self._new_track()
            shown = " ".join(text.split())
            if len(shown) > _LONGEST_NAME:
                shown = shown[: _LONGEST_NAME - 2] + ".."
            self._named("thread_name", _STATEMENTS, track, f"{self._statements}: {shown}")
            self._sorted("thread_sort_index", _STATEMENTS, track, self._statements)
        return Track(self, track)

    def close(self) -> None:
        """Ends what is still open, adds the counters and the end of the file. Idempotent.

        Raises ExecutionError where the file could not be written; until then nothing is said.
        """
        with self._lock:
            if self._closed:
                return
            now = self._now()
            for track, start, name, args in self._open.values():
                self._slice(_STATEMENTS, track, name, start, now, {**args, "unfinished": True})
            for worker in self._workers.values():
                self._counters(worker)
            self._write_raw("\n]\n")
            self._closed = True
            if self._error is not None:
                raise ExecutionError(f"cannot write the trace: {self._error.strerror}")

    # what tracks and dispatchers tell -----------------------------------------------------

    def begin(self, track: int, name: str, args: dict[str, object]) -> int:
        """A slice of a statement's track begins; its number."""
        with self._lock:
            self._spans += 1
            self._open[self._spans] = (track, self._now(), name, args)
            return self._spans

    def end(self, span: int) -> None:
        """It is over; written only now, so that slices need no pairs in the file."""
        with self._lock:
            if span in self._open:
                track, start, name, args = self._open.pop(span)
                self._slice(_STATEMENTS, track, name, start, self._now(), args)

    def call(
        self, engine: str, operator: str, times: CallTimes, sent: float, *, virtual: bool = False
    ) -> None:
        """A call that is over. `sent`: when its batch went out, on the clock of this process; that
        and now are its times where the engine does not say any."""
        now = time.monotonic()
        with self._lock:
            started, finished = times.started, times.finished
            timed = started is not None and finished is not None
            if started is None or finished is None:
                started, finished = sent, now
            elsewhere = self._virtual.setdefault(
                engine, virtual or not sent - _SLACK <= started <= finished <= now + _SLACK
            ) if timed else False  # fmt: skip
            begun = 0.0 if elsewhere else self._began
            start, end = _nano(started - begun), _nano(finished - begun)
            end = max(start, end)
            worker = self._worker(engine, times.worker, virtual=elsewhere)
            track = self._row(worker, start, end)
            args: dict[str, object] = {
                "operator": operator,
                "prompt_tokens": times.prompt_tokens,
                "hit_tokens": times.cached_tokens,
                "output_tokens": times.output_tokens,
                "failed": times.failed,
            }
            if not timed:
                args["clock"] = "sent and received here; the engine does not say when it ran"
            name = f"{operator} (failed)" if times.failed else operator
            self._slice(worker.process, track, name, start, end, args)
            first = end
            if timed and times.first_token is not None:
                first = min(max(_nano(times.first_token - begun), start), end)
                self._slice(worker.process, track, "prefill", start, first, {})
                self._slice(worker.process, track, "decode", first, end, {})
            worker.gauge.add(start / _NANO, first / _NANO, end / _NANO, times)

    # the file -----------------------------------------------------------------------------

    def _now(self) -> int:
        return _nano(time.monotonic() - self._began)

    def _new_track(self) -> int:
        self._tracks += 1
        return self._tracks

    def _worker(self, engine: str, number: int, *, virtual: bool) -> _Worker:
        worker = self._workers.get((engine, number))
        if worker is None:
            worker = _Worker(len(self._workers) + 2)
            self._workers[engine, number] = worker
            more = " (virtual time)" if virtual else ""
            self._named("process_name", worker.process, 0, f"{engine} worker {number}{more}")
            engines = list(dict.fromkeys(name for name, _ in self._workers))
            place = 1000 * (1 + engines.index(engine)) + number
            self._sorted("process_sort_index", worker.process, 0, place)
        return worker

    def _row(self, worker: _Worker, start: int, end: int) -> int:
        """The track of a row that is free from `start` on: the one that was busy last."""
        free = [(until, track) for track, until in worker.rows.items() if until <= start]
        track = max(free)[1] if free else self._new_track()
        if not free:
            number = len(worker.rows) + 1
            self._named("thread_name", worker.process, track, f"calls, row {number}")
            self._sorted("thread_sort_index", worker.process, track, number)
        worker.rows[track] = end
        return track

    def _counters(self, worker: _Worker) -> None:
        """Each where it changes."""
        second = worker.gauge.width
        before: list[float] = []
        for number, sums in enumerate(worker.gauge.bins()):
            if sums == before:
                continue
            before = sums
            busy, computed, hits, written = (round(s / second, 3) for s in sums)
            for name, values in (
                ("running calls", {"calls": busy}),
                ("tokens/s", {"prompt": computed, "answers": written}),
                ("prefix hits/s", {"tokens": hits}),
            ):
                self._event(
                    {
                        "ph": "C",
                        "pid": worker.process,
                        "tid": 0,
                        "ts": _micro(_nano(number * second)),
                        "name": name,
                        "args": values,
                    }
                )

    def _slice(
        self, process: int, track: int, name: str, start: int, end: int, args: Mapping[str, object]
    ) -> None:
        event: dict[str, object] = {
            "ph": "X", "pid": process, "tid": track, "ts": _micro(start),
            "dur": _micro(end - start), "name": name,
        }  # fmt: skip
        self._event({**event, "args": args} if args else event)

    def _named(self, what: str, process: int, track: int, name: str) -> None:
        self._meta(what, process, track, {"name": name})

    def _sorted(self, what: str, process: int, track: int, index: int) -> None:
        self._meta(what, process, track, {"sort_index": index})

    def _meta(self, what: str, process: int, track: int, args: dict[str, object]) -> None:
        self._event({"ph": "M", "pid": process, "tid": track, "name": what, "args": args})

    def _event(self, event: Mapping[str, object]) -> None:
        comma, self._first = ("" if self._first else ","), False
        self._write_raw(f"{comma}\n{json.dumps(event)}")

    def _write_raw(self, text: str) -> None:
        if self._error is not None or self._closed:
            return
        try:
            self._file.write(text)
        except OSError as error:  # told at the end; a run is worth more than its trace
            self._error = error


@dataclass(frozen=True)
class Track:
    """A statement's track in a trace."""

    trace: Trace
    number: int
    operators: Mapping[int, str] = field(default_factory=dict)  # their names, by site

    @contextmanager
    def span(self, name: str, **args: object) -> Iterator[None]:
        """A slice as long as the body takes."""
        span = self.trace.begin(self.number, name, args)
        try:
            yield
        finally:
            self.trace.end(span)

    def call(self, name: str, model: str, engine: object, times: CallTimes, sent: float) -> None:
        """A call of the statement that is over; `name` is its site's where it has no operator."""
        operator = self.operators.get(times.site, name)
        virtual = bool(getattr(engine, "virtual_time", False))
        self.trace.call(model, operator, times, sent, virtual=virtual)


def span(track: Track | None, name: str, **args: object) -> AbstractContextManager[None]:
    """A slice of the track, if there is one."""
    return nullcontext() if track is None else track.span(name, **args)


@dataclass
class _Worker:
    """A worker's process, until when each of its rows is taken (nanoseconds), and its sums."""

    process: int
    rows: dict[int, int] = field(default_factory=dict)
    gauge: Gauge = field(default_factory=lambda: Gauge())


class Gauge:
    """Sums over time in a bounded number of bins, which get twice as wide when time is longer.

    Of each bin: call-seconds, prompt tokens computed, prompt tokens found, answer tokens.
    """

    def __init__(self, width: float = _FINEST) -> None:
        self.width = width  # seconds of a bin
        self._sums = [[0.0] * 4 for _ in range(_BINS)]
        self._last = 0

    def add(self, start: float, first_token: float, end: float, times: CallTimes) -> None:
        """A call, in seconds since the beginning; answer tokens come after the first one."""
        while end >= self.width * _BINS:
            self._widen()
        computed = times.prompt_tokens - times.cached_tokens
        self._spread(start, end, 0, end - start)
        self._spread(start, first_token, 1, computed)
        self._spread(start, first_token, 2, times.cached_tokens)
        written_from = first_token if first_token < end else start
        self._spread(written_from, end, 3, times.output_tokens)
        self._last = max(self._last, int(end / self.width))

    def bins(self) -> Iterator[list[float]]:
        """Those up to the end of the last call, and an empty one behind it."""
        yield from self._sums[: self._last + 1]
        yield [0.0] * 4

    def _widen(self) -> None:
        pairs = zip(self._sums[::2], self._sums[1::2], strict=True)
        merged = [[a + b for a, b in zip(one, other, strict=True)] for one, other in pairs]
        self._sums = merged + [[0.0] * 4 for _ in range(_BINS - len(merged))]
        self._last //= 2
        self.width *= 2

    def _spread(self, start: float, end: float, which: int, amount: float) -> None:
        """Evenly over the bins from start to end."""
        low, high = max(0, int(start / self.width)), max(0, int(end / self.width))
        if low == high or end <= start:
            self._sums[low][which] += amount
            return
        share = amount / (end - start)
        self._sums[low][which] += share * ((low + 1) * self.width - start)
        for sums in self._sums[low + 1 : high]:
            sums[which] += share * self.width
        self._sums[high][which] += share * (end - high * self.width)


def _nano(seconds: float) -> int:
    return round(seconds * _NANO)


def _micro(nanoseconds: int) -> float:
    return nanoseconds / 1000
