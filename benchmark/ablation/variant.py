"""HeliumQL with one of its techniques off."""

from __future__ import annotations

from dataclasses import dataclass

from bench.chosen import DEFAULT_POLICY

from heliumql.catalog.techniques import DEFER, KEEP, SEARCH, SHARE


@dataclass(frozen=True)
class Variant:
    """A system: HeliumQL, and what of it is off. Everything is on where nothing is said."""

    system: str
    off: str = ""  # llm_disabled_rules
    policy: str = DEFAULT_POLICY
    store: bool = True
    twice: bool = False  # the statements run a second time in the same session


VARIANTS = (
    Variant("heliumql"),
    Variant("heliumql without merge", off=SHARE),
    Variant("heliumql without deferral", off=DEFER),
    Variant("heliumql without prefix order", policy="fcfs"),
    Variant("heliumql without warm-up", off=KEEP),
    Variant("heliumql without search", off=SEARCH),
    # What the store is for shows the second time only.
    Variant("heliumql twice", twice=True),
    Variant("heliumql twice without store", store=False, twice=True),
)
