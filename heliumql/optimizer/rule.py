"""What a rule is, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from heliumql.binder.tree import Node
from heliumql.optimizer.answers import AnswerColumns
from heliumql.optimizer.lifting import Lifting
from heliumql.optimizer.plan import Plan


class Selectivities(Protocol):
    """What earlier runs learnt of predicates."""

    def selectivity(self, predicate: bytes) -> float | None:
        """The share of rows that the predicate let through; None where it was never run."""


@dataclass
class RuleContext:
    """What rules may know beside the plan, and where they tell what they did.

    `rows` estimates how many rows a query gives (DuckDB's estimate; None where it has none).
    """

    learnt: Selectivities
    aggregates: frozenset[str]
    rows: Callable[[Node], float | None]
    answers: AnswerColumns
    done: list[str] = field(default_factory=list)

    @property
    def lifting(self) -> Lifting:
        return Lifting(self.answers, self.aggregates)

    def did(self, what: str) -> None:
        """One sentence in the user's names: what this firing changed."""
        self.done.append(what)


Rewrite = Callable[[Plan, RuleContext], Plan]


@dataclass(frozen=True)
class Rule:
    """A rewriting of plans. An exact rule never changes an answer; approximate ones may.

    Approximate rules run only where a query asks for them by name.
    """

    rewrite: Rewrite
    kind: Literal["exact", "approximate"] = "exact"

    @property
    def name(self) -> str:
        return self.rewrite.__name__

    @property
    def summary(self) -> str:
        return (self.rewrite.__doc__ or "").strip().partition("\n")[0]


@dataclass(frozen=True)
class Knowledge:
    """What the runner gives to every rule."""

    learnt: Selectivities
    aggregates: frozenset[str] = frozenset()
    rows: Callable[[Node], float | None] = lambda query: None


@dataclass(frozen=True)
class Firing:
    """A rule that changed the plan: what it says it did, and the plans before and after."""

    rule: str
    phase: str
    what: tuple[str, ...]
    before: Plan
    after: Plan
    seconds: float


@dataclass(frozen=True)
class Optimized:
    """A plan after all phases, and how it came about."""

    plan: Plan
    firings: tuple[Firing, ...] = ()
    seconds: float = 0.0
