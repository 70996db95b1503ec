"""What one statement asked for, where the answers came from, and what the engines did for it.

Statements that are evaluated together share a call graph; each has an account of its own, so that
what they cost adds up: a call that several of them need is run for the one that asked first, and
shared by the others. The call graph and the dispatcher write it, `Stats` are read from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from heliumql.calls.budget import Budget
from heliumql.errors import HeliumQLError
from heliumql.stats import CallTimes
from heliumql.trace import Track


@dataclass
class Spent:
    """What the engines did for one call site of a statement."""

    run: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    prefix_hit_tokens: int = 0
    output_tokens: int = 0


@dataclass(eq=False)
class Account:
    """The account of one statement; asked = shared + cached + run once its rows are there."""

    sites: frozenset[int] | None = None  # its call sites; None: all there are
    budget: Budget = field(default_factory=Budget)
    asked: int = 0  # (row, call) pairs
    shared: int = 0
    cached: int = 0
    run: int = 0
    failed: int = 0
    refused: int = 0  # not run, or not asked again, as the budget did not allow it
    requests: int = 0
    prompt_tokens: int = 0
    prefix_hit_tokens: int = 0
    output_tokens: int = 0
    by_site: dict[int, Spent] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)  # message -> how many calls
    incidents: list[str] = field(default_factory=list)  # what engines had to get over
    timed: bool = False  # the times of its calls are noted
    times: list[CallTimes] = field(default_factory=list)
    track: Track | None = None  # of a trace, that is told of its calls
    failure: HeliumQLError | None = None  # what fails the statement as a whole
    names_no_more: bool = False  # all its calls are demanded, and what they read
    strict: dict[bytes, int] = field(default_factory=dict)
    """Calls that another statement named first and that must not fail here, by their site here."""

    def __post_init__(self) -> None:
        self.alone = (self,)  # the askers of a call that only this statement needs

    def at(self, site: int) -> Spent:
        """What was spent for the calls of one site."""
        return self.by_site.setdefault(site, Spent())
