"""What a name of --systems means: HeliumQL under a policy, a limit, or another system's setting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from suites.suite import SUITES
from systems.common import DEFAULT, items_of
from systems.system import SYSTEMS, kept
from systems.table import NotATableError, table_of
from workloads import workload


@dataclass(frozen=True)
class Named:
    """A system of a row, and its setting."""

    system: str
    setting: str = DEFAULT
    own_prompts: bool = False  # so that its answers are not comparable


def named(name: str) -> Named:
    """`langgraph` is its best setting, `langgraph:default` another one."""
    first, _, setting = name.partition(":")
    if first not in SYSTEMS:
        return Named(name)
    system = SYSTEMS[first]
    return Named(first, setting or system.best, system.own_prompts)


def others() -> Iterator[str]:
    """All names of systems that are not HeliumQL."""
    for system in SYSTEMS.values():
        yield system.name
        if len(system.settings) > 1:
            yield from (f"{system.name}:{setting}" for setting in system.settings)


def shortest(name: str) -> str:
    """Without a setting that is meant anyway."""
    first, _, setting = name.partition(":")
    return first if first in SYSTEMS and setting == SYSTEMS[first].best else name


def of_tables() -> tuple[str, ...]:
    """The systems that only take tables and whose environments are there already."""
    return tuple(name for name, system in SYSTEMS.items() if system.tier == "B" and kept(system))


def refused(name: str, suite: str) -> str | None:
    """Why a system cannot run a suite; None where it can."""
    first = name.partition(":")[0]
    if first not in SYSTEMS or SYSTEMS[first].tier != "B":
        return None
    return _no_table(suite)


@cache
def _no_table(suite: str) -> str | None:
    """Why a suite is not one operator over a table; all of its sizes have the same form."""
    made = workload(suite, rows=1, scale=SUITES[suite].scale)
    try:
        table_of(items_of(made.as_json()))
    except NotATableError as error:
        return str(error)
    return None
