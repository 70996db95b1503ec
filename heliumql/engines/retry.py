"""What to make of an HTTP response: an answer, to be sent again, or the end. Pure functions."""

from __future__ import annotations

import email.utils
import random
from collections.abc import Mapping
from datetime import UTC
from enum import Enum

LONGEST_BACKOFF = 30.0


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


def _date(text: str) -> float | None:
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
