"""A workload: the calls of a suite as any program would make them, without HQL and its engine.

As JSON it is what compared systems are given:
{"suite", "rows", "scale", "seed", "items": [{"item", "calls": [{"name", "operator", "history",
"system", "prompt", "max_tokens"}]}]}, where a prompt is a list of texts and of {"answer": name}.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Answer:
    """Stands in a prompt for the answer of an earlier call of the item."""

    of: str


Part: TypeAlias = str | Answer
Prompt: TypeAlias = tuple[Part, ...]


@dataclass(frozen=True)
class Call:
    """One request: a user message, after a system message or a conversation that goes on."""

    name: str  # in its item
    operator: str
    prompt: Prompt
    system: str | None = None
    history: str | None = None  # the call whose messages and answer come before


@dataclass(frozen=True)
class Item:
    """What one run of an agent graph handles; calls stand after those whose answers they need."""

    name: str
    calls: tuple[Call, ...]

    def messages(self, call: Call, answers: Mapping[str, str]) -> list[tuple[str, str]]:
        """Roles and texts of a call. `answers` are those of the item so far, by name."""
        before: list[tuple[str, str]] = []
        if call.history is not None:
            earlier = next(c for c in self.calls if c.name == call.history)
            before = [*self.messages(earlier, answers), ("assistant", answers[earlier.name])]
        if call.system is not None:
            before.append(("system", call.system))
        texts = (answers[p.of] if isinstance(p, Answer) else p for p in call.prompt)
        return [*before, ("user", "".join(texts))]


@dataclass(frozen=True)
class Workload:
    """The items of a suite at a size. Every answer has `max_tokens` tokens."""

    suite: str
    rows: int
    scale: float
    seed: int
    max_tokens: int
    items: tuple[Item, ...]

    def to_json(self) -> str:
        return json.dumps(self.as_json())

    def as_json(self) -> dict[str, Any]:
        items = [
            {"item": item.name, "calls": [_call(call, self.max_tokens) for call in item.calls]}
            for item in self.items
        ]
        head = {"suite": self.suite, "rows": self.rows, "scale": self.scale, "seed": self.seed}
        return {**head, "items": items}


def prompt(*parts: Part | Iterable[Part]) -> Prompt:
    """The parts in a row, nested ones among them."""
    flat: list[Part] = []
    for part in parts:
        flat += [part] if isinstance(part, str | Answer) else part
    return tuple(flat)


def joined(separator: str, parts: Sequence[Part | Sequence[Part]]) -> list[Part]:
    """The parts with a separator between them."""
    found: list[Part] = []
    for number, part in enumerate(parts):
        found += [separator] if number else []
        found += [part] if isinstance(part, str | Answer) else part
    return found


def _call(call: Call, max_tokens: int) -> dict[str, Any]:
    return {
        "name": call.name,
        "operator": call.operator,
        "history": call.history,
        "system": call.system,
        "prompt": [{"answer": p.of} if isinstance(p, Answer) else p for p in call.prompt],
        "max_tokens": max_tokens,
    }
