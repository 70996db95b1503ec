"""How well a name fits what was typed."""

from __future__ import annotations

PREFIX, INNER_WORD, FUZZY = 0, 1, 2
"""Ranks of matches, the best first."""

_SHORTEST_FUZZY = 2


def rank(name: str, typed: str) -> int | None:
    """The rank of a name; None where it does not fit. Case does not matter.

    A fuzzy match has the letters typed in order, the first of them where a word of the name
    begins: `bdt` and `bt` find birth_date, `irth` does not.
    """
    if not typed:
        return PREFIX
    lowered, sought = name.lower(), typed.lower()
    if lowered.startswith(sought):
        return PREFIX
    if len(sought) < _SHORTEST_FUZZY:
        return None
    starts = _word_starts(name)
    if any(lowered.startswith(sought, start) for start in starts):
        return INNER_WORD
    if any(_has_in_order(lowered, sought, start) for start in starts):
        return FUZZY
    return None


def _word_starts(name: str) -> list[int]:
    """Where words of a name begin: after anything that is no letter or digit, and at humps."""
    return [
        i
        for i, character in enumerate(name)
        if character.isalnum()
        and (i == 0 or not name[i - 1].isalnum() or (character.isupper() and name[i - 1].islower()))
    ]


def _has_in_order(name: str, sought: str, start: int) -> bool:
    if len(name) <= start or name[start] != sought[0]:
        return False
    position = start
    for character in sought:
        position = name.find(character, position) + 1
        if position == 0:
            return False
    return True
