"""Values of settings and of arguments, where they are choices or names of the catalog."""

from __future__ import annotations

from collections.abc import Iterator

from heliumql.catalog import CHOICES as SETTING_CHOICES
from heliumql.completion import suggestions as suggest
from heliumql.completion.candidate import Kind
from heliumql.completion.place import Place
from heliumql.completion.suggestions import Suggestion
from heliumql.completion.words import CHOICES, TYPES


def setting_values(place: Place, name: str) -> Iterator[Suggestion]:
    """The values that a setting can have, as they are written."""
    if name == "llm_default_model":
        yield from suggest.models(place, quoted=True)
    elif name in SETTING_CHOICES:
        yield from suggest.listed([f"'{v}'" for v in SETTING_CHOICES[name]], Kind.VALUE)
    elif _is_flag(place, name):
        yield from suggest.listed(("true", "false"), Kind.VALUE)
    elif name.startswith("llm_max_"):
        yield from suggest.keywords(place, ("NULL",), 1)


def argument_values(place: Place, name: str) -> Iterator[Suggestion]:
    """The values that an argument of an LLM call can have."""
    if name == "model":
        yield from suggest.models(place, quoted=True)
    elif name in CHOICES:
        yield from suggest.listed(CHOICES[name], Kind.VALUE)
    elif name == "returns":
        yield from suggest.listed([f"'{t}'" for t in TYPES if t[-1] != "("], Kind.VALUE, "type")


def _is_flag(place: Place, name: str) -> bool:
    known = {s.name.lower(): s.value for s in place.snapshot.settings}
    return known.get(name, "").lower() in ("true", "false")
