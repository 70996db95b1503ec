"""What a statement may spend on calls: limits, what is spent, and what is reserved.

Before a call is sent the most that it may cost is reserved; when its answer is there, what it did
cost is spent and the rest is free again. So however many calls are in flight, spent and reserved
together stay within the limits as long as calls cost no more than was reserved.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from heliumql.catalog import Settings

_RATIO_AFTER = 20  # calls; of fewer, one that failed says little


@dataclass(frozen=True)
class Cost:
    """What calls cost: how many they are, their tokens (prompt and output), and money."""

    calls: int = 0
    tokens: int = 0
    money: Decimal = Decimal(0)

    def __add__(self, other: Self) -> Cost:
        return Cost(self.calls + other.calls, self.tokens + other.tokens, self.money + other.money)

    def __sub__(self, other: Self) -> Cost:
        return Cost(self.calls - other.calls, self.tokens - other.tokens, self.money - other.money)


@dataclass(frozen=True)
class Limits:
    """The limits of one statement; None: there is none. `seconds` count from its first call."""

    calls: int | None = None
    tokens: int | None = None
    seconds: float | None = None
    money: Decimal | None = None
    partial: bool = False  # rows whose calls are not run get NULL; else the statement fails
    error_ratio: float = 1.0  # of the calls run, how many may fail; 1: all of them

    @property
    def any(self) -> bool:
        """A call may turn out not to be allowed."""
        bounds = (self.calls, self.tokens, self.seconds, self.money)
        return any(bound is not None for bound in bounds)

    def too_many_failed(self, failed: int, run: int) -> bool:
        """More of the calls failed than may; of the first few nothing is said."""
        return run >= _RATIO_AFTER and failed > self.error_ratio * run


def limits_of(settings: Settings) -> Limits:
    """What the settings let a statement spend."""
    return Limits(
        settings.max_calls,
        settings.max_tokens,
        settings.max_seconds,
        None if settings.max_cost is None else Decimal(str(settings.max_cost)),
        partial=settings.on_budget == "partial",
        error_ratio=settings.max_error_ratio,
    )


@dataclass(eq=False)
class Budget:
    """The budget of one statement. Times are seconds of any one clock."""

    limits: Limits = field(default_factory=Limits)
    spent: Cost = field(default_factory=Cost)
    reserved: Cost = field(default_factory=Cost)
    began: float | None = None  # when the first call was sent
    _reservations: dict[Hashable, Cost] = field(default_factory=dict)

    def lacking(self, cost: Cost, now: float) -> str | None:
        """The setting whose limit does not allow this beside what is spent and reserved."""
        limits, total = self.limits, self.spent + self.reserved + cost
        if limits.calls is not None and total.calls > limits.calls:
            return "llm_max_calls"
        if limits.tokens is not None and total.tokens > limits.tokens:
            return "llm_max_tokens"
        if limits.money is not None and total.money > limits.money:
            return "llm_max_cost"
        return "llm_max_seconds" if self.is_late(now) else None

    def foresees_too_many(self, calls: int) -> bool:
        """Before the first call: so many that are certain to be run are not going to be allowed."""
        most = self.limits.calls
        return not self.limits.partial and self.began is None and most is not None and calls > most

    def is_late(self, now: float) -> bool:
        """The time is over, also for calls in flight."""
        if self.limits.seconds is None or self.began is None:
            return False
        return now - self.began >= self.limits.seconds

    @property
    def awaits(self) -> bool:
        """Calls are in flight; they may turn out to cost less than was reserved for them."""
        return bool(self._reservations)

    def reserve(self, key: Hashable, cost: Cost, now: float) -> None:
        """Sets the most that a call may cost aside, under its name; once until it is settled."""
        assert key not in self._reservations
        self.began = now if self.began is None else self.began
        self._reservations[key] = cost
        self.reserved += cost

    def settle(self, key: Hashable) -> Cost:
        """The call is over: what was reserved for it is free again, and returned."""
        cost = self._reservations.pop(key, Cost())
        self.reserved -= cost
        return cost

    def spend(self, cost: Cost) -> None:
        self.spent += cost
