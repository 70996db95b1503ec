"""An explanation as a value: `build.py` makes it, text, JSON, Mermaid and HTML are made of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from heliumql.calls.account import Spent
from heliumql.explain.schedule import ScheduleShown
from heliumql.explain.timeline import Timeline
from heliumql.explain.tree import NodeShown
from heliumql.logical import Dag
from heliumql.prompts import Parts, RadixTree
from heliumql.source import Span
from heliumql.stats import CallTimes, Stats

FIRST_ROWS = 10  # of a result, that are kept to be shown


@dataclass(frozen=True)
class Figure:
    """A number, and whether it is known or estimated."""

    value: float
    exact: bool = True

    def __str__(self) -> str:
        rounded = float(f"{self.value:.3g}") if not self.exact else self.value
        number = f"{rounded:,.0f}" if rounded >= 10 or rounded == int(rounded) else f"{rounded:.2g}"
        return number if self.exact else f"~{number}"

    def __add__(self, other: Figure) -> Figure:
        return Figure(self.value + other.value, self.exact and other.exact)

    def __mul__(self, other: Figure) -> Figure:
        return Figure(self.value * other.value, self.exact and other.exact)


def total(figures: Iterable[Figure]) -> Figure:
    return sum(figures, Figure(0))


@dataclass(frozen=True)
class OperatorShown:
    """An LLM operator and what is expected of it; None is what nothing is known about."""

    site: int
    name: str
    model: str
    returns: str
    template: Parts
    cuts: tuple[str, ...]  # what waits for its answers
    static_prefix_tokens: Figure
    rows: Figure | None = None
    calls: Figure | None = None  # after equal ones are merged and remembered ones fetched
    fetched: Figure | None = None
    prompt_tokens: Figure | None = None  # of all calls to run
    output_tokens: Figure | None = None
    seconds: float | None = None  # of one call
    price: float | None = None  # of all
    spent: Spent | None = None  # what a run did


@dataclass(frozen=True)
class RuleShown:
    """A rule of the optimizer: whether it fired, and what it did, in sentences."""

    name: str
    what: tuple[str, ...] = ()
    fired: bool = False
    saved: float = 0.0  # how many rows fewer ask a model; an estimate


@dataclass(frozen=True)
class Written:
    """A call as it stands in the statement, and what became of it."""

    span: Span
    name: str
    site: int
    runs: bool  # else it was made one with an equal one, or nobody needs it


@dataclass(frozen=True)
class Happened:
    """What a run did, how many rows it gave, and the first few of them."""

    stats: Stats
    rows: int
    first: tuple[tuple[object, ...], ...] = ()
    spent: tuple[Spent, ...] = ()  # for each call site, in the order of the sites
    times: tuple[CallTimes, ...] = ()  # of the calls; their sites are places in `spent`


@dataclass(frozen=True)
class Explanation:
    """What a statement is going to do."""

    statement: str
    bound: Dag | None  # before the rules
    plan: Dag | None
    rules: tuple[RuleShown, ...]
    operators: tuple[OperatorShown, ...]
    passes: Figure
    cuts: tuple[str, ...]
    tree: RadixTree
    seconds: float | None
    price: float | None
    notes: tuple[str, ...] = ()  # what the figures rest on
    call_by_call: str = ""  # why, where it is evaluated so
    happened: Happened | None = None
    prompt_tree: NodeShown = field(default_factory=NodeShown)  # the tree with weights
    schedule: ScheduleShown | None = None  # of the calls that are known before answers come
    timelines: tuple[Timeline, ...] = ()  # of what happened
    flows: tuple[Figure, ...] = ()  # rows that each node of the plan gives
    written: tuple[Written, ...] = ()  # calls of the text

    @property
    def is_cut(self) -> bool:
        return bool(self.cuts)
