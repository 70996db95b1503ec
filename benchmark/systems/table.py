"""For systems of tier B: a workload as the rows of one table, with a prompt each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from systems.common import Answers, Given, Item, each

WIDE = 256  # calls at once that `tuned` allows, where a system has a limit


class NotATableError(ValueError):
    """A workload is more than one operator over rows; the message says why."""


@dataclass(frozen=True)
class Table:
    """Prompts in the order of their rows. Every answer has at most `max_tokens` tokens."""

    keys: tuple[tuple[str, str], ...]  # item and name of the call of each row
    prompts: tuple[str, ...]
    max_tokens: int

    def answers(self, texts: Sequence[str]) -> Answers:
        """From the answers in the order of the rows. Raises ValueError where some are missing."""
        found: Answers = {item: {} for item, _ in self.keys}
        for (item, call), text in zip(self.keys, texts, strict=True):
            found[item][call] = text
        return found


def table_of(items: Sequence[Item]) -> Table:
    """Raises NotATableError where the calls are not those of one operator over a table."""
    calls = list(each(tuple(items)))
    for item, call in calls:
        if call.inputs:
            raise NotATableError(
                f"call {call.name} of item {item.name} depends on {call.inputs[0]}, {_ONLY}"
            )
    for item, call in calls:
        if call.system is not None:
            raise NotATableError(
                f"call {call.name} of item {item.name} has a system message, {_ONLY}"
            )
    if len(operators := {call.operator for _, call in calls}) != 1:
        raise NotATableError(f"there are {len(operators)} operators, {_ONLY}")
    if len(sizes := {call.max_tokens for _, call in calls}) != 1:
        raise NotATableError("answers are to be of several lengths")
    return Table(
        tuple((item.name, call.name) for item, call in calls),
        tuple(item.messages(call, {})[-1][1] for item, call in calls),
        sizes.pop(),
    )


def at_once(given: Given, own: int) -> int:
    """How many calls a system may have under way whose own limit is `own`."""
    return given.concurrency or (WIDE if given.setting == "tuned" else own)


_ONLY = "and a system of tables asks one operator over independent rows"
