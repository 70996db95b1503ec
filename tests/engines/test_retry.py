"""Retry decisions and the concurrency limit, as tables and without a server."""

from __future__ import annotations

import random

import pytest

from heliumql.engines.concurrency import ConcurrencyLimit, Pace, Paces
from heliumql.engines.retry import (
    LONGEST_BACKOFF,
    Verdict,
    backoff,
    judge,
    nothing_left,
    retry_after,
)

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("status", "code", "verdict"),
    [
        (200, None, Verdict.ANSWER),
        (201, None, Verdict.ANSWER),
        (301, None, Verdict.FATAL),
        (307, None, Verdict.FATAL),
        (400, None, Verdict.ROW),
        (401, None, Verdict.FATAL),
        (402, None, Verdict.ROW),
        (403, None, Verdict.FATAL),
        (404, None, Verdict.FATAL),
        (408, None, Verdict.RETRY),
        (413, None, Verdict.ROW),
        (422, None, Verdict.ROW),
        (429, None, Verdict.BUSY),
        (429, "rate_limit_exceeded", Verdict.BUSY),
        (429, "insufficient_quota", Verdict.FATAL),
        (500, None, Verdict.RETRY),
        (502, None, Verdict.RETRY),
        (503, None, Verdict.RETRY),
        (504, None, Verdict.RETRY),
        (529, None, Verdict.RETRY),
    ],
)
def test_what_follows_from_a_status(status: int, code: str | None, verdict: Verdict):
    assert judge(status, code) is verdict


def test_backoff_doubles_under_full_jitter_and_has_an_end():
    chance = random.Random(1)
    for failures, most in [(1, 0.5), (2, 1.0), (3, 2.0), (6, 16.0), (7, 30.0), (5000, 30.0)]:
        drawn = [backoff(failures, 0.5, chance) for _ in range(400)]
        assert min(drawn) < 0.1 * most
        assert 0.9 * most < max(drawn) <= most <= LONGEST_BACKOFF


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, 30.0),
        ({"retry-after": "Tue, 14 Nov 2023 23:13:50 +0100"}, 30.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 -0000"}, 30.0),
        ({"retry-after": "Mon, 13 Nov 2023 00:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after-ms": "x", "retry-after": "2"}, 2.0),
    ],
)
def test_what_a_server_asks_to_wait(headers: dict[str, str], seconds: float | None):
    assert retry_after(headers, NOW) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1s"}, 1.0),
        ({"x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": "1s"}, None),
        ({"x-ratelimit-remaining-requests": "-1", "x-ratelimit-reset-requests": "1s"}, None),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}, 360.0),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1h2m3.5s"}, 3723.5),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "12ms"}, 0.012),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2.5"}, 2.5),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000030"}, 30.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000030000"}, 30.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2023-11-14T22:13:50Z"}, 30.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "nan"}, None),
        ({"x-ratelimit-remaining": "none", "x-ratelimit-reset": "1s"}, None),
        ({"x-ratelimit-remaining": "0"}, None),
        (
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "3s",
            },
            3.0,
        ),
    ],
)
def test_how_long_a_server_has_nothing_left(headers: dict[str, str], seconds: float | None):
    assert nothing_left(headers, NOW) == (None if seconds is None else pytest.approx(seconds))


def serve(limit: ConcurrencyLimit, rate_at: dict[int, float], windows: int) -> list[int]:
    """Saturate a server whose rate depends on the requests in flight; the values on the way."""
    now = 0.0
    values = []
    for _ in range(windows):
        value = limit.value
        for _ in range(value + 1):
            limit.succeeded(now, limit.value, waiting=1)
            now += 1 / rate_at[max(known for known in rate_at if known <= value)]
        values.append(limit.value)
    return values


def test_the_limit_grows_while_throughput_does_and_not_beyond_its_ceiling():
    limit = ConcurrencyLimit(64, 256)
    rates = {64: 100.0, 96: 150.0, 144: 220.0, 216: 300.0, 256: 400.0}
    assert serve(limit, rates, 6) == [96, 144, 216, 256, 256, 256]


def test_the_limit_goes_back_where_more_in_flight_brought_nothing():
    limit = ConcurrencyLimit(64, 256)
    assert serve(limit, {64: 100.0, 96: 101.0}, 6) == [96, 64, 64, 64, 64, 64]


def test_the_limit_stays_while_too_few_calls_wait_to_tell():
    limit = ConcurrencyLimit(64, 256)
    for i in range(1000):
        limit.succeeded(i / 100, flying=64, waiting=0)
    assert limit.value == 64


def test_the_limit_stays_while_something_else_holds_calls_back():
    limit = ConcurrencyLimit(64, 256)
    limit.refused(sent=0.0, now=1.0)
    for i in range(1000):
        limit.succeeded(2 + i / 100, flying=20, waiting=100)
    assert limit.value == 32


def test_a_wave_of_refusals_halves_the_limit_once():
    limit = ConcurrencyLimit(64, 256)
    for _ in range(64):
        limit.refused(sent=0.0, now=1.0)
    assert limit.value == 32
    limit.refused(sent=1.5, now=2.0)
    assert limit.value == 16
    for sent in range(3, 20):
        limit.refused(sent, sent + 0.5)
    assert limit.value == 1


def test_after_a_refusal_the_limit_recovers_step_by_step():
    limit = ConcurrencyLimit(8, 8)
    limit.refused(0.0, 1.0)
    assert serve(limit, {1: 10.0}, 6) == [5, 6, 7, 8, 8, 8]
    limit = ConcurrencyLimit(64, 64)
    limit.refused(0.0, 1.0)
    assert serve(limit, {1: 10.0}, 8) == [36, 40, 45, 50, 56, 63, 64, 64]


def test_a_pace_spreads_requests_over_the_minute():
    pace = Pace(120)
    now = 0.0
    sent = []
    for _ in range(6):
        now += pace.delay(now)
        pace.spend(1)
        sent.append(now)
    assert sent[2:] == pytest.approx([sent[1] + 0.5 * i for i in range(1, 5)], abs=0.51)
    assert sent[-1] - sent[0] >= 1.4
    assert pace.delay(now + 60) == 0.0


def test_a_unit_larger_than_the_pace_goes_and_the_next_ones_wait_for_it():
    pace = Pace(60)
    assert pace.delay(0.0) == 0.0
    pace.spend(11)
    assert pace.delay(0.0) == pytest.approx(10.0)
    assert pace.delay(4.0) == pytest.approx(6.0)


def test_tokens_that_were_not_used_are_given_back():
    paces = Paces(0, 600)
    paces.spend(1, 310)
    assert paces.delay(0.0) == pytest.approx(30.0)
    paces.spend(0, -200)
    assert paces.delay(0.0) == pytest.approx(10.0)
    assert Paces(0, 0).delay(0.0) == 0.0


def test_the_scarcer_of_requests_and_tokens_decides():
    paces = Paces(60, 600)
    paces.spend(3, 50)
    assert paces.delay(0.0) == pytest.approx(4.0)
    assert paces.delay(3.0) == pytest.approx(1.0)
    paces = Paces(60, 6000)
    paces.spend(3, 50)
    assert paces.delay(0.0) == pytest.approx(2.0)
