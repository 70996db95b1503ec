"""When calls ran, worker by worker: what EXPLAIN ANALYZE shows of a run's time."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from heliumql.explain.words import counted, percent, worker_name
from heliumql.stats import CallTimes

_AT_ONCE = 1e-9  # seconds between two calls that are no idle time, but rounding


@dataclass(frozen=True)
class Bar:
    """A call that ran from `started` to `finished`: seconds since the engine's first call began.

    Bars of one row do not overlap.
    """

    operator: str
    row: int
    started: float
    first_token: float | None
    finished: float
    prompt_tokens: int
    cached_tokens: int
    output_tokens: int
    failed: bool


@dataclass(frozen=True)
class Lane:
    """What one worker did. Its bars are in the order in which they began."""

    engine: str
    worker: int
    seconds: float  # of the whole timeline
    bars: tuple[Bar, ...]
    idle: tuple[tuple[float, float], ...]  # from when to when no call ran
    untimed: int = 0  # calls of which the engine does not say when they ran
    prompt_tokens: int = 0
    cached_tokens: int = 0

    @property
    def name(self) -> str:
        return worker_name(self.engine, self.worker)

    @property
    def calls(self) -> int:
        return len(self.bars) + self.untimed

    @property
    def rows(self) -> int:
        """Calls at once, at most."""
        return max((bar.row + 1 for bar in self.bars), default=0)

    @property
    def idle_seconds(self) -> float:
        return sum((end - start for start, end in self.idle), 0.0)

    @property
    def busy(self) -> float | None:
        """The share of the time in which a call ran; None where that is not known."""
        if self.untimed or self.seconds <= 0:
            return None
        return 1 - self.idle_seconds / self.seconds


@dataclass(frozen=True)
class Timeline:
    """The workers of one engine. Engines have clocks of their own, so each has a timeline."""

    engine: str
    seconds: float  # from its first call's start to its last one's end
    lanes: tuple[Lane, ...]
    operators: tuple[str, ...]  # those that have bars, in the order of their sites


def timelines(
    times: Sequence[CallTimes],
    owners: Sequence[tuple[str, str]],
    workers: Collection[tuple[str, int]] = (),
) -> tuple[Timeline, ...]:
    """One for each engine, in the order of its first call.

    `owners` has for the sites of the times the name of the operator and what its engine is called;
    `workers` are known to be there, even if they ran no call.
    """
    by_engine: dict[str, list[CallTimes]] = {}
    for time in times:
        by_engine.setdefault(owners[time.site][1], []).append(time)
    names = [name for name, _ in owners]
    return tuple(
        _timeline(engine, found, names, [w for e, w in workers if e == engine])
        for engine, found in by_engine.items()
    )


def _timeline(
    engine: str, times: Sequence[CallTimes], names: Sequence[str], workers: Sequence[int]
) -> Timeline:
    begun = min((t.started for t in times if t.started is not None), default=0.0)
    ended = max(
        (t.finished for t in times if t.started is not None and t.finished is not None),
        default=begun,
    )
    by_worker: dict[int, list[CallTimes]] = {worker: [] for worker in workers}
    for time in times:
        by_worker.setdefault(time.worker, []).append(time)
    lanes = tuple(
        _lane(engine, worker, by_worker[worker], names, begun, ended - begun)
        for worker in sorted(by_worker)
    )
    drawn = {bar.operator for lane in lanes for bar in lane.bars}
    operators = tuple(name for name in dict.fromkeys(names) if name in drawn)
    return Timeline(engine, ended - begun, lanes, operators)


def _lane(
    engine: str,
    worker: int,
    times: Sequence[CallTimes],
    names: Sequence[str],
    begun: float,
    seconds: float,
) -> Lane:
    timed = sorted(
        (t.started, t.finished, number)
        for number, t in enumerate(times)
        if t.started is not None and t.finished is not None
    )
    rows = packed([(start, end) for start, end, _ in timed])
    bars = []
    for (start, end, number), row in zip(timed, rows, strict=True):
        time = times[number]
        first = None if time.first_token is None else min(max(time.first_token, start), end)
        bars.append(
            Bar(
                names[time.site],
                row,
                start - begun,
                None if first is None else first - begun,
                end - begun,
                time.prompt_tokens,
                min(time.cached_tokens, time.prompt_tokens),
                time.output_tokens,
                time.failed,
            )
        )
    return Lane(
        engine,
        worker,
        seconds,
        tuple(bars),
        idle_between([(bar.started, bar.finished) for bar in bars], seconds),
        len(times) - len(bars),
        sum(time.prompt_tokens for time in times),
        sum(time.cached_tokens for time in times),
    )


def packed(spans: Sequence[tuple[float, float]]) -> list[int]:
    """A row for each span, so that those of one row do not overlap: the first row that is free.

    Spans are sorted by their start; as many rows are used as spans overlap at most.
    """
    busy: list[tuple[float, int]] = []  # until when, row
    free: list[int] = []
    rows = []
    for start, end in spans:
        while busy and busy[0][0] <= start + _AT_ONCE:
            heapq.heappush(free, heapq.heappop(busy)[1])
        row = heapq.heappop(free) if free else len(busy)
        heapq.heappush(busy, (end, row))
        rows.append(row)
    return rows


def idle_between(
    spans: Sequence[tuple[float, float]], seconds: float
) -> tuple[tuple[float, float], ...]:
    """The parts of 0 .. seconds that no span covers. Spans are sorted by their start."""
    idle = []
    covered = 0.0
    for start, end in spans:
        if start > covered + _AT_ONCE:
            idle.append((covered, start))
        covered = max(covered, end)
    if seconds > covered + _AT_ONCE:
        idle.append((covered, seconds))
    return tuple(idle)


def lane_lines(found: Sequence[Timeline]) -> list[str]:
    """A line for each worker: how much of the time it was busy, and how many prompt tokens hit."""
    return [lane_line(lane) for timeline in found for lane in timeline.lanes]


def lane_line(lane: Lane) -> str:
    calls = counted(lane.calls, "call")
    busy = ""
    if lane.busy is not None:
        busy = f", busy {percent(lane.busy, 1)} of {lane.seconds:.3g} s"
    return (
        f"{lane.name}: {calls}{busy}, {lane.cached_tokens:,} of {lane.prompt_tokens:,}"
        f" prompt tokens were prefix hits ({percent(lane.cached_tokens, lane.prompt_tokens)})"
    )
