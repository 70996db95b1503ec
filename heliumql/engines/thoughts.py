"""The thoughts of a model that thinks aloud, and the answer proper that comes after them."""

from __future__ import annotations

OPENING, CLOSING = "<think>", "</think>"


def without_thoughts(text: str, *, opened: bool = True) -> str | None:
    """The answer without the thoughts at its very beginning; None where these never end.

    `opened`: the prompt may have begun the thoughts, so that the answer starts inside of them.
    Text without thoughts stays as it is; tags further on are part of the answer.
    """
    rest = text.lstrip()
    while rest.startswith(OPENING):
        _, closing, behind = rest.partition(CLOSING)
        if not closing:
            return None
        text, opened = behind.strip(), False
        rest = text
    if opened:
        thoughts, closing, behind = text.partition(CLOSING)
        if closing and OPENING not in thoughts:
            return behind.strip()
    return text
