"""Which calls of a day are those of the day before, and which of these were found."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import TypeAlias

from suites.recording import Asked
from workloads.workload import Workload

from next_day.days import Days

Messages: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Reuse:
    """Calls of the second day by their messages; equal ones are one."""

    asked: Set[Messages]
    unchanged: Set[Messages]  # asked on the first day too
    found: Set[Messages]  # not run again

    @property
    def complete(self) -> bool:
        """What did not change was found, and nothing else was."""
        return self.found == self.unchanged


def reuse(days: Days) -> Reuse:
    first, second, without = (
        {one.messages for one in day.record} for day in (days.first, days.second, days.without)
    )
    return Reuse(without, without & first, without - second)


@dataclass(frozen=True)
class Named:
    """Calls of one name, one an item of the workload."""

    name: str
    asked: int
    unchanged: int
    found: int


def by_name(reused: Reuse, work: Workload, record: Sequence[Asked]) -> list[Named]:
    """The names that a program gives to the calls; `record` has the answers of all of them."""
    texts = {one.messages: one.text for one in record}
    asked: dict[str, list[Messages]] = {}
    for item in work.items:
        answers: dict[str, str] = {}
        for call in item.calls:
            messages = tuple(item.messages(call, answers))
            answers[call.name] = texts[messages]
            asked.setdefault(call.name, []).append(messages)
    return [
        Named(
            name,
            len(mine),
            sum(messages in reused.unchanged for messages in mine),
            sum(messages in reused.found for messages in mine),
        )
        for name, mine in asked.items()
    ]
