"""Loops: steps of WITH RECURSIVE that would go on for ever, seen before their calls run.

A step is evaluated before its calls have answers, and equal calls are one, so a loop that never
stops may ask for nothing that a budget could refuse. Where calls have a limit, its turns are
counted instead.
"""

from __future__ import annotations

from heliumql.binder.cuts import CALL, INFO
from heliumql.binder.tree import Node, arguments, constant_integer, walk
from heliumql.errors import BudgetError

_TURNS = 10_000  # of a loop in one pass, beside ten for each call that may be run


class Loops:
    """The steps of one query. `limit`: how many calls it may run; None: turns are not counted."""

    def __init__(self, query: Node, limit: int | None) -> None:
        self._limit = limit
        self._sites = frozenset[int]() if limit is None else _inside(query)
        self._turns = 0

    def begin(self) -> None:
        """A pass begins."""
        self._turns = 0

    def turn(self, site: int) -> BudgetError | None:
        """Calls of the site were named; the error where its step was evaluated too often."""
        if site not in self._sites or self._limit is None:
            return None
        self._turns += 1
        if self._turns <= _TURNS + 10 * self._limit:
            return None
        return BudgetError(
            f"llm_max_calls = {self._limit}: WITH RECURSIVE named calls {self._turns:,} times and "
            "goes on",
            hint="stop it with a counter: .. WHERE n < 10; SET llm_max_calls to NULL lets it go on",
        )


def _inside(query: Node) -> frozenset[int]:
    """The sites of calls inside of recursive steps."""
    found = set[int]()
    for node in walk(query):
        if node.get("type") != "RECURSIVE_CTE_NODE":
            continue
        for call in walk(node["right"]):
            if call.get("function_name") in (CALL, INFO):
                number = constant_integer(arguments(call)[1])
                assert number is not None
                found.add(number)
    return frozenset(found)
