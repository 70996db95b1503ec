"""How a server's limit of requests is kept without knowing it, in virtual time."""

from __future__ import annotations

import heapq
import random

import pytest

from heliumql.engines.concurrency import ConcurrencyLimit
from heliumql.engines.throttle import Throttle


class Run:
    """Calls against a server that lets `most` requests through in each window, and what became of
    them; `tells`: a refusal says when the next window begins; `strays`: the share of requests that
    it refuses whatever the rate."""

    def __init__(
        self,
        calls: int,
        most: int,
        window: float,
        latency: float,
        *,
        tells: bool,
        seed: int = 0,
        strays: float = 0.0,
    ) -> None:
        chance = random.Random(seed)
        throttle = Throttle(0.5, chance)
        limit = ConcurrencyLimit(64, 256)
        used: dict[int, int] = {}
        waiting, flying, done = calls, 0, 0
        wakes = False
        events: list[tuple[float, int, str, float]] = []
        self.refused = 0
        self.seconds = 0.0
        for tie in range(1_000_000):
            now = self.seconds
            while waiting and flying < limit.value:
                delay = throttle.delay(now)
                if delay > 0:
                    if not wakes:
                        heapq.heappush(events, (now + max(delay, 1e-6), tie, "wake", now))
                    wakes = True
                    break
                throttle.sent(now)
                waiting, flying = waiting - 1, flying + 1
                number = int(now / window)
                used[number] = used.get(number, 0) + 1
                through = used[number] <= most and chance.random() >= strays
                event = (now + latency, tie, "answer", now)
                if not through:
                    event = (now + min(latency, 0.05), tie, "refusal", now)
                heapq.heappush(events, event)
            self.seconds, _, kind, sent = heapq.heappop(events)
            if kind == "answer":
                throttle.answered()
                limit.succeeded(self.seconds, flying, waiting)
                flying, done = flying - 1, done + 1
                if done == calls:
                    return
            elif kind == "wake":
                wakes = False
            else:
                flying, waiting = flying - 1, waiting + 1
                self.refused += 1
                rest = (int(self.seconds / window) + 1) * window - self.seconds
                if throttle.refused(sent, self.seconds, rest if tells else None) is not None:
                    limit.refused(sent, self.seconds)
        raise AssertionError("the calls came to no end")


@pytest.mark.parametrize("tells", [True, False])
@pytest.mark.parametrize("latency", [0.002, 0.2, 2.0])
def test_few_requests_are_wasted_on_a_limit_of_ten_a_second(latency: float, tells: bool) -> None:
    for seed in range(3):
        run = Run(300, 10, 1.0, latency, tells=tells, seed=seed)
        assert run.refused < (30 if tells else 40)  # a single refusal is not believed
        assert run.seconds < (50 if tells else 80)  # 29 are the least


def test_a_limit_that_is_met_again_and_again_is_kept_close_to() -> None:
    run = Run(3000, 10, 1.0, 0.002, tells=True)
    assert run.refused < 100
    assert run.seconds < 330


def test_a_limit_a_minute_is_found_as_well() -> None:
    run = Run(200, 20, 60.0, 1.0, tells=True)
    assert run.refused < 25
    assert run.seconds < 700


@pytest.mark.parametrize(("strays", "seconds"), [(0.01, 20), (0.05, 40), (0.1, 100)])
def test_refusals_that_have_nothing_to_do_with_the_rate_do_not_stop_it(
    strays: float, seconds: float
) -> None:
    for seed in range(5):  # 3 seconds are the least, and slowing at each refusal takes for ever
        run = Run(3000, 10**9, 1.0, 0.2, tells=False, seed=seed, strays=strays)
        assert run.refused < 1.5 * strays * 3000
        assert run.seconds < seconds


def test_a_refusal_that_stands_alone_changes_nothing() -> None:
    throttle = Throttle(0.5, random.Random(0))
    for _ in range(3):
        throttle.answered()
    assert throttle.refused(1.0, 1.1, None) is None
    assert throttle.delay(1.1) == 0.0
    assert throttle.busy_since is None
    throttle.answered()
    assert throttle.refused(1.2, 1.3, None) is None
    assert throttle.refused(1.3, 1.4, None) is not None  # three of the last five
    assert throttle.busy_since == 1.4


def test_a_server_that_says_how_long_to_wait_is_heeded_at_once() -> None:
    throttle = Throttle(0.5, random.Random(0))
    for _ in range(5):
        throttle.answered()
    assert throttle.refused(1.0, 1.1, 2.0) == pytest.approx(2.0)


def test_a_server_that_refuses_nothing_is_soon_asked_without_a_limit() -> None:
    throttle = Throttle(0.5, random.Random(0))
    sent = 0
    while throttle.delay(0.0) == 0.0:
        throttle.sent(0.0)
        sent += 1
    assert sent == 8
    assert 0 < throttle.delay(0.0) < 0.02
    assert throttle.delay(0.6) == 0.0
    for _ in range(1000):
        throttle.sent(0.6)
    assert throttle.delay(0.6) == 0.0


def test_nothing_is_sent_until_the_server_is_ready_and_then_with_care() -> None:
    throttle = Throttle(0.5, random.Random(0))
    for _ in range(8):
        throttle.sent(0.0)
    assert throttle.refused(0.0, 0.1, wait=2.0) == pytest.approx(2.0)
    assert throttle.refused(0.0, 0.2, wait=1.0) == pytest.approx(1.9)  # the longer one stays
    assert throttle.delay(1.0) == pytest.approx(1.1)
    assert throttle.delay(2.2) == 0.0
    throttle.sent(2.2)
    assert throttle.delay(2.2) == pytest.approx(2.2 / 6 / 0.95, rel=0.01)  # 6 in 2.2 s got through


def test_a_server_is_busy_from_its_first_refusal_to_its_next_answer() -> None:
    throttle = Throttle(0.5, random.Random(0))
    throttle.sent(0.0)
    for now in (1.0, 2.0, 3.0):
        throttle.refused(now, now, None)
    assert throttle.busy_since == 1.0
    throttle.answered()
    assert throttle.busy_since is None


def test_a_pause_that_is_announced_is_kept() -> None:
    throttle = Throttle(0.5, random.Random(0))
    throttle.pause(5.0)
    assert throttle.delay(2.0) == pytest.approx(3.0)
    assert throttle.delay(5.0) == 0.0
