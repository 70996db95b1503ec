"""How many answers have to come one after the other, however calls are ordered.

All answers of a workload have the same length, so a worker that computes `slots` calls at once
takes at least as many steps as this bound has rounds, times that length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

from workloads.workload import Answer, Call, Workload

Needs = Mapping[Hashable, frozenset[Hashable]]


def fewest_rounds(workload: Workload, slots: int, *, merged: bool = True) -> int:
    """Rounds of answers of at most `slots` calls each that any order needs.

    The calls that `before` rounds must precede and `after` must follow all run between those: the
    classic bound of scheduling theory for equal jobs with heads and tails (Fernandez and Bussell,
    IEEE Transactions on Computers C-22, 1973). It holds for calls that, once begun, are computed to
    their end. An order with so few rounds need not exist.
    """
    needs = calls_with_needs(workload) if merged else _unmerged(workload)
    levels = Counter(zip(_heads(needs).values(), _tails(needs).values(), strict=True))
    deepest = max((before for before, _ in levels), default=-1) + 1
    return max(
        (
            before + -(-count // slots) + after
            for before in range(deepest)
            for after in range(deepest)
            if (count := sum(n for (b, a), n in levels.items() if b >= before and a >= after))
        ),
        default=0,
    )


def calls_with_needs(workload: Workload) -> Needs:
    """The distinct calls, each after those whose answers it needs; equal ones by how they are made,
    whatever is answered."""
    found: dict[Hashable, frozenset[Hashable]] = {}
    number: dict[Hashable, int] = {}  # keys nested in keys would be as long as the graph is deep
    for item in workload.items:
        named: dict[str, int] = {}
        for call in item.calls:
            key = _key(call, named)
            named[call.name] = number.setdefault(key, len(number))
            found[named[call.name]] = frozenset(named[n] for n in _needed(call))
    return found


def _unmerged(workload: Workload) -> Needs:
    return {
        (item.name, call.name): frozenset((item.name, n) for n in _needed(call))
        for item in workload.items
        for call in item.calls
    }


def _key(call: Call, named: Mapping[str, int]) -> Hashable:
    before = None if call.history is None else named[call.history]
    parts = tuple(named[p.of] if isinstance(p, Answer) else p for p in call.prompt)
    return (before, call.system, parts)


def _needed(call: Call) -> Sequence[str]:
    answers = [part.of for part in call.prompt if isinstance(part, Answer)]
    return answers if call.history is None else [call.history, *answers]


def _heads(needs: Needs) -> dict[Hashable, int]:
    """Rounds that must come before the one of a call."""
    found: dict[Hashable, int] = {}
    for call, before in needs.items():
        found[call] = max((found[n] + 1 for n in before), default=0)
    return found


def _tails(needs: Needs) -> dict[Hashable, int]:
    """Rounds that must come after the one of a call."""
    found = dict.fromkeys(needs, 0)
    for call in reversed(needs):
        for need in needs[call]:
            found[need] = max(found[need], found[call] + 1)
    return found
