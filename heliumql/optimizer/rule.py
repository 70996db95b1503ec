"""What a rule is, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Protocol

from heliumql.binder import tree
from heliumql.binder.tree import Node
from heliumql.binder.volatile import is_volatile
from heliumql.optimizer.answers import AnswerColumns
from heliumql.optimizer.blocks import Column, columns_in
from heliumql.optimizer.lifting import Lifting
from heliumql.optimizer.plan import Plan
from heliumql.optimizer.totality import never_fails


class Selectivities(Protocol):
    """What earlier runs learnt of predicates."""

    def selectivity(self, predicate: bytes) -> float | None:
        """The share of rows that the predicate let through; None where it was never run."""

    def order(self, block: bytes) -> tuple[tuple[bytes, ...], float | None] | None:
        """The order in which predicates were asked together before, of how many rows."""


@dataclass(frozen=True)
class Knowledge:
    """What is known beside the plan.

    `aggregates` names DuckDB's aggregate functions; `rows` estimates how many rows a query gives
    (DuckDB's estimate; None where it has none); `types` are the types of its columns (None where
    DuckDB does not take it by itself).
    """

    learnt: Selectivities
    aggregates: frozenset[str] = frozenset()
    rows: Callable[[Node], float | None] = lambda query: None
    types: Callable[[Node], list[str] | None] = lambda query: None


@dataclass
class RuleContext:
    """What rules may look at for one plan, and where they tell what they did."""

    plan: Plan
    known: Knowledge
    done: list[str] = field(default_factory=list)

    @cached_property
    def answers(self) -> AnswerColumns:
        """The columns of the plan that hold answers."""
        return AnswerColumns.of(self.plan.tree)

    @cached_property
    def lifting(self) -> Lifting:
        return Lifting(self.answers, self.known.aggregates, self.is_volatile, self.never_fails)

    def is_volatile(self, query: Node) -> bool:
        """Evaluating this part of the plan twice may give other rows."""
        return self._some_volatile and is_volatile(query)

    def never_fails(self, expression: Any, source: Node | None = None) -> bool:
        """Evaluating it raises no error, so that it may see rows that it did not see before.

        `source` is the FROM whose columns it reads: with it casts to wider numbers are known.
        """
        types: dict[Column, str] | None = None

        def type_of(column: Column) -> str | None:
            nonlocal types
            if types is None:
                types = self._types(columns_in(expression), source) if source is not None else {}
            return types.get(column)

        return never_fails(expression, self.plan, type_of)

    def _types(self, columns: Sequence[Column], source: Node) -> dict[Column, str]:
        """The types of columns of a FROM, as far as DuckDB says them."""
        query = tree.select([tree.column(*c) for c in columns], source, None)
        found = self.known.types({**query, "cte_map": self.plan.tree["cte_map"]})
        return dict(zip(columns, found or (), strict=False))

    @cached_property
    def _some_volatile(self) -> bool:
        return is_volatile(self.plan.tree)

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
