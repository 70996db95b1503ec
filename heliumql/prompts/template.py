"""Templates: the conversation of an LLM operator as a sequence of parts.

A part is text that all calls share, the beginning of a message, or a placeholder: a column, or the
answer of another operator. The system message comes first, then the history, then the prompt.
`binder/logical.py` makes templates of bound queries; the templated radix tree is made of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """Text that stands in every call."""

    text: str


@dataclass(frozen=True)
class Role:
    """The beginning of a message of this role."""

    name: str


@dataclass(frozen=True)
class Placeholder:
    """Text that differs from call to call; `operators` are those whose answers are in it."""

    name: str
    operators: tuple[str, ...] = ()


Part = Text | Role | Placeholder
Parts = tuple[Part, ...]


def joined(parts: Iterable[Part]) -> Parts:
    """The same sequence with neighbouring texts as one and no empty ones."""
    result: list[Part] = []
    for part in parts:
        if isinstance(part, Text):
            if not part.text:
                continue
            if result and isinstance(last := result[-1], Text):
                result[-1] = Text(last.text + part.text)
                continue
        result.append(part)
    return tuple(result)


def static_prefix(parts: Parts) -> str:
    """The text before the first placeholder: every call of the operator begins with it."""
    texts: list[str] = []
    for part in parts:
        if isinstance(part, Placeholder):
            break
        if isinstance(part, Text):
            texts.append(part.text)
    return "".join(texts)


def shown(parts: Parts) -> str:
    """The parts on one line: `system: You are a judge. | user: Sum up {reviews.body}`."""
    texts: list[str] = []
    for part in parts:
        match part:
            case Role(name):
                texts.append(f"{' | ' if texts else ''}{name}: ")
            case Placeholder(name):
                texts.append(f"{{{name}}}")
            case Text(text):
                texts.append(text.replace("\n", "\\n"))
    return "".join(texts)
