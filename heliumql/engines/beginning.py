"""What two conversations have in common from their start."""

from __future__ import annotations

from typing import TypeVar

from heliumql.engines.engine import Messages

T = TypeVar("T", str, bytes)


def common_beginning(first: Messages, second: Messages) -> Messages:
    """Equal messages from the start, then the text with which both of the next ones begin.

    Empty where they differ from the start.
    """
    equal = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        equal += 1
    common = first[:equal]
    if equal < min(len(first), len(second)):
        (role, one_text), (other_role, other_text) = first[equal], second[equal]
        text = common_start(one_text, other_text)
        if role == other_role and text:
            return (*common, (role, text))
    return common


def common_start(one: T, other: T) -> T:
    """The longest text that both begin with; halves the unknown part until it is empty."""
    equal, most = 0, min(len(one), len(other))
    while equal < most:
        middle = (equal + most + 1) // 2
        if one[equal:middle] == other[equal:middle]:
            equal = middle
        else:
            most = middle - 1
    return one[:equal]
