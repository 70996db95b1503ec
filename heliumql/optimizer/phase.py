"""A phase: rules that belong together, and how often they are applied."""

from __future__ import annotations

from dataclasses import dataclass

from heliumql.optimizer.rule import Rule


@dataclass(frozen=True)
class Phase:
    """Rules that are applied in turn, once or until none of them changes anything."""

    name: str
    rules: tuple[Rule, ...]
    until_stable: bool = False
