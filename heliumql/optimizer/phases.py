"""The rules in their order, with the reasons for it: the table of contents of the optimizer."""

from __future__ import annotations

from heliumql.optimizer.phase import Phase
from heliumql.optimizer.rule import Rule

PHASES: tuple[Phase, ...] = ()

APPROXIMATE: tuple[Rule, ...] = ()  # none yet; what is here never runs by itself
RULES = tuple(dict.fromkeys(r.name for phase in PHASES for r in phase.rules))
