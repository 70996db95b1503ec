"""What to make of an HTTP response: an answer, to be sent again, or the end. Pure functions."""

from __future__ import annotations

import email.utils
import math
import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum

LONGEST_BACKOFF = 30.0

_REMAINING, _RESET = "x-ratelimit-remaining", "x-ratelimit-reset"
_DURATION = re.compile(r"([\d.]+)(ms|h|m|s)")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_MOMENTS = 1e9  # a larger number of seconds is Unix time ..
_MILLISECONDS = 1e11  # .. and an even larger one in milliseconds


class Verdict(Enum):
    """What follows from the status of an HTTP answer."""

    ANSWER = "answer"
    RETRY = "retry"  # send it again, at the cost of one retry
    BUSY = "busy"  # send it again, later and with fewer in flight; costs no retry
    ROW = "row"  # this call failed, others may not
    FATAL = "fatal"  # no call will succeed


def judge(status: int, code: str | None = None) -> Verdict:
    """The verdict on a status; `code` is the error code in the body, where there is one."""
    match status:
        case 429 if code == "insufficient_quota":
            return Verdict.FATAL  # no waiting helps: the account has no money left
        case 429:
            return Verdict.BUSY
        case 408:
            return Verdict.RETRY
        case 401 | 403 | 404:
            return Verdict.FATAL
        case _ if 200 <= status < 300:
            return Verdict.ANSWER
        case _ if 300 <= status < 400:
            return Verdict.FATAL  # following would send the key to an address nobody named
        case _ if status >= 500:
            return Verdict.RETRY
        case _:
            return Verdict.ROW


def backoff(failures: int, first: float, chance: random.Random) -> float:
    """Seconds to wait after so many failures: exponential, with full jitter."""
    most: float = min(LONGEST_BACKOFF, first * 2 ** min(failures - 1, 30))
    return chance.uniform(0, most)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that the server asks to wait, None where it does not say. `now` is Unix time."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            seconds = float(value) * unit
        except ValueError:
            moment = _date(value)
            if moment is None:
                continue
            seconds = moment - now
        if seconds == seconds:  # "nan" is a float too
            return max(0.0, seconds)
    return None


def nothing_left(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds until the server has requests or tokens left to give, None where it has some or does
    not say: x-ratelimit-remaining-tokens: 0 and x-ratelimit-reset-tokens: 6m0s, and the like."""
    waits = []
    for name, value in headers.items():
        name = name.lower()
        if name.startswith(_REMAINING):
            reset = headers.get(_RESET + name.removeprefix(_REMAINING))
            try:
                left = float(value)
            except ValueError:
                continue
            if left == 0 and reset is not None and (wait := _seconds(reset, now)) is not None:
                waits.append(wait)
    return max(waits, default=None)


def _seconds(text: str, now: float) -> float | None:
    """A time from now: in seconds, as 1h2m3.5s, or as the moment itself (Unix time or a date)."""
    text = text.strip()
    try:
        number = float(text)
    except ValueError:
        parts = _DURATION.findall(text)
        if parts and "".join(number + unit for number, unit in parts) == text:
            return sum(float(number) * _UNITS[unit] for number, unit in parts)
        moment = _date(text)
        return None if moment is None else max(0.0, moment - now)
    if not math.isfinite(number):
        return None
    if number > _MILLISECONDS:
        number /= 1000
    return max(0.0, number - now if number > _MOMENTS else number)


def _date(text: str) -> float | None:
    try:
        iso = text[:4].isdigit()
        moment = datetime.fromisoformat(text) if iso else email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
